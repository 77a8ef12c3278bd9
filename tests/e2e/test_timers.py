"""Timers that can be seen in seconds. The long ones (120 s and more) are tested in virtual time.

    left wg0 ───────── puppet, who counts what comes
"""

import time

from lib import noise, packets
from lib.registry import BOTH, EVERY, behaviour
from lib.sniffer import Sniffer
from lib.traffic import must_ping, ping
from lib.wait import PATIENCE, stays_false


def kick(tunnel, puppet):
    """Gives the daemon something to send."""
    with tunnel.host.udp() as sock:
        sock.sendto(b"x", (puppet.inside4, 2000))


def arrivals(puppet, kind, for_s):
    """When messages of a kind came, in seconds from now."""
    started = time.monotonic()
    times = []
    while (left := started + for_s - time.monotonic()) > 0:
        if puppet.receive_kind(kind, left / PATIENCE):     # a window of time, not a deadline
            times.append(time.monotonic() - started)
    return times


# However much there is to send, initiations to a silent peer are 5 s apart, and every one is new.

@behaviour
def test_P51_initiations_are_five_seconds_apart(scene):
    tunnel, puppet = scene.solo()
    with Sniffer(puppet.host) as wire:
        deadline = time.monotonic() + 6.2
        while time.monotonic() < deadline:
            kick(tunnel, puppet)
            time.sleep(0.02)                    # the load, not a wait
        initiations = wire.udp(kind=noise.INITIATION, destination="192.0.2.2")
    assert len(initiations) == 2, f"{len(initiations)} initiations in 6.2 s"
    first, second = (p.payload for p in initiations)
    assert len(first) == noise.INITIATION_BYTES
    assert first[4:8] != second[4:8] and first[8:40] != second[8:40]


@behaviour
def test_P50_an_unanswered_initiation_is_sent_again(scene):
    tunnel, puppet = scene.solo()
    kick(tunnel, puppet)
    first, second = arrivals(puppet, noise.INITIATION, 6)
    assert 5.0 <= second - first < 5.6, f"{second - first:.2f} s"


# 128 packets wait for a handshake; when there are more, the oldest go.

@behaviour
def test_P73_the_last_128_packets_wait_for_the_handshake(scene):
    tunnel, puppet = scene.solo()
    with tunnel.host.udp() as sock:
        for number in range(200):
            sock.sendto(number.to_bytes(2, "big"), (puppet.inside4, 2000))
    puppet.accept()
    numbers = []
    while (inner := puppet.receive_inner(0.5)) is not None:
        packet = packets.parse(inner)
        if packet.is_udp and packet.destination == puppet.inside4:
            numbers.append(int.from_bytes(packet.payload, "big"))
    assert numbers == list(range(72, 200)), f"{len(numbers)} packets, from {numbers[:1]}"


# The initiator confirms the key at once: with what it has staged, or with an empty packet.

@behaviour
def test_P59_the_initiator_confirms_with_a_keepalive(scene):
    tunnel, puppet = scene.solo()
    tunnel.peer(puppet, keepalive=25)
    session = puppet.accept()
    message = puppet.receive_kind(noise.TRANSPORT, 1)
    assert message and len(message) == noise.KEEPALIVE_BYTES
    assert session.open(message) == b""


# The responder does not use a new key before it has heard from the initiator on it.

@behaviour
def test_P42_the_responder_waits_for_confirmation(scene):
    tunnel, puppet = scene.solo()
    handshake = puppet.new_handshake()
    puppet.send(handshake.initiation())
    handshake.finish(puppet.receive_kind(noise.RESPONSE))
    kick(tunnel, puppet)
    assert puppet.receive_kind(noise.TRANSPORT, 0.3) is None, "data on an unconfirmed key"
    puppet.session = noise.Session(handshake)
    puppet.keepalive()
    inner = puppet.receive_inner(1)
    assert inner and packets.parse(inner).destination == puppet.inside4


# Persistent keepalives come at their interval, and only when nothing else was said.

