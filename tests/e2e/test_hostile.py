"""Bad company: strangers who send anything, and a peer who holds good keys and means ill.

    left wg0 ─── eth0 192.0.2.1 ─────────── 192.0.2.2   puppet: peer, or stranger

A stranger gets silence, whatever it sends. A peer's bad packets are dropped and counted. Nothing
ends the daemon, and the tunnel goes on.
"""

import contextlib
import struct

from lib import noise, packets
from lib.registry import behaviour
from lib.sniffer import Sniffer
from lib.traffic import pattern
from lib.tunnel import new_private_key
from lib.wait import eventually


@contextlib.contextmanager
def silence(tunnel, puppet):
    """Nothing leaves the tunnel's host while strangers speak; at the end the tunnel works."""
    with Sniffer(puppet.host) as wire:
        yield
        wire.quiet_for(0.15, lambda p: p.is_udp)
        answers = wire.udp(source="192.0.2.1")
        assert not answers, f"{len(answers)} answers, first {answers[0].payload[:16].hex()}"
    assert tunnel.daemon.running()
    if puppet.session is None:
        puppet.connect()
    assert puppet.pings(tunnel)


def increased(tunnel, before, what):
    """Some counter has grown; only ferruled tells."""
    if not tunnel.implementation.is_ferrule:
        return
    after = tunnel.daemon.stats()
    grown = {name: count - before.get(name, 0) for name, count in after.items()
             if count != before.get(name, 0)}
    assert grown, f"no counter tells of {what}"


def stats(tunnel):
    return tunnel.daemon.stats() if tunnel.implementation.is_ferrule else {}


# --- strangers ------------------------------------------------------------------------------

# Datagrams of every length, of nothing, of noise, and of every type.

@behaviour
def test_P11_datagrams_of_all_lengths_get_silence(scene):
    tunnel, puppet = scene.solo()
    noise_bytes = pattern(66000)
    with silence(tunnel, puppet), puppet.host.udp() as stranger:
        for length in [*range(0, 300), 1400, 1472, 1473, 9000, 65507]:
            stranger.sendto(bytes(length), puppet.to)
            stranger.sendto(noise_bytes[length:2 * length], puppet.to)
            for kind in (1, 2, 3, 4):
                header = bytes([kind, 0, 0, 0])
                stranger.sendto((header + noise_bytes)[:length], puppet.to)


@behaviour
def test_P11_unknown_types_get_silence(scene):
    tunnel, puppet = scene.solo()
    with silence(tunnel, puppet), puppet.host.udp() as stranger:
        for kind in (0, 5, 6, 127, 128, 255):
            for length in (4, 32, 64, 92, 148):
                stranger.sendto(bytes([kind, 0, 0, 0]) + bytes(length - 4), puppet.to)


# A good initiation with one of its reserved bytes set is no initiation.

@behaviour
def test_P10_reserved_bytes_must_be_zero(scene):
    tunnel, puppet = scene.solo()
    with silence(tunnel, puppet):
        for position in (1, 2, 3):
            message = bytearray(puppet.new_handshake().initiation()[:116])
            message[position] = 1
            puppet.send(noise.with_macs(bytes(message), tunnel.public_key))


