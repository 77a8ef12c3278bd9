"""What an observer of the network sees: headers of the outer packets, and what they give away.

    inner packet:  [ DSCP | ECN ]  ── ECN only ──►  outer packet:  [ 0 | ECN ]
"""

import socket
import time

from lib import noise, packets
from lib.packets import CE, ECT0, ECT1, NOT_ECT
from lib.process import cpu_seconds
from lib.registry import BOTH, behaviour
from lib.sniffer import Sniffer, compute_checksums_in_software
from lib.traffic import must_not_ping, must_ping, wait_ping
from lib.wait import eventually

HANDSHAKE_TOS = 0x88
DSCP_EF = 46 << 2


def outer_of_family(family):
    return ("192.0.2.1", "192.0.2.2") if family == 4 else ("2001:db8::1", "2001:db8::2")


def observe(scene, family, size=100):
    """All outer packets of a handshake and a ping, with checksums that can be verified."""
    left, right = scene.pair(outside=family)
    compute_checksums_in_software(left.host)
    compute_checksums_in_software(right.host)
    with Sniffer(left.host) as wire:
        must_ping(left.host, right.inside4, size=size)
        must_ping(right.host, left.inside6, size=size)
        wire.wait_udp(kind=noise.TRANSPORT, count=4, port=51820)
        sent = wire.udp(source=outer_of_family(family)[0], port=51820)
    return sent, [p for p in sent if p.payload[0] == noise.INITIATION], \
        [p for p in sent if p.payload[0] == noise.TRANSPORT]


# Handshake messages are marked AF41; data is not marked at all.

@behaviour(peers=BOTH, unlike_go="does not mark handshakes")
def test_P32_handshakes_are_marked_and_data_is_not(scene):
    _, initiations, data = observe(scene, 4)
    assert {p.tos for p in initiations} == {HANDSHAKE_TOS}
    assert {p.dscp for p in data} == {0}


@behaviour(peers=BOTH, unlike_go="does not mark handshakes")
def test_P32_handshakes_are_marked_over_ipv6(scene):
    _, initiations, data = observe(scene, 6)
    assert {p.tos for p in initiations} == {HANDSHAKE_TOS}
    assert {p.dscp for p in data} == {0}


@behaviour(unlike_go="does not mark handshakes")
def test_P32_responses_are_marked(scene):
    tunnel, puppet = scene.solo()
    with Sniffer(puppet.host) as wire:
        puppet.connect()
        response, = wire.udp(source="192.0.2.1", kind=noise.RESPONSE)
    assert response.tos == HANDSHAKE_TOS


# Outer packets have UDP checksums, the system's TTL, and no flow label; IPv4 ones may be
# fragmented on their way.

@behaviour(peers=BOTH)
def test_P76a_udp_checksums_are_on(scene):
    sent, _, _ = observe(scene, 4)
    assert all(p.udp_checksum_is_right for p in sent)
    assert {p.ttl for p in sent} == {64}


@behaviour(peers=BOTH)
def test_P76a_udp_checksums_are_on_over_ipv6(scene):
    sent, _, _ = observe(scene, 6)
    assert all(p.udp_checksum_is_right for p in sent)
    assert {p.ttl for p in sent} == {64}


@behaviour(peers=BOTH, unlike_go="sets DF")
def test_P76a_outer_packets_may_be_fragmented(scene):
    sent, _, _ = observe(scene, 4, size=1392)
    assert not any(p.dont_fragment for p in sent)


@behaviour(peers=BOTH, unlike_go="leaves the flow label to the kernel, which hashes")
def test_P76a_the_flow_label_is_zero(scene):
    sent, _, _ = observe(scene, 6)
    assert {p.flow_label for p in sent} == {0}


# The inner packet's ECN bits show outside; its DSCP does not.

def send_marked(tunnel, puppet, tos, family):
    destination = puppet.inside4 if family == 4 else puppet.inside6
    with tunnel.host.udp("0.0.0.0" if family == 4 else "::") as sock:
        if family == 4:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
        else:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, tos)
        sock.sendto(b"x" * 40, (destination, 2000))
    inner = puppet.receive_inner()
    assert packets.parse(inner).tos == tos, "the inner packet was changed"