@behaviour
def test_P55_keepalives_come_at_their_interval(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    tunnel.peer(puppet, keepalive=1)
    times = arrivals(puppet, noise.TRANSPORT, 4.5)
    gaps = [b - a for a, b in zip(times, times[1:])]
    assert 4 <= len(times) <= 5, times
    assert all(0.9 < gap < 1.3 for gap in gaps), gaps
    tunnel.peer(puppet, keepalive=0)
    assert not arrivals(puppet, noise.TRANSPORT, 1.5)


# Whoever receives data and has nothing to say sends one keepalive after 10 s, and none after
# a keepalive: two idle peers are silent.

@behaviour(deadline_s=40)
def test_P52_one_keepalive_ten_seconds_after_data(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    puppet.drain()
    with tunnel.host.udp(tunnel.inside4, 2000):
        puppet.inject(packets.udp_packet(puppet.inside4, tunnel.inside4, b"x"))
        times = arrivals(puppet, noise.TRANSPORT, 11)
    assert len(times) == 1 and 9.8 < times[0] < 10.6, times


# Whoever sends data and hears nothing for 15 s starts a handshake.

@behaviour(deadline_s=40)
def test_P53_a_handshake_fifteen_seconds_after_unanswered_data(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    kick(tunnel, puppet)
    times = arrivals(puppet, noise.INITIATION, 16)
    assert len(times) == 1 and 14.8 < times[0] < 15.6, times


# An initiation is good once, and one from before the last accepted one never is.

@behaviour
def test_P27_old_initiations_are_not_answered(scene):
    tunnel, puppet = scene.solo()
    old = puppet.new_handshake().initiation(noise.tai64n(time.time() - 60))
    new = puppet.new_handshake().initiation()
    puppet.send(new)
    assert puppet.receive_kind(noise.RESPONSE, 2)
    time.sleep(0.05)                            # past the 20 ms of flood protection
    for replayed in (new, old):
        puppet.send(replayed)
        assert puppet.receive(0.3) is None, "an old initiation was answered"
    puppet.connect()


@behaviour
def test_P28_initiations_within_20_ms_are_dropped(scene):
    tunnel, puppet = scene.solo()
    now = time.time()
    messages = [puppet.new_handshake().initiation(noise.tai64n(now + i * 0.1)) for i in range(10)]
    for message in messages:
        puppet.send(message)
    assert puppet.receive_kind(noise.RESPONSE, 1)
    # A busy machine may take 20 ms over some of them, but not over each.
    answers = 1
    while puppet.receive_kind(noise.RESPONSE, 0.2):
        answers += 1
    assert answers < len(messages), "a flood was answered"


# A responder under load answers with a cookie. Its holder does not hurry: the next initiation comes
# when it is due, and carries the cookie. A cookie for another message is not taken.

@behaviour
def test_P84_a_cookie_comes_with_the_next_initiation(scene):
    tunnel, puppet = scene.solo()
    kick(tunnel, puppet)
    first = puppet.receive_kind(noise.INITIATION)
    assert first[-16:] == bytes(16), "a cookie from nowhere"
    cookie, other = bytes(range(16)), bytes(16 * [7])
    forged = first[:116] + bytes(16) + first[132:]
    puppet.send(noise.cookie_reply(puppet.public_key, forged, other))
    puppet.send(noise.cookie_reply(tunnel.public_key, first, other))
    puppet.send(noise.cookie_reply(puppet.public_key, first, cookie))
    started = time.monotonic()
    second = puppet.receive_kind(noise.INITIATION, 7)
    assert 4.5 < time.monotonic() - started < 6, "it did not wait"
    assert second[-16:] == noise.mac(cookie, second[:-16]), "the cookie was not used"


# Stamps of initiations are rounded down to 2^24 ns, and never repeat.

@behaviour
def test_P29_timestamps_do_not_tell_the_exact_time(scene):
    tunnel, puppet = scene.solo()
    kick(tunnel, puppet)
    handshake = puppet.new_handshake()
    handshake.accept(puppet.receive_kind(noise.INITIATION))
    seconds = int.from_bytes(handshake.timestamp[:8], "big") - 2**62 - 10
    nanoseconds = int.from_bytes(handshake.timestamp[8:], "big")
    assert abs(seconds - time.time()) < 5, seconds
    assert nanoseconds % 2**24 == 0, nanoseconds


# Both sides start at the same moment, and end with one tunnel that works.

@behaviour(peers=EVERY)
def test_P31_simultaneous_initiations(scene):
    left, right = scene.pair()
    left.peer(right, keepalive=25)
    right.peer(left, keepalive=25)
    left.wait_handshake(right, timeout_s=6)
    right.wait_handshake(left, timeout_s=6)
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)


# An interface that goes down forgets its sessions and says nothing; up again, it shakes hands
# anew.

@behaviour(peers=BOTH)
def test_P59a_down_and_up_again(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    left.host.run("ip link set wg0 down")
    assert not ping(right.host, left.inside4, wait_s=0.3)
    left.host.run("ip link set wg0 up")
    left.host.run("ip addr replace fd10::1/64 dev wg0")
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)


@behaviour(unlike_go="misses the interface going down on newer kernels")
def test_P59a_a_downed_interface_is_silent(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    tunnel.peer(puppet, keepalive=1)
    tunnel.host.run("ip link set wg0 down")
    puppet.receive(0.3)
    with Sniffer(puppet.host) as wire:
        puppet.send(puppet.new_handshake().initiation())
        stays_false(lambda: wire.udp(source="192.0.2.1"), "a word from a downed interface", 1.5)
    tunnel.host.run("ip link set wg0 up")
    puppet.accept()
    kick(tunnel, puppet)
    assert puppet.receive_inner()
