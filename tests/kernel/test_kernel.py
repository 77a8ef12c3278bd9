"""Ferrule's daemon with the kernel's WireGuard as its peer, in a virtual machine (guest.py).

The kernel's own words, from its dynamic debug, show that it saw what we think it saw."""

import hashlib
import re
import socket
import struct
import time

from guest import machines, pair, tunnels
from lib import noise, packets
from lib.flood import Flood
from lib.host import link
from lib.registry import behaviour
from lib.slumber import Slumber
from lib.sniffer import Sniffer
from lib.traffic import must_not_ping, must_ping, wait_ping
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import PATIENCE, eventually

BOOT_AND_MORE_S = 100
HURRIED_S = 250
LONG_WAIT_S = 300


# --- handshakes -----------------------------------------------------------------------------

def check_handshake(scene, outside, ours_begins):
    ours, theirs = pair(scene, outside=outside)
    if ours_begins:
        must_ping(ours.host, theirs.inside4, wait_s=5)
        theirs.host.says("Receiving handshake initiation from peer 1")
    else:
        assert theirs.host.ping(ours.inside4), "the kernel's first ping"
        assert "received a handshake initiation" in ours.daemon.log()
    must_ping(ours.host, theirs.inside6)
    assert theirs.host.ping(ours.inside6)
    assert theirs.host.ping(ours.inside4)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_our_handshake_over_ipv4(scene):
    check_handshake(scene, 4, ours_begins=True)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_our_handshake_over_ipv6(scene):
    check_handshake(scene, 6, ours_begins=True)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_the_kernels_handshake_over_ipv4(scene):
    check_handshake(scene, 4, ours_begins=False)


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_the_kernels_handshake_over_ipv6(scene):
    check_handshake(scene, 6, ours_begins=False)


# A preshared key must be the same on both sides, whoever begins.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_preshared_keys_must_agree(scene):
    key, wrong = new_preshared_key(), new_preshared_key()
    ours, theirs = pair(scene, psk=key)
    scene.secrets.append(wrong)
    must_ping(ours.host, theirs.inside4, wait_s=5)

    ours.peer(theirs, psk=wrong)
    for tunnel in (ours, theirs):               # no session but a new one
        tunnel.host.run(f"ip link set {tunnel.name} down")
        tunnel.host.run(f"ip link set {tunnel.name} up")
    ours.host.run("ip -6 addr replace fd10::1/64 dev wg0")
    assert not theirs.host.ping(ours.inside4)
    theirs.host.says("Invalid handshake response")
    must_not_ping(ours.host, theirs.inside4)
    eventually(lambda: ours.daemon.stats()["drop_bad_handshake"], "our side tells of it")

    ours.peer(theirs, psk=key)
    wait_ping(ours.host, theirs.inside4)


# --- data -----------------------------------------------------------------------------------

# Every payload that fits, both ways: what the kernel answers to an echo request is the request.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_payloads_of_every_size(scene):
    ours, theirs = pair(scene)
    must_ping(ours.host, theirs.inside4, wait_s=5)
    missing = set(range(1393))
    with ours.host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.settimeout(2 * PATIENCE)
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        for _ in range(3):                      # the emulated machine may be too slow for all at once
            for size in sorted(missing):
                raw.sendto(echo(size), (theirs.inside4, 0))
                if size % 32 == 31:
                    missing -= answered(raw, until=size)
            missing -= answered(raw)
    assert not missing, f"no answer to {len(missing)} sizes: {sorted(missing)[:10]}..."


def payload_of(size):
    return hashlib.shake_128(struct.pack("!H", size)).digest(size)


def echo(size):
    body = struct.pack("!HH", 7, size) + payload_of(size)
    return struct.pack("!BBH", 8, 0, packets.checksum(struct.pack("!BBH", 8, 0, 0) + body)) + body