@behaviour(unlike_go="does not copy ECN")
def test_P76_ecn_is_copied_out_and_dscp_is_not(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    for family in (4, 6):
        for ecn in (NOT_ECT, ECT0, ECT1, CE):
            with Sniffer(puppet.host) as wire:
                send_marked(tunnel, puppet, DSCP_EF | ecn, family)
                outer = wire.wait_udp(source="192.0.2.1", kind=noise.TRANSPORT)[-1]
            assert outer.ecn == ecn, f"inner {ecn} shows as {outer.ecn} outside"
            assert outer.dscp == 0, "DSCP leaks"


@behaviour(unlike_go="does not copy ECN")
def test_P76_ecn_is_copied_out_over_ipv6(scene):
    tunnel, puppet = scene.solo(outside=6)
    puppet.connect()
    for ecn in (NOT_ECT, ECT0, CE):
        with Sniffer(puppet.host) as wire:
            send_marked(tunnel, puppet, DSCP_EF | ecn, 4)
            outer = wire.wait_udp(source="2001:db8::1", kind=noise.TRANSPORT)[-1]
        assert (outer.ecn, outer.dscp) == (ecn, 0)


# A congestion mark that the outer packet collected on its way reaches the inner one, if that can
# bear it. No packet is dropped for its marks.

def delivered_ecn(tunnel, puppet, inner_ecn, outer_ecn, family, outside):
    """Sends inner and outer ECN bits, and returns the inner ones as they were delivered."""
    level, option = ((socket.IPPROTO_IP, socket.IP_TOS) if outside == 4
                     else (socket.IPPROTO_IPV6, socket.IPV6_TCLASS))
    puppet.socket.setsockopt(level, option, outer_ecn)
    source, destination = ((puppet.inside4, tunnel.inside4) if family == 4
                           else (puppet.inside6, tunnel.inside6))
    with Sniffer(tunnel.host, "wg0") as inner, tunnel.host.udp(destination, 2000) as receiver:
        puppet.inject(packets.udp_packet(source, destination, b"marked", tos=DSCP_EF | inner_ecn))
        assert receiver.recv(100) == b"marked"          # the kernel found the checksum right
        packet = inner.wait_udp(source=source, port=2000)[-1]
    assert packet.tos & ~3 == DSCP_EF, "the inner DSCP was changed"
    return packet.ecn


def check_copying_in(scene, outside):
    tunnel, puppet = scene.solo(outside=outside)
    puppet.connect()
    for family in (4, 6):
        for inner, outer, expected in (
                (NOT_ECT, NOT_ECT, NOT_ECT), (ECT0, NOT_ECT, ECT0), (ECT1, NOT_ECT, ECT1),
                (CE, NOT_ECT, CE), (ECT0, ECT0, ECT0), (ECT0, CE, CE), (ECT1, CE, CE),
                (CE, CE, CE), (CE, ECT0, CE)):
            got = delivered_ecn(tunnel, puppet, inner, outer, family, outside)
            assert got == expected, f"IPv{family}: inner {inner}, outer {outer}: delivered {got}"


@behaviour(unlike_go="does not copy ECN")
def test_P76_congestion_marks_are_copied_in(scene):
    check_copying_in(scene, 4)


@behaviour(unlike_go="does not copy ECN")
def test_P76_congestion_marks_are_copied_in_over_ipv6(scene):
    check_copying_in(scene, 6)


@behaviour
def test_P76b_nothing_is_dropped_for_its_marks(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    for outer in (NOT_ECT, ECT1, ECT0, CE):
        assert delivered_ecn(tunnel, puppet, NOT_ECT, outer, 4, 4) == NOT_ECT


# The fwmark is on every packet, and a change of it counts at once.

@behaviour
def test_P75_outer_packets_carry_the_fwmark(scene):
    tunnel, puppet = scene.solo()
    tunnel.host.nft("""
        table inet marks {
            counter plain {}
            counter marked {}
            chain out {
                type filter hook output priority 0
                udp sport 51820 meta mark 0x51 counter name marked
                udp sport 51820 meta mark 0 counter name plain
            }
        }""")
    puppet.connect()
    tunnel.set("fwmark 0x51")
    assert puppet.pings(tunnel)
    counter = tunnel.host.out("nft list counter inet marks marked")
    assert "packets 1 " in counter, counter
    assert tunnel.wg("show", "fwmark") == "0x51"
    tunnel.set("fwmark off")
    assert puppet.pings(tunnel)
    assert "packets 1 " in tunnel.host.out("nft list counter inet marks marked")
    assert tunnel.wg("show", "fwmark") == "off"


# With the mark, a default route through the tunnel does not swallow the tunnel's own packets.
#
#     left 192.0.2.1 ── 192.0.2.2 right, 203.0.113.9 behind it

@behaviour(peers=BOTH)
def test_P75_fwmark_keeps_a_default_route_out_of_itself(scene):
    left, right = scene.pair()
    right.host.address("lo", "203.0.113.9/32", "2001:db8:99::9/128")
    left.host.run("ip route add default via 192.0.2.2")
    left.peer(right, allowed=["0.0.0.0/0", "::/0"])
    left.set("fwmark 51820")
    left.host.lines("""
        ip route add default dev wg0 table 51820
        ip rule add not fwmark 51820 table 51820
        ip rule add table main suppress_prefixlength 0
        ip -6 route add default dev wg0 table 51820
        ip -6 rule add not fwmark 51820 table 51820
    """)
    left.peer(right, endpoint="203.0.113.9:51820")
    with Sniffer(right.host, "wg0") as inner:
        must_ping(left.host, "203.0.113.9")
        must_ping(left.host, "2001:db8:99::9")
        assert inner.packets(lambda p: p.destination == "203.0.113.9")
    eventually(lambda: right.status(left).endpoint == "192.0.2.1:51820", "the endpoint is outside")


# What the machine itself refuses to send (a packet filter, a route that is missing) is not counted as sent, and
# the log says so once, with the reason, and once when it is over.

def lines_about_sending(tunnel):
    return [line for line in tunnel.daemon.log().splitlines() if ": send to " in line]


def check_refusals(tunnel, puppet, begin, end, reason):
    must_ping_puppet(tunnel, puppet)
    begin()
    before = tunnel.status(puppet).tx_bytes
    tunnel.host.run(f"ping -q -c 5 -i 0.05 -W 0.1 {puppet.inside4}", check=False)
    assert tunnel.status(puppet).tx_bytes == before, "what was refused counts as sent"
    eventually(lambda: len(lines_about_sending(tunnel)) == 1, "the log says that it is refused")
    assert lines_about_sending(tunnel)[0].endswith(reason), lines_about_sending(tunnel)
    end()
    must_ping_puppet(tunnel, puppet)
    must_ping_puppet(tunnel, puppet)
    eventually(lambda: len(lines_about_sending(tunnel)) == 2, "the log says that it is over")
    assert lines_about_sending(tunnel)[1].endswith("works again"), lines_about_sending(tunnel)
    assert tunnel.status(puppet).tx_bytes > before


def must_ping_puppet(tunnel, puppet):
    eventually(lambda: puppet.pings(tunnel), "packets come through")


@behaviour(unlike_go="counts what was refused")
def test_P78_a_packet_filter_that_refuses_is_told_of(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    check_refusals(
        tunnel, puppet, reason="send to 192.0.2.2:51820: Operation not permitted",
        begin=lambda: tunnel.host.nft("""
            table inet refusing {
                chain out {
                    type filter hook output priority 0
                    udp sport 51820 drop
                }
            }"""),
        end=lambda: tunnel.host.run("nft delete table inet refusing"))


@behaviour(unlike_go="counts what was refused")
def test_P78_a_route_that_is_missing_is_told_of(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    check_refusals(
        tunnel, puppet, reason="send to 192.0.2.2:51820: Network is unreachable",
        begin=lambda: tunnel.host.run("ip route del 192.0.2.0/24"),
        end=lambda: tunnel.host.run("ip route add 192.0.2.0/24 dev eth0"))


# The route to a peer's endpoint leads into the tunnel: what comes back is dropped, instead of being sent again
# and again. Once the route leads elsewhere, everything goes on.

def check_loop(scene, outside):
    tunnel, puppet = scene.solo(outside=outside, allowed=["0.0.0.0/0", "::/0"])
    puppet.connect()
    must_ping_puppet(tunnel, puppet)
    endpoint = "192.0.2.2" if outside == 4 else "2001:db8::2"
    tunnel.host.run(f"ip route add {endpoint} dev wg0")
    before, cpu = tunnel.daemon.stats(), cpu_seconds(tunnel.daemon.pid)
    tunnel.host.run(f"ping -q -c 5 -i 0.2 -W 0.1 {puppet.inside4}", check=False)
    tunnel.host.run(f"ping -q -c 1 -W 0.1 -s 1380 {puppet.inside4}", check=False)
    after = tunnel.daemon.stats()
    lanes = [name for name in after if name.endswith("_sent_packets")]
    sent = sum(after[name] - before[name] for name in lanes)
    assert sent <= 10, f"six packets became {sent}"
    assert cpu_seconds(tunnel.daemon.pid) - cpu < 0.5
    assert after["drop_endpoint_loop"] - before["drop_endpoint_loop"] >= 5
    assert len(lines_about_sending(tunnel)) == 1, lines_about_sending(tunnel)
    assert "leads into the tunnel" in lines_about_sending(tunnel)[0]
    tunnel.host.run(f"ip route del {endpoint} dev wg0")
    must_ping_puppet(tunnel, puppet)


@behaviour(unlike_go="sends its own packets again and again")
def test_P73_a_routing_loop_is_cut(scene):
    check_loop(scene, 4)


@behaviour(unlike_go="sends its own packets again and again")
def test_P73_a_routing_loop_is_cut_over_ipv6(scene):
    check_loop(scene, 6)


# Each of two peers is reached through the other, as routes and allowed IPs have it.
#
#     left ── 192.0.2.2 one ── 192.0.2.3 another, whose messages go through one, and the other way around

@behaviour(unlike_go="sends its own packets again and again")
def test_P73_a_circle_through_two_peers_is_cut(scene):
    tunnel, one = scene.solo(allowed=["10.10.0.2/32", "192.0.2.3/32"])
    one.host.run("ip addr add 192.0.2.3/24 dev eth0")
    another = scene.puppet(one.host, tunnel, addresses=["10.10.0.3/24"], bind="192.0.2.3", port=51821)
    tunnel.peer(another, endpoint="192.0.2.3:51821", allowed=["10.10.0.3/32", "192.0.2.2/32"])
    for puppet in (one, another):
        puppet.connect()
        must_ping_puppet(tunnel, puppet)
    tunnel.host.lines("""
        ip route add 192.0.2.2 dev wg0
        ip route add 192.0.2.3 dev wg0
    """)
    before, cpu = tunnel.daemon.stats(), cpu_seconds(tunnel.daemon.pid)
    for puppet in (one, another):
        tunnel.host.run(f"ping -q -c 3 -i 0.2 -W 0.1 {puppet.inside4}", check=False)
        tunnel.host.run(f"ping -q -c 1 -W 0.1 -s 1380 {puppet.inside4}", check=False)
    after = tunnel.daemon.stats()
    lanes = [name for name in after if name.endswith("_sent_packets")]
    sent = sum(after[name] - before[name] for name in lanes)
    assert sent <= 40, f"eight packets became {sent}"
    assert cpu_seconds(tunnel.daemon.pid) - cpu < 0.5
    assert after["drop_endpoint_loop"] - before["drop_endpoint_loop"] >= 8
    told = lines_about_sending(tunnel)
    assert 1 <= len(told) <= 2 and all("leads into the tunnel" in line for line in told), told
    # That one is reached through the other is no loop: one that the other passes on gets it.
    tunnel.host.run("ip route del 192.0.2.2 dev wg0")
    time.sleep(1)
    tunnel.host.run(f"ping -q -c 1 -W 0.1 {another.inside4}", check=False)
    inner = packets.parse(one.receive_inner())
    assert inner.destination == "192.0.2.3", inner
    tunnel.host.run("ip route del 192.0.2.3 dev wg0")
    must_ping_puppet(tunnel, another)


# Before there is a session, it is the handshake that goes in a circle.

@behaviour(unlike_go="stages its own handshake messages")
def test_P73_a_handshake_does_not_go_in_a_circle(scene):
    left, right = scene.pair()
    left.peer(right, allowed=["0.0.0.0/0", "::/0"])
    left.host.run("ip route add 192.0.2.2 dev wg0")
    must_not_ping(left.host, right.inside4)
    assert left.daemon.stats()["drop_endpoint_loop"] >= 1
    left.host.run("ip route del 192.0.2.2 dev wg0")
    wait_ping(left.host, right.inside4)


# A tunnel in the tunnel, with the same port at both ends, is none.
#
#     left  10.20.0.1 wg1 ─ 10.10.0.1 wg0 ─ 192.0.2.1  ══  192.0.2.2 ─ wg0 10.10.0.2 ─ wg1 10.20.0.2  right

@behaviour(peers=BOTH)
def test_P73_a_tunnel_in_the_tunnel_is_no_loop(scene):
    left, right = scene.pair()
    inner_left = scene.tunnel(left.host, ("10.20.0.1/24",), name="wg1", port=51821)
    inner_right = scene.tunnel(right.host, ("10.20.0.2/24",), scene.other, name="wg1", port=51821)
    for tunnel in (inner_left, inner_right):
        tunnel.mtu(1280)
    inner_left.peer(inner_right, endpoint="10.10.0.2:51821")
    inner_right.peer(inner_left)
    must_ping(left.host, inner_right.inside4)
    must_ping(right.host, inner_left.inside4, size=1200)
