"""Floods: a network that sends handshake messages as fast as it can, from addresses that it forges.

    left wg0 ─── eth0 192.0.2.1 ────────── 192.0.2.2   puppet: a peer who wants nothing but his due
                                ────────── 203.0.113.7, 100.64.0.0/10   forged

A daemon under load asks whoever sends initiations to prove his address first, with a cookie. Rates
are small here, and bursts make the load; `./dev bench --flood` goes to the end.
"""

import os
import time

from lib import noise, process
from lib.flood import Flood
from lib.registry import Skip, behaviour
from lib.sniffer import Sniffer
from lib.wait import PATIENCE, eventually

ATTACKED = "192.0.2.1:51820"
ONE_ATTACKER = "203.0.113.7"
MAX_GROWTH_MIB = 16
NORMAL_WITHIN_S = 1.5


def attacked(scene):
    """A tunnel and its peer. The tunnel's answers to forged addresses leave by the cable too."""
    tunnel, puppet = scene.solo()
    tunnel.host.run("ip route add default via 192.0.2.2")
    puppet.connect()
    return tunnel, puppet


def initiations(scene, tunnel, puppet, **options):
    """Many at once, again and again: more than any daemon opens while they arrive."""
    return Flood(scene.build_dir, puppet.host, "initiations", ATTACKED, key=tunnel.public_key,
                 **options)


def answer_to(puppet, message, timeout_s=0.5):
    """What the daemon answers to an initiation: the first answer that is no data."""
    puppet.drain()
    puppet.send(message)
    deadline = time.monotonic() + timeout_s * PATIENCE
    while (left := deadline - time.monotonic()) > 0:
        datagram = puppet.receive(left / PATIENCE)
        if datagram and datagram[0] in (noise.RESPONSE, noise.COOKIE_REPLY):
            return datagram
    return None


def is_response(answer):
    return answer is not None and answer[0] == noise.RESPONSE


# One address floods. It is asked for cookies; the peer at another one is not, and gets a response to
# every initiation at once.

@behaviour(unlike_go="any load is everybody's", deadline_s=60)
def test_P85a_one_flooding_source_is_asked_for_cookies_and_nobody_else(scene):
    tunnel, puppet = attacked(scene)
    answers = []

    def served():
        answers.append(answer_to(puppet, puppet.new_handshake().initiation()))
        return is_response(answers[-1])

    with Sniffer(puppet.host) as wire, \
            initiations(scene, tunnel, puppet, source=f"{ONE_ATTACKER}:7", rate=5000, burst=500):
        wire.wait_udp(destination=ONE_ATTACKER, kind=noise.COOKIE_REPLY)
        for _ in range(10):
            eventually(served, "the peer is served")
        wire.wait_udp(destination=ONE_ATTACKER, kind=noise.COOKIE_REPLY,
                      count=1 + len(wire.udp(destination=ONE_ATTACKER, kind=noise.COOKIE_REPLY)))
    asked = [answer for answer in answers if answer and not is_response(answer)]
    assert not asked, f"{len(asked)} of {len(answers)} times a peer paid for another's flood"


# The flood comes from everywhere. Now everybody must prove his address; who does is served.

@behaviour(unlike_go="its queue is full of the flood", deadline_s=60)
def test_P82_a_flood_from_everywhere_yields_to_a_cookie(scene):
    tunnel, puppet = attacked(scene)

    def cookie():
        message = puppet.new_handshake().initiation()
        answer = answer_to(puppet, message)
        if answer is None or is_response(answer):
            return None
        return noise.open_cookie(tunnel.public_key, message, answer)

    with initiations(scene, tunnel, puppet, rate=20_000, burst=2000):
        mine = eventually(cookie, "the peer is asked for a cookie", 20)
        eventually(lambda: is_response(answer_to(
            puppet, noise.with_cookie(puppet.new_handshake().initiation(), mine))),
            "the peer with a cookie is served", 20)


# The same, and what comes after it.