def answered(raw, until=None):
    """The sizes that right answers came for, up to the one of size `until` or until none comes."""
    sizes = set()
    while until not in sizes:
        try:
            packet = raw.recv(65536)
        except TimeoutError:
            break
        kind, _, _, number, size = struct.unpack("!BBHHH", packet[20:28])
        if kind == 0 and number == 7:
            assert packet[28:] == payload_of(size), f"the answer of size {size} is another"
            sizes.add(size)
    return sizes


@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_fragmented_packets(scene):
    ours, theirs = pair(scene)
    must_ping(ours.host, theirs.inside4, wait_s=5)
    for size in (1393, 1500, 3000, 8000):
        for address in (theirs.inside4, theirs.inside6):
            must_ping(ours.host, address, size=size, wait_s=5)


# Streams bring super-packets, on our side of the tunnel and on the kernel's.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_streams_arrive_as_they_were(scene):
    ours, theirs = pair(scene)
    wait_ping(ours.host, theirs.inside4)
    data = payload_of(2000) * 1500
    with ours.host.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.bind((ours.inside4, 5000))
        listener.listen()
        listener.settimeout(20 * PATIENCE)
        theirs.host.run(f"nc {ours.inside4} 5000 -e cat >/dev/null 2>&1 &")
        connection, _ = listener.accept()
    with connection:
        connection.settimeout(20 * PATIENCE)
        came = bytearray()
        for at in range(0, len(data), 100_000):
            connection.sendall(data[at:at + 100_000])
            while len(came) < min(at + 100_000, len(data)):
                came += connection.recv(1 << 20)
    assert came == data, "the stream came back changed"


# --- roaming --------------------------------------------------------------------------------

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_either_side_follows_the_other(scene):
    ours, theirs = pair(scene)
    must_ping(ours.host, theirs.inside4, wait_s=5)

    ours.host.run("ip addr del 192.0.2.1/24 dev eth0")
    ours.host.run("ip addr add 192.0.2.7/24 dev eth0")
    wait_ping(ours.host, theirs.inside4)
    assert "192.0.2.7:51820" in theirs.wg("show", "endpoints")

    theirs.host.run("ip addr del 192.0.2.2/24 dev eth0; ip addr add 192.0.2.8/24 dev eth0")
    eventually(lambda: theirs.host.ping(ours.inside4), "the kernel reaches us from there")
    assert ours.status(theirs).endpoint == "192.0.2.8:51820"
    must_ping(ours.host, theirs.inside4)


# --- keepalives -----------------------------------------------------------------------------

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_persistent_keepalives_of_both(scene):
    ours, theirs = pair(scene)
    ours.peer(theirs, keepalive=1)
    theirs.host.says("Receiving keepalive packet from peer 1", 15)
    ours.peer(theirs, keepalive=0)
    theirs.peer(ours, keepalive=1)
    before = ours.status(theirs).rx_bytes
    eventually(lambda: ours.status(theirs).rx_bytes >= before + 64, "the kernel's keepalives come")


# Data that nothing answers is answered by a keepalive after ten seconds.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_passive_keepalives_of_both(scene):
    ours, theirs = pair(scene)
    wait_ping(ours.host, theirs.inside4)
    with Sniffer(ours.host) as sniffer:
        sniffer.quiet_for(1, lambda p: p.is_udp)
        from_kernel = len(keepalives(sniffer, "192.0.2.2"))
        send_unasked_reply(ours.host, theirs.inside4)
        eventually(lambda: len(keepalives(sniffer, "192.0.2.2")) > from_kernel,
                   "the kernel's keepalive", 14)

        ours.host.nft("add table ip quiet; add chain ip quiet in { type filter hook input priority 0; };"
                      "add rule ip quiet in iifname wg0 drop")
        from_us = len(keepalives(sniffer, "192.0.2.1"))
        theirs.host.run(f"ping -c 1 -W 1 {ours.inside4}", check=False)
        eventually(lambda: len(keepalives(sniffer, "192.0.2.1")) > from_us, "our keepalive", 14)


