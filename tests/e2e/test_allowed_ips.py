"""Allowed IPs: who may send from which address, and who receives for it.

    left wg0 10.10.0.1 ──┬── puppet 10.10.0.2
                         └── further puppets, where a test says so
"""

import time

from lib import packets
from lib.registry import BOTH, behaviour
from lib.sniffer import Sniffer
from lib.traffic import must_ping, ping
from lib.wait import PATIENCE, eventually


def second_puppet(scene, tunnel, first, allowed):
    puppet = scene.puppet(first.host, tunnel, port=51999, addresses=("10.10.0.3/24", "fd10::3/64"))
    tunnel.peer(puppet, allowed=allowed, endpoint="192.0.2.2:51999")
    puppet.connect()
    return puppet


def to(tunnel, destination):
    """Sends a small UDP datagram from the tunnel's host."""
    with tunnel.host.udp("::" if ":" in destination else "0.0.0.0") as sock:
        sock.sendto(b"x", (destination, 2000))


def inner_destination(puppet, timeout_s=2):
    inner = puppet.receive_inner(timeout_s)
    return packets.parse(inner).destination if inner else None


# An authenticated peer that sends from an address that is not its own is not delivered.

@behaviour
def test_P72_spoofed_inner_source_is_dropped(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    with Sniffer(tunnel.host, "wg0") as inner:
        for source in ("10.10.0.1", "10.10.0.3", "10.99.0.2", "127.0.0.1", "0.0.0.0"):
            puppet.inject(packets.udp_packet(source, tunnel.inside4, b"spoofed"))
        for source in ("fd10::1", "fd10::3", "::1", "::"):
            puppet.inject(packets.udp_packet(source, tunnel.inside6, b"spoofed"))
        puppet.inject(packets.udp_packet(puppet.inside6, tunnel.inside6, b"honest"))
        inner.wait(lambda p: p.source == puppet.inside6, "the honest packet arrives")
        sources = {p.source for p in inner.udp(port=2000)}
    assert sources == {puppet.inside6}, sources
    assert puppet.pings(tunnel)


# An address belongs to the peer with the longest prefix, both ways: another peer's wider prefix
# neither receives for it nor may send from it.

@behaviour
def test_P90_more_specific_prefix_of_another_peer_wins(scene):
    tunnel, wide = scene.solo(allowed=["10.0.0.0/8", "fd00::/8", "10.10.0.2/32", "fd10::2/128"])
    narrow = second_puppet(scene, tunnel, wide, ["10.77.0.0/16", "fd77::/16"])
    wide.connect()
    tunnel.route("10.0.0.0/8", "fd00::/8")

    for destination, receiver in (("10.77.1.1", narrow), ("10.78.1.1", wide),
                                  ("fd77::1", narrow), ("fd78::1", wide)):
        to(tunnel, destination)
        assert inner_destination(receiver) == destination

    with Sniffer(tunnel.host, "wg0") as inner:
        wide.inject(packets.udp_packet("10.77.1.1", tunnel.inside4, b"spoofed"))
        wide.inject(packets.udp_packet("fd77::1", tunnel.inside6, b"spoofed"))
        wide.inject(packets.udp_packet("10.78.1.1", tunnel.inside4, b"honest"))
        inner.wait(lambda p: p.source == "10.78.1.1", "the honest packet arrives")
        assert {p.source for p in inner.udp(port=2000)} == {"10.78.1.1"}


# A prefix belongs to one peer: whoever is given it last has it, and it goes with its peer.

@behaviour
def test_P90_a_prefix_moves_to_who_claims_it_last(scene):
    tunnel, first = scene.solo(allowed=["10.10.0.2/32", "10.50.0.0/24"])
    first.connect()
    tunnel.route("10.50.0.0/24")
    to(tunnel, "10.50.0.9")
    assert inner_destination(first) == "10.50.0.9"

    second = second_puppet(scene, tunnel, first, ["10.50.0.0/24"])
    to(tunnel, "10.50.0.9")
    assert inner_destination(second) == "10.50.0.9"
    assert tunnel.status(first).allowed_ips == "10.10.0.2/32"
    assert tunnel.status(second).allowed_ips == "10.50.0.0/24"


@behaviour
def test_P91_prefixes_go_with_their_peer(scene):
    tunnel, first = scene.solo(allowed=["10.0.0.0/8", "10.10.0.2/32"])
    first.connect()
    second = second_puppet(scene, tunnel, first, ["10.50.0.0/24"])
    tunnel.route("10.50.0.0/24")
    tunnel.remove(second)
    to(tunnel, "10.50.0.9")
    assert inner_destination(first) == "10.50.0.9", "the wider prefix has it now"
    assert second.receive(0.2) is None


@behaviour
def test_P91_default_routes_are_ordinary_prefixes(scene):
    tunnel, puppet = scene.solo(allowed=["0.0.0.0/0", "::/0"])
    puppet.connect()
    tunnel.route("198.18.0.0/15", "2001:db8:ffff::/48")
    for destination in ("198.18.3.4", "2001:db8:ffff::9"):
        to(tunnel, destination)
        assert inner_destination(puppet) == destination
    second = second_puppet(scene, tunnel, puppet, ["198.18.0.0/16"])
    to(tunnel, "198.18.3.4")
    assert inner_destination(second) == "198.18.3.4"
    to(tunnel, "198.19.3.4")
    assert inner_destination(puppet) == "198.19.3.4"


@behaviour
def test_P90_host_bits_are_masked_off(scene):
    tunnel, puppet = scene.solo(allowed=["10.10.0.2/32"])
    tunnel.uapi("set=1\npublic_key=%s\nallowed_ip=10.44.55.66/16\nallowed_ip=fd44::99/16\n\n"
                % puppet.public_key.hex())
    assert set(tunnel.status(puppet).allowed_ips.split(",")) == {
        "10.10.0.2/32", "10.44.0.0/16", "fd44::/16"}


# Multicast and broadcast are no special case: they go to the peer that has their prefix.

@behaviour
def test_P76c_multicast_follows_allowed_ips(scene):
    tunnel, puppet = scene.solo(allowed=["10.10.0.2/32", "224.0.0.0/4", "ff02::/16"])
    puppet.connect()
    tunnel.route("224.0.0.0/4")
    to(tunnel, "224.0.0.251")
    while (destination := inner_destination(puppet)) and destination != "224.0.0.251":
        pass                                    # the kernel's own multicast may come first
    assert destination == "224.0.0.251"


# 130,000 prefixes on one peer: configured in seconds, told back whole, and looked up right.

@behaviour(peers=BOTH, deadline_s=60)
def test_P90_130000_allowed_ips_on_one_peer(scene):
    left, right = scene.pair()
    prefixes = [f"100.{64 + (i >> 16)}.{i >> 8 & 255}.{i & 255}/32" for i in range(65000)]
    prefixes += [f"fd{i >> 8:02x}:{i & 255:x}::/32" for i in range(1, 65001)]
    config = (f"[Interface]\nListenPort = {left.port}\nPrivateKey = {left.private_key}\n"
              f"[Peer]\nPublicKey = {right.public_key}\nEndpoint = 192.0.2.2:51820\n"
              + "AllowedIPs = 10.10.0.2/32, fd10::2/128\n"
              + "".join(f"AllowedIPs = {','.join(prefixes[i:i + 1000])}\n"
                        for i in range(0, len(prefixes), 1000)))
    started = time.monotonic()
    left.wg("setconf", "/dev/stdin", input=config)
    seconds = time.monotonic() - started
    scene.note(f"set in {seconds:.1f} s")
    assert seconds < 8 * PATIENCE, f"{seconds:.1f} s for 130,000 allowed IPs"

    listed = left.wg("show", "allowed-ips").split("\t")[1].split()
    assert len(listed) == len(prefixes) + 2
    must_ping(left.host, right.inside4)
    right.host.address("lo", "100.64.200.200/32", "fd50:20::1/128")
    left.route("100.64.0.0/10", "fd50:20::/32")
    right.peer(left, endpoint="192.0.2.1:51820")
    assert ping(left.host, "100.64.200.200")
    assert ping(left.host, "fd50:20::1")
    eventually(lambda: not ping(left.host, "100.127.255.255", wait_s=0.2), "no such prefix")


# One prefix can be taken away from its peer, with a minus sign; others stay.

@behaviour(unlike_go="Debian's version does not know the minus sign")
def test_P101_a_minus_sign_removes_one_prefix(scene):
    tunnel, puppet = scene.solo(allowed=["10.0.0.0/8", "10.10.0.2/32", "fd10::/16"])
    key = puppet.public_key.hex()
    reply = tunnel.uapi(f"set=1\npublic_key={key}\nallowed_ip=-10.0.0.0/8\n\n")
    assert reply == "errno=0\n\n", reply
    assert set(tunnel.status(puppet).allowed_ips.split(",")) == {"10.10.0.2/32", "fd10::/16"}
    reply = tunnel.uapi(f"set=1\npublic_key={key}\nallowed_ip=-192.168.0.0/16\n\n")
    assert reply == "errno=0\n\n", f"taking away what is not there: {reply}"
    puppet.connect()
    assert puppet.pings(tunnel)


@behaviour(unlike_go="Debian's version does not know the minus sign")
def test_P101_a_minus_sign_takes_nothing_from_another_peer(scene):
    tunnel, first = scene.solo(allowed=["10.50.0.0/24"])
    second = second_puppet(scene, tunnel, first, ["10.60.0.0/24"])
    reply = tunnel.uapi(
        f"set=1\npublic_key={second.public_key.hex()}\nallowed_ip=-10.50.0.0/24\n\n")
    assert reply == "errno=0\n\n", reply
    assert tunnel.status(first).allowed_ips == "10.50.0.0/24"
