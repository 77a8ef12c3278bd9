"""What the sender of a packet hears when it can't be sent, and what happens to the tunnel when
the network says that a datagram could not be delivered.

    left wg0 10.10.0.1/24, routes to more than its peers have
"""

import errno
import socket

from lib import packets
from lib.process import cpu_seconds
from lib.registry import BOTH, EVERY, behaviour
from lib.sniffer import Sniffer
from lib.traffic import must_ping, must_not_ping, wait_ping

HOST_UNREACHABLE = (3, 1)                       # ICMP type and code
NO_ROUTE, ADDRESS_UNREACHABLE = (1, 0), (1, 3)  # ICMPv6
IP_RECVERR, IPV6_RECVERR = 11, 25               # Python's socket module has no names for them
UNREACHABLE_ERRORS = {errno.EHOSTUNREACH, errno.ENETUNREACH}


def error_of_sending(host, destination):
    """What a UDP socket that asks for errors is told after sending to `destination`."""
    level, option = ((socket.IPPROTO_IPV6, IPV6_RECVERR) if ":" in destination
                     else (socket.IPPROTO_IP, IP_RECVERR))
    with host.udp("::" if ":" in destination else "0.0.0.0") as sock:
        sock.setsockopt(level, option, 1)
        sock.connect((destination, 9))
        sock.send(b"x" * 64)
        sock.settimeout(2)
        try:
            sock.recv(100)
        except OSError as error:
            return error.errno
    return None


def icmp_to(tunnel, sniffer, destination):
    """The answer to a packet that could not be sent to `destination`."""
    return sniffer.wait(lambda p: p.icmp in (HOST_UNREACHABLE, NO_ROUTE, ADDRESS_UNREACHABLE)
                        and packets.parse(p.body[8:]).destination == destination,
                        f"an unreachable message about {destination}")[-1]


# No peer has the destination among its allowed IPs.

@behaviour(unlike_go="sends no ICMP")
def test_P73_no_route_is_answered_with_unreachable(scene):
    tunnel, _ = scene.solo()
    tunnel.route("10.99.0.0/16", "fd99::/16")
    with Sniffer(tunnel.host, "wg0") as inner:
        assert error_of_sending(tunnel.host, "10.99.1.1") == errno.EHOSTUNREACH
        answer = icmp_to(tunnel, inner, "10.99.1.1")
        assert answer.icmp == HOST_UNREACHABLE and answer.destination == tunnel.inside4
        assert error_of_sending(tunnel.host, "fd99::1") in UNREACHABLE_ERRORS
        answer = icmp_to(tunnel, inner, "fd99::1")
        assert answer.destination == tunnel.inside6


# The peer is known, but not where it is.

@behaviour(unlike_go="sends no ICMP")
def test_P73_no_endpoint_is_answered_with_unreachable(scene):
    tunnel, puppet = scene.solo(puppet_endpoint=False)
    with Sniffer(tunnel.host, "wg0") as inner:
        assert error_of_sending(tunnel.host, puppet.inside4) == errno.EHOSTUNREACH
        assert icmp_to(tunnel, inner, puppet.inside4).icmp == HOST_UNREACHABLE
        assert error_of_sending(tunnel.host, puppet.inside6) == errno.EHOSTUNREACH
        assert icmp_to(tunnel, inner, puppet.inside6).icmp == ADDRESS_UNREACHABLE
    puppet.connect()
    assert puppet.pings(tunnel)


# ICMP is no answer to ICMP errors, fragments other than the first, or multicast.

@behaviour
def test_P73_no_icmp_about_icmp_errors_and_multicast(scene):
    tunnel, _ = scene.solo()
    tunnel.route("10.99.0.0/16", "224.0.0.0/4")
    error_about = packets.udp_packet(tunnel.inside4, "10.99.0.1", b"x")
    body = bytes([3, 1, 0, 0, 0, 0, 0, 0]) + error_about
    body = body[:2] + packets.checksum(body).to_bytes(2, "big") + body[4:]
    with Sniffer(tunnel.host, "wg0") as inner, \
            tunnel.host.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as raw:
        raw.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton(tunnel.inside4))
        for packet in (packets.ipv4(tunnel.inside4, "10.99.0.1", packets.ICMP, body),
                       packets.udp_packet(tunnel.inside4, "224.0.0.9", b"x")):
            raw.sendto(packet, (packets.parse(packet).destination, 0))
        if tunnel.implementation.is_ferrule:
            error_of_sending(tunnel.host, "10.99.0.2")
            icmp_to(tunnel, inner, "10.99.0.2")
        about = [packets.parse(p.body[8:]).destination
                 for p in inner.packets(lambda p: p.icmp == HOST_UNREACHABLE
                                        and p.destination == tunnel.inside4)]
    assert not {"10.99.0.1", "224.0.0.9"} & set(about), about


# The peer's host says "port unreachable" while its daemon is away. That ends nothing: when the
# daemon is back, so is the tunnel.

@behaviour(peers=BOTH, deadline_s=40)
def test_P75b_port_unreachable_ends_nothing(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    right.daemon.kill()
    with Sniffer(left.host) as wire:
        must_not_ping(left.host, right.inside4, wait_s=0.3)
        wire.wait(lambda p: p.icmp == (3, 3), "the network says port unreachable")
    scene.restart(right)
    right.peer(left, endpoint="192.0.2.1:51820")
    must_ping(right.host, left.inside4)
    must_ping(left.host, right.inside4)


# The link goes away, and with it all routes; when it is back, packets flow again.

@behaviour(peers=BOTH, deadline_s=40)
def test_P75b_network_unreachable_ends_nothing(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    left.host.run("ip link set eth0 down")
    must_not_ping(left.host, right.inside4, wait_s=0.3)
    left.host.run("ip link set eth0 up")
    left.host.run("ip addr replace 2001:db8::1/64 dev eth0")
    wait_ping(left.host, right.inside4)
    must_ping(right.host, left.inside4)


# A firewall that refuses what is sent (EPERM) costs the packets that it refuses.

@behaviour(peers=BOTH, deadline_s=40)
def test_P75b_a_firewall_in_the_way_ends_nothing(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    left.host.nft("table ip wall { chain c { type filter hook output priority 0;"
                  " udp dport 51820 drop; }; }")
    must_not_ping(left.host, right.inside4, wait_s=0.3)
    left.host.nft("flush ruleset")
    wait_ping(left.host, right.inside4)
    must_ping(right.host, left.inside4)


# No error of a socket makes a daemon spin.

@behaviour(peers=BOTH)
def test_P75b_nothing_spins_without_a_network(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    left.peer(right, keepalive=1)
    left.host.run("ip link del eth0")
    before = cpu_seconds(left.daemon.pid)
    must_not_ping(left.host, right.inside4, wait_s=1.0)
    used = cpu_seconds(left.daemon.pid) - before
    assert used < 0.3, f"{used:.2f} s of CPU in one second without a network"


# A machine without IPv6 has an IPv4 tunnel.

@behaviour(peers=EVERY)
def test_P75a_works_without_ipv6(scene):
    left, right = scene.linked_hosts()
    for host in (left, right):
        host.sysctl(net__ipv6__conf__all__disable_ipv6=1, net__ipv6__conf__default__disable_ipv6=1)
    inside = [("10.10.0.1/24",), ("10.10.0.2/24",)]
    left = scene.tunnel(left, inside[0], scene.subject)
    right = scene.tunnel(right, inside[1], scene.other)
    left.peer(right, endpoint="192.0.2.2:51820")
    right.peer(left, endpoint="192.0.2.1:51820")
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside4)