@behaviour
def test_P10_reserved_bytes_of_data_must_be_zero(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()
    with Sniffer(tunnel.host, "wg0") as inner:
        for position in (1, 2, 3):
            message = bytearray(session.message(
                packets.udp_packet(puppet.inside4, tunnel.inside4, b"reserved")))
            message[position] = 1
            puppet.send(bytes(message))
        assert puppet.pings(tunnel)
        assert not inner.udp(port=2000)


# An initiation with a good mac1 from a key that nobody knows: whoever knows the public key may
# cost the daemon some work, but gets no answer.

@behaviour
def test_P26_unknown_keys_get_silence(scene):
    tunnel, puppet = scene.solo()
    stranger = scene.puppet(puppet.host, tunnel, port=50000, private_key=new_private_key())
    with silence(tunnel, puppet):
        for _ in range(5):
            stranger.send(stranger.new_handshake().initiation())


@behaviour
def test_P80_a_wrong_mac1_gets_silence(scene):
    tunnel, puppet = scene.solo()
    before = stats(tunnel)
    with silence(tunnel, puppet):
        for position in (116, 131, 4, 8, 40, 115):
            message = bytearray(puppet.new_handshake().initiation())
            message[position] ^= 0x80
            puppet.send(bytes(message))
        puppet.send(noise.with_macs(puppet.new_handshake().initiation()[:116],
                                    new_private_key().public))
    increased(tunnel, before, "a wrong mac1")


# Every byte of an initiation counts: with its mac1 made anew, a change anywhere is found.

@behaviour
def test_P20_a_changed_initiation_gets_silence(scene):
    tunnel, puppet = scene.solo()
    with silence(tunnel, puppet):
        for position in (8, 39, 40, 87, 88, 115):
            message = bytearray(puppet.new_handshake().initiation()[:116])
            message[position] ^= 1
            puppet.send(noise.with_macs(bytes(message), tunnel.public_key))


# Ephemeral keys of low order, for which the shared secret is zero.

@behaviour
def test_P1_low_order_keys_get_silence(scene):
    tunnel, puppet = scene.solo()
    low_order = [0, 1, noise.P - 1, noise.P, noise.P + 1,
                 325606250916557431795983626356110631294008115727848805560023387167927233504,
                 39382357235489614581723060781553021112529911719440698176882885853963445705823]
    with silence(tunnel, puppet):
        for point in low_order:
            message = bytearray(puppet.new_handshake().initiation()[:116])
            message[8:40] = point.to_bytes(32, "little")
            puppet.send(noise.with_macs(bytes(message), tunnel.public_key))


# Someone who listened in repeats a peer's initiation from elsewhere.

@behaviour
def test_P27_a_strangers_replay_gets_silence(scene):
    tunnel, puppet = scene.solo()
    handshake = puppet.new_handshake()
    recorded = handshake.initiation()
    puppet.send(recorded)
    handshake.finish(puppet.receive_kind(noise.RESPONSE))
    puppet.session = noise.Session(handshake)
    puppet.keepalive()
    assert puppet.pings(tunnel)
    before = stats(tunnel)
    with silence(tunnel, puppet), puppet.host.udp() as stranger:
        for _ in range(20):
            stranger.sendto(recorded, puppet.to)
    increased(tunnel, before, "a replayed initiation")
    assert tunnel.status(puppet).endpoint == "192.0.2.2:51820"


# Responses and cookies that nobody asked for; data for sessions that are not.

@behaviour
def test_P30_unasked_responses_get_silence(scene):
    tunnel, puppet = scene.solo()
    before = stats(tunnel)
    with silence(tunnel, puppet):
        for index in (0, 1, 0xFFFFFFFF, 0x12345678):
            response = struct.pack("<III", noise.RESPONSE, 7, index) + pattern(48)
            puppet.send(noise.with_macs(response, tunnel.public_key))
            puppet.send(struct.pack("<II", noise.COOKIE_REPLY, index) + pattern(56))
            puppet.send(struct.pack("<IIQ", noise.TRANSPORT, index, 0) + pattern(64))
    increased(tunnel, before, "an unknown index")


# A forged response does not end a handshake that is on its way.

@behaviour
def test_P30_a_forged_response_cancels_nothing(scene):
    tunnel, puppet = scene.solo()
    tunnel.peer(puppet, keepalive=25)
    initiation = puppet.receive_kind(noise.INITIATION)
    sender, = struct.unpack("<I", initiation[4:8])
    for _ in range(5):
        forged = struct.pack("<III", noise.RESPONSE, 7, sender) + pattern(48)
        puppet.send(noise.with_macs(forged, tunnel.public_key))
    handshake = puppet.new_handshake()
    puppet.send(handshake.accept(initiation))
    puppet.session = noise.Session(handshake)
    assert puppet.receive_kind(noise.TRANSPORT, 2), "the true response was not taken"
    assert puppet.pings(tunnel)


# 5,000 initiations of strangers in a row: no answers but cookies, which are smaller than what
# they answer, and a tunnel that goes on meanwhile.

@behaviour(deadline_s=60)
def test_P85_a_flood_of_initiations_changes_nothing(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    base = scene.puppet(puppet.host, tunnel, port=50001).new_handshake().initiation()[:116]
    with Sniffer(puppet.host) as wire, puppet.host.udp(port=50002) as stranger:
        for number in range(5000):
            message = base[:4] + number.to_bytes(4, "little") + base[8:]
            stranger.sendto(noise.with_macs(message, tunnel.public_key), puppet.to)
            if number % 1000 == 0:
                eventually(lambda: puppet.pings(tunnel, 0.5), "the tunnel goes on")
        wire.quiet_for(0.2, lambda p: p.is_udp)
        answers = wire.udp(source="192.0.2.1", port=50002)
    assert all(len(p.payload) == noise.COOKIE_REPLY_BYTES for p in answers)
    assert len(answers) <= 5000
    assert puppet.pings(tunnel)


# --- a peer who means ill -------------------------------------------------------------------

# Inner packets that lie about themselves: none is delivered, none does harm.

def liars(source, destination, source6, destination6):
    """Inner packets that no honest kernel would send."""
    good4 = packets.udp_packet(source, destination, bytes(60))
    good6 = packets.udp_packet(source6, destination6, bytes(60))
    datagram = good4[20:]
    for length in (1, 2, 3, 4, 5, 8, 19):
        yield good4[:length]
    for length in (1, 6, 39):
        yield good6[:length]
    for total in (0, 1, 19, len(good4) + 17, 1500, 65535):
        yield packets.ipv4(source, destination, packets.UDP, datagram, total_length=total)
    for length in (len(good6), 1500, 65535):
        yield packets.ipv6(source6, destination6, packets.UDP, good6[40:], payload_length=length)
    for version in (0, 1, 5, 6, 15):
        yield packets.ipv4(source, destination, packets.UDP, datagram, version=version)
    for version in (0, 4, 7):
        yield packets.ipv6(source6, destination6, packets.UDP, good6[40:], version=version)
    yield bytes(1)
    yield bytes(1420)
    yield b"\xff" * 1420
    yield pattern(1420)


@behaviour
def test_P72_inner_packets_that_lie_are_not_delivered(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    before = stats(tunnel)
    with Sniffer(tunnel.host, "wg0") as inner:
        for plaintext in liars(puppet.inside4, tunnel.inside4, puppet.inside6, tunnel.inside6):
            for pad in (True, False):
                puppet.inject(plaintext, pad=pad)
        assert puppet.pings(tunnel)
        delivered = [p for p in inner.packets() if p.source in (puppet.inside4, puppet.inside6)]
    assert [p.protocol for p in delivered] == [packets.ICMP], \
        [p.raw[:20].hex() for p in delivered]
    increased(tunnel, before, "lying packets")


# IPv4 headers shorter or longer than the packet can't be trusted either.

@behaviour
def test_P72_wrong_ipv4_header_lengths_do_no_harm(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    datagram = packets.udp_packet(puppet.inside4, tunnel.inside4, bytes(8))[20:]
    for words in range(16):
        puppet.inject(packets.ipv4(puppet.inside4, tunnel.inside4, packets.UDP, datagram,
                                   header_words=words))
        puppet.inject(packets.ipv4(puppet.inside4, tunnel.inside4, packets.UDP, b"",
                                   header_words=words))
    assert tunnel.daemon.running()
    assert puppet.pings(tunnel)


# The receiver trims a packet to what its header says, whatever the padding is.

@behaviour
def test_P70_padding_is_trimmed_by_the_inner_length(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    with tunnel.host.udp(tunnel.inside4, 2000) as socket4, \
            tunnel.host.udp(tunnel.inside6, 2000) as socket6:
        for junk in (0, 1, 15, 16, 300):
            text = bytes([junk & 255]) * 33
            for source, destination, receiver in (
                    (puppet.inside4, tunnel.inside4, socket4),
                    (puppet.inside6, tunnel.inside6, socket6)):
                packet = packets.udp_packet(source, destination, text)
                puppet.inject(packet + b"\xee" * junk, pad=False)
                assert receiver.recv(2000) == text


# Counters at the far end of their range: accepted or refused, and the session goes on being safe.

@behaviour
def test_P44_counters_beyond_the_limit_are_refused(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()
    with Sniffer(tunnel.host, "wg0") as inner:
        for counter in (2**64 - 1, 2**64 - 2**13, 2**64 - 2**13 + 1):
            puppet.send(session.message(
                packets.udp_packet(puppet.inside4, tunnel.inside4, b"beyond"), counter=counter))
        assert puppet.pings(tunnel), "a refused counter moved the window"
        assert not inner.udp(port=2000)


# Data that was changed on its way, at every place, is dropped.

@behaviour
def test_P72_changed_data_is_dropped(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()
    before = stats(tunnel)
    with Sniffer(tunnel.host, "wg0") as inner:
        for position in (4, 8, 15, 16, 40, -17, -16, -1):
            message = bytearray(session.message(
                packets.udp_packet(puppet.inside4, tunnel.inside4, b"changed")))
            message[position] ^= 1
            puppet.send(bytes(message))
        whole = session.message(packets.udp_packet(puppet.inside4, tunnel.inside4, b"short"))
        for length in (16, 31, 32, 33, len(whole) - 1):
            puppet.send(whole[:length])
        assert puppet.pings(tunnel)
        assert not inner.udp(port=2000)
    increased(tunnel, before, "changed data")


# The counters tell of what was dropped.

@behaviour(unlike_go="has no counters")
def test_drops_are_counted(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    assert puppet.pings(tunnel)
    reply = tunnel.uapi("stats=1\n\n")
    assert reply.endswith("errno=0\n\n"), reply
    assert all(line.partition("=")[2].isdigit() for line in reply.splitlines()
               if line and not line.startswith("public_key=")), reply
    for what, datagram in (
            ("a spoofed source", puppet.session.message(
                packets.udp_packet("10.99.0.1", tunnel.inside4, b"x"))),
            ("an unknown index", struct.pack("<IIQ", noise.TRANSPORT, 7, 0) + bytes(16)),
            ("an unknown type", bytes([9, 0, 0, 0]) + bytes(60)),
            ("a wrong length", bytes([1, 0, 0, 0]) + bytes(60))):
        before = tunnel.daemon.stats()
        puppet.send(datagram)
        assert puppet.pings(tunnel)
        increased(tunnel, before, what)


# A large message in one piece, and one in fragments, are messages like others.

@behaviour
def test_P72_the_largest_messages_are_delivered(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    with Sniffer(tunnel.host, "wg0") as inner:
        for size in (1372, 1392, 9000, 16000):
            puppet.inject(packets.udp_packet(puppet.inside4, tunnel.inside4, bytes(size)))
        assert puppet.pings(tunnel)
        assert len(inner.udp(port=2000)) >= 2
    assert tunnel.daemon.running()