def keepalives(sniffer, source):
    return [p for p in sniffer.udp(source=source, kind=noise.TRANSPORT)
            if len(p.payload) == noise.KEEPALIVE_BYTES]


def send_unasked_reply(host, address):
    """An echo reply that nobody has asked for: nothing answers it."""
    with host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as raw:
        raw.sendto(struct.pack("!BBHHH", 0, 0, 0xffff - 7, 7, 0), (address, 0))


# --- under load -----------------------------------------------------------------------------

# The kernel, flooded with handshakes that look good, asks for cookies. Ours takes its cookie, and
# the handshake with it gets through while the flood goes on.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_our_handshake_gets_through_a_flood(scene):
    host, guest = machines(scene)
    ours, theirs = tunnels(scene, host, guest)
    host.run("ip link set eth0 txqueuelen 10000")
    stranger = noise.Handshake(new_private_key(), theirs.public_key).initiation()
    with host.udp("192.0.2.1") as flood, Sniffer(host) as sniffer:
        def pour():
            """More than an eighth of the kernel's queue, which holds 4096, at once: it then takes
            itself to be under load for a second."""
            for _ in range(1500):
                flood.sendto(stranger, ("192.0.2.2", theirs.port))
            sniffer.packets()                   # makes room for what matters
        pour()
        host.run(["ping", "-c", "1", "-W", "0.1", theirs.inside4], check=False)
        deadline = time.monotonic() + 30 * PATIENCE
        while not ours.status(theirs).latest_handshake:
            assert time.monotonic() < deadline, "no handshake got through"
            pour()
            time.sleep(0.4)                     # the pace of the flood is the test
        told = handshakes(sniffer, ours.port)
    assert told.endswith("icIr"), told
    must_ping(host, theirs.inside4, wait_s=5)


# The other way: we are flooded, from addresses that a third host forges on a cable of its own, and
# ask for cookies. The kernel takes its cookie, and we know it again.

@behaviour(deadline_s=BOOT_AND_MORE_S)
def test_the_kernels_handshake_gets_through_a_flood(scene):
    host, guest = machines(scene)
    ours, theirs = tunnels(scene, host, guest)
    crowd = scene.host("crowd")
    link(host, crowd, left_name="eth1")
    host.address("eth1", "203.0.113.1/24")
    crowd.address("eth0", "203.0.113.2/24")
    host.run("ip route add 100.64.0.0/10 via 203.0.113.2")
    crowd.run("ip route add 192.0.2.0/24 via 203.0.113.1")
    with Sniffer(host) as sniffer, Flood(scene.build_dir, crowd, "initiations", "192.0.2.1:51820",
                                         key=ours.public_key, rate=20_000, burst=2000):
        eventually(lambda: ours.daemon.stats()["drop_cookie_required"], "we ask for cookies", 20)
        guest.run(f"ping -c 1 {ours.inside4} >/dev/null 2>&1 &")
        ours.wait_handshake(theirs, timeout_s=40)
        told = handshakes(sniffer, ours.port)
    assert re.search("icI+r$", told), told      # the flood may drown a message
    guest.says("Receiving cookie response")
    must_ping(host, theirs.inside4, wait_s=5)


def handshakes(sniffer, port):
    """What the ends of a tunnel, both at `port`, have said to shake hands: `i` for an initiation, `I`
    for one with a mac2, `r` for a response, `c` for a cookie reply."""
    messages = [packet.payload for packet in sniffer.udp(port=port)
                if packet.source_port == packet.destination_port]
    letters = {noise.INITIATION: "i", noise.RESPONSE: "r", noise.COOKIE_REPLY: "c", noise.TRANSPORT: ""}
    return "".join("I" if m[0] == noise.INITIATION and any(m[-16:]) else letters[m[0]] for m in messages)


# --- age ------------------------------------------------------------------------------------

# Sessions begun by us and by the kernel are replaced after two minutes, without losing a packet.