@behaviour(deadline_s=60)
def test_P85_soon_after_a_flood_nobody_is_asked_for_cookies(scene):
    tunnel, puppet = attacked(scene)

    def is_asked_for_cookie():
        answer = answer_to(puppet, puppet.new_handshake().initiation())
        return answer is not None and not is_response(answer)

    with initiations(scene, tunnel, puppet, rate=20_000, burst=2000):
        eventually(is_asked_for_cookie, "the daemon is under load", 20)
    ended = time.monotonic()
    eventually(lambda: is_response(answer_to(puppet, puppet.new_handshake().initiation())),
               "the daemon is itself again", NORMAL_WITHIN_S)
    scene.note(f"after {time.monotonic() - ended:.2f} s")


@behaviour(deadline_s=60)
def test_P86_a_flood_takes_little_memory(scene):
    if os.path.basename(scene.build_dir) != "release":
        raise Skip("a sanitizer keeps what is freed")
    tunnel, puppet = attacked(scene)
    before = process.status_field(tunnel.daemon.pid, "VmHWM")
    with initiations(scene, tunnel, puppet, rate=60_000) as flood:
        eventually(lambda: process.cpu_seconds(tunnel.daemon.pid) > 1.0, "the daemon works", 20)
    growth = (process.status_field(tunnel.daemon.pid, "VmHWM") - before) / 1024
    scene.note(f"{growth:.1f} MiB, {flood.sent} initiations in {flood.seconds:.1f} s")
    assert growth <= MAX_GROWTH_MIB, f"{growth:.1f} MiB more"
    eventually(lambda: puppet.pings(tunnel), "the tunnel goes on")


# The kernel tells handshakes from data, and threads that carry data do not wake for them. So too on
# another port, which is bound inside the sandbox.

@behaviour(unlike_go="it has one socket for all", deadline_s=60)
def test_a_flood_passes_the_lanes_by(scene):
    tunnel, puppet = attacked(scene)
    pid = tunnel.daemon.pid
    for port in (51820, 51900):
        tunnel.set(f"listen-port {port}")
        before, lanes_before = process.cpu_seconds(pid), process.cpu_seconds(pid, thread="lane")
        with Flood(scene.build_dir, puppet.host, "initiations", f"192.0.2.1:{port}",
                   key=tunnel.public_key, rate=20_000):
            eventually(lambda: process.cpu_seconds(pid) > before + 0.5, "the daemon works", 20)
        lanes = process.cpu_seconds(pid, thread="lane") - lanes_before
        share = lanes / (process.cpu_seconds(pid) - before)
        scene.note(f"port {port}: lanes take {100 * share:.0f} % of it")
        assert share < 0.2, f"on port {port} lanes take {100 * share:.0f} %"


# A recorded initiation of the peer's, over and over and from everywhere: it neither ends his session
# nor moves his endpoint.

@behaviour(deadline_s=60)
def test_P27_a_flood_of_one_replayed_initiation_changes_nothing(scene):
    tunnel, puppet = attacked(scene)

    def accepted():
        message = puppet.new_handshake().initiation()
        return message if is_response(answer_to(puppet, message)) else None

    recorded = eventually(accepted, "it was good once")
    time.sleep(0.05)                # initiations of one peer lie 20 ms apart
    puppet.connect()
    with Flood(scene.build_dir, puppet.host, "replay", ATTACKED, message=recorded.hex(), rate=5000):
        for _ in range(10):
            eventually(lambda: puppet.pings(tunnel, 0.5), "the session goes on")
    assert tunnel.status(puppet).endpoint == "192.0.2.2:51820", "a replay moved the peer"


@behaviour(deadline_s=60)
def test_P11_a_flood_of_junk_gets_silence(scene):
    tunnel, puppet = attacked(scene)
    with Sniffer(puppet.host) as wire:
        with Flood(scene.build_dir, puppet.host, "junk", ATTACKED, rate=5000):
            for _ in range(10):
                eventually(lambda: puppet.pings(tunnel, 0.5), "the session goes on")
        answers = [p for p in wire.udp(source="192.0.2.1") if p.destination != "192.0.2.2"]
    assert not answers, f"{len(answers)} answers"