@behaviour(deadline_s=LONG_WAIT_S)
def test_P56_rekeying_loses_nothing(scene):
    host, guest = machines(scene)
    pairs = [tunnels(scene, host, guest, number=number) for number in (0, 1)]
    (ours, theirs), (ours_later, theirs_first) = pairs
    must_ping(host, theirs.inside4, wait_s=5)
    assert guest.ping(ours_later.inside4)
    first = [ours.status(theirs).latest_handshake, ours_later.status(theirs_first).latest_handshake]
    sent = 0
    deadline = time.monotonic() + 150
    while time.monotonic() < deadline:
        for ours_, theirs_ in pairs:
            must_ping(host, theirs_.inside4, wait_s=5)
        assert guest.ping(ours_later.inside4), "a ping of the kernel's was lost"
        sent += 3
        now = [o.status(t).latest_handshake for o, t in pairs]
        if all(later > earlier for later, earlier in zip(now, first)):
            break
        time.sleep(0.5)                         # the two minutes are the test
    spans = [later - earlier for later, earlier in zip(now, first)]
    scene.note(f"{sent} pings; rekeyed after {spans[0]} s and {spans[1]} s")
    assert all(118 <= span <= 130 for span in spans), f"rekeyed after {spans} s"
    for ours_, theirs_ in pairs:
        must_ping(host, theirs_.inside4)


# After three minutes a session is of no use. When they have passed for one side only, that side begins
# anew instead of sending, and takes nothing that the other sends, who begins anew when that shows.

@behaviour(deadline_s=HURRIED_S)
def test_P45_we_use_no_session_of_180_seconds(scene):
    host, guest = machines(scene)
    slumber = Slumber(scene)
    (ours, theirs), (ours_asked, _) = quiet_pairs(scene, host, guest, {"env": slumber.env})
    slumber.sleep(180)
    with Sniffer(host) as sniffer:
        must_ping(host, theirs.inside4, wait_s=5)
        assert kinds(sniffer, ours.port)[:2] == [noise.INITIATION, noise.RESPONSE]

        assert not guest.ping(ours_asked.inside4), "we took data of a dead session"
        assert ours_asked.daemon.stats()["drop_expired_keypair"]
        eventually(lambda: guest.ping(ours_asked.inside4), "the kernel begins anew", 30)
        assert beginner(sniffer, ours_asked.port) == "192.0.2.2"


@behaviour(deadline_s=HURRIED_S)
def test_P45_the_kernel_uses_no_session_of_180_seconds(scene):
    host, guest = machines(scene, can_hurry=True)
    (ours, theirs), (ours_asked, _) = quiet_pairs(scene, host, guest)
    guest.hurry(180)
    with Sniffer(host) as sniffer:
        assert guest.ping(ours_asked.inside4)
        assert kinds(sniffer, ours_asked.port)[:2] == [noise.INITIATION, noise.RESPONSE]

        must_not_ping(host, theirs.inside4)
        assert set(kinds(sniffer, ours.port)) == {noise.TRANSPORT}
        wait_ping(host, theirs.inside4, timeout_s=30)
        assert beginner(sniffer, ours.port) == "192.0.2.1"


def quiet_pairs(scene, host, guest, daemon_options=None):
    """Two pairs of tunnels with sessions, the first begun by us and the other by the kernel. All that
    was said has been answered: no side has a reason to speak."""
    pairs = [tunnels(scene, host, guest, number=number, daemon_options=daemon_options)
             for number in (0, 1)]
    (ours, theirs), (ours_asked, _) = pairs
    with Sniffer(host) as sniffer:
        send_unasked_reply(host, theirs.inside4)
        assert guest.ping(ours_asked.inside4)
        eventually(lambda: {p.source_port for p in keepalives(sniffer, "192.0.2.2")}
                   == {ours.port, ours_asked.port}, "the kernel's last words", 20)
    return pairs


def beginner(sniffer, port):
    """Who sent the first initiation."""
    return sniffer.udp(port=port, kind=noise.INITIATION)[0].source


def kinds(sniffer, port):
    return [packet.payload[0] for packet in sniffer.udp(port=port)]
