"""Peers that move, and hosts with more than one address.

    left                                             right
    192.0.2.1, 2001:db8::1                           192.0.2.2, 2001:db8::2
              ──────────────────────────────────────
    198.51.100.1 and more, where a test says so

A peer is found where its last authentic message came from; answers leave from the address that
message was written to.
"""

from lib import host as hosts
from lib import noise, packets
from lib.registry import BOTH, EVERY, behaviour
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE
from lib.sniffer import Sniffer
from lib.traffic import Flow, must_ping, wait_ping
from lib.wait import eventually


# A peer that comes from another port, address or family is answered there. It says the first word
# from its new place; nobody tells the other side.

@behaviour(peers=EVERY)
def test_P74_peer_roams_to_another_port(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    right.set("listen-port 40000")
    must_ping(right.host, left.inside4)
    assert left.status(right).endpoint == "192.0.2.2:40000"
    must_ping(left.host, right.inside4)


@behaviour(peers=EVERY)
def test_P74_peer_roams_to_another_address(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    right.host.run("ip addr del 192.0.2.2/24 dev eth0")
    right.host.address("eth0", "192.0.2.77/24")
    right.peer(left, endpoint="192.0.2.1:51820")
    must_ping(right.host, left.inside4)
    assert left.status(right).endpoint == "192.0.2.77:51820"
    must_ping(left.host, right.inside4)


@behaviour(peers=EVERY)
def test_P74_peer_roams_to_another_family(scene):
    left, right = scene.pair(outside=4)
    must_ping(left.host, right.inside4)
    right.peer(left, endpoint="[2001:db8::1]:51820")
    must_ping(right.host, left.inside4)
    assert left.status(right).endpoint == "[2001:db8::2]:51820"
    must_ping(left.host, right.inside6)
    right.peer(left, endpoint="192.0.2.1:51820")
    must_ping(right.host, left.inside6)
    assert left.status(right).endpoint == "192.0.2.2:51820"


# What does not authenticate moves nobody: not a forgery, not a replay, not a cookie reply.

@behaviour
def test_P74_only_authentic_messages_move_a_peer(scene):
    tunnel, puppet = scene.solo()
    session = puppet.connect()
    seen = session.message(b"")
    puppet.send(seen)
    handshake = puppet.new_handshake()
    cookie_reply = bytes([noise.COOKIE_REPLY, 0, 0, 0]) + bytes(60)
    with puppet.host.udp(port=6666) as stranger:
        for datagram in (seen, session.message(b"forged", counter=99)[:-1] + b"\0",
                         cookie_reply, handshake.initiation()[:-40] + bytes(40)):
            stranger.sendto(datagram, puppet.to)
    assert puppet.pings(tunnel)
    assert tunnel.status(puppet).endpoint == "192.0.2.2:51820"


# A peer behind a NAT keeps its mapping open with persistent keepalives, so that it can be reached
# whenever the other side has something to say.
#
#     left                     nat                        right
#     10.0.0.2 ────── 10.0.0.1     192.0.2.1 ────────── 192.0.2.2
#
# The mapping lives for 2 s without traffic; keepalives come every second.

@behaviour(peers=EVERY, deadline_s=40)
def test_P55_keepalives_hold_a_nat_mapping_open(scene):
    left, nat, right = (scene.host(name) for name in ("left", "nat", "right"))
    hosts.link(left, nat, "eth0", "inside")
    hosts.link(nat, right, "outside", "eth0")
    left.address("eth0", "10.0.0.2/24")
    nat.address("inside", "10.0.0.1/24")
    nat.address("outside", "192.0.2.1/24")
    right.address("eth0", "192.0.2.2/24")
    left.run("ip route add default via 10.0.0.1")
    nat.nft("""
        table ip nat {
            chain postrouting {
                type nat hook postrouting priority 100
                oifname outside masquerade random
            }
        }""")
    nat.sysctl(net__ipv4__ip_forward=1, net__netfilter__nf_conntrack_udp_timeout=2,
               net__netfilter__nf_conntrack_udp_timeout_stream=2)

    left = scene.tunnel(left, LEFT_INSIDE, scene.subject)
    right = scene.tunnel(right, RIGHT_INSIDE, scene.other)
    right.peer(left)
    left.peer(right, endpoint="192.0.2.2:51820", keepalive=1)

    right.wait_handshake(left)
    endpoint = right.status(left).endpoint
    assert endpoint.startswith("192.0.2.1:"), endpoint
    before = right.status(left).rx_bytes
    eventually(lambda: right.status(left).rx_bytes >= before + 4 * 32, "four keepalives")
    must_ping(right.host, left.inside4)
    assert right.status(left).endpoint == endpoint, "the mapping has changed"

    # The NAT gets a new address, and with it new mappings. Right follows the next keepalive.
    nat.run("ip addr del 192.0.2.1/24 dev outside")
    nat.address("outside", "192.0.2.99/24")
    eventually(lambda: right.status(left).endpoint.startswith("192.0.2.99:"),
               "right sees the new mapping")
    must_ping(right.host, left.inside4)


# Switching persistent keepalives on sends one at once: a handshake starts though nobody has
# anything to say, and so does one after the interface has been down.

@behaviour(peers=EVERY)
def test_P55_keepalive_alone_starts_a_handshake(scene):
    left, right = scene.pair()
    left.peer(right, keepalive=25)
    left.wait_handshake(right, timeout_s=4)
    right.wait_handshake(left, timeout_s=4)


@behaviour(unlike_go="misses the interface going down on newer kernels")
def test_P59a_coming_up_sends_a_keepalive(scene):
    tunnel, puppet = scene.solo()
    tunnel.host.run("ip link set wg0 down")
    eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "the socket is closed")
    tunnel.peer(puppet, keepalive=25)
    assert puppet.receive(0.3) is None, "spoke while down"
    tunnel.host.run("ip link set wg0 up")
    puppet.accept(timeout_s=4)


# A host with several addresses answers from the one that was written to, whatever the routing
# table would choose, for both families.

@behaviour(peers=EVERY)
def test_P75_reply_leaves_from_the_address_written_to(scene):
    left, right = scene.pair()
    left.host.address("eth0", "192.0.2.11/24", "192.0.2.12/24")
    for number in (11, 12):
        left.host.address("eth0", f"2001:db8::{number}/64")
    for address in ("192.0.2.12", "192.0.2.1", "192.0.2.11",
                    "2001:db8::12", "2001:db8::1", "2001:db8::11"):
        endpoint = f"[{address}]:51820" if ":" in address else f"{address}:51820"
        with Sniffer(right.host) as wire:
            right.peer(left, endpoint=endpoint)
            must_ping(right.host, left.inside4)
            must_ping(left.host, right.inside6)
            heard = {p.source for p in wire.udp(port=51820)} - {"192.0.2.2", "2001:db8::2"}
        assert heard == {address}, f"written to {address}, answered from {heard}"


# The answer to a first initiation, too, leaves from where it arrived: from a loopback address that
# is on no link.

@behaviour
def test_P75_response_leaves_from_an_address_on_loopback(scene):
    left, right = scene.linked_hosts()
    left.address("lo", "203.0.113.5/32")
    right.run("ip route add 203.0.113.5 via 192.0.2.1")
    tunnel = scene.tunnel(left, LEFT_INSIDE)
    puppet = scene.puppet(right, tunnel)
    tunnel.peer(puppet)
    puppet.to = ("203.0.113.5", 51820)
    with Sniffer(right) as wire:
        puppet.connect()
        assert puppet.pings(tunnel)
        assert {p.source for p in wire.udp(destination="192.0.2.2")} == {"203.0.113.5"}


# When the address that a peer was answered from leaves the machine, answers leave from another.

@behaviour(peers=EVERY, unlike_go="expects EINVAL where newer kernels say ENETUNREACH")
def test_P75_source_address_removed(scene):
    left, right = scene.pair()
    left.host.run("ip addr del 192.0.2.1/24 dev eth0")
    left.host.address("eth0", "192.0.2.10/24", "192.0.2.11/24")
    right.peer(left, endpoint="192.0.2.11:51820")
    must_ping(right.host, left.inside4)
    assert right.status(left).endpoint == "192.0.2.11:51820"

    left.host.run("ip addr del 192.0.2.11/24 dev eth0")
    must_ping(left.host, right.inside4)
    assert right.status(left).endpoint == "192.0.2.10:51820"


@behaviour(peers=EVERY)
def test_P75_source_address_removed_ipv6(scene):
    left, right = scene.pair(outside=6)
    left.host.address("eth0", "2001:db8::10/64", "2001:db8::11/64")
    right.peer(left, endpoint="[2001:db8::11]:51820")
    must_ping(right.host, left.inside4)
    for address in ("2001:db8::11/64", "2001:db8::1/64"):
        left.host.run(f"ip addr del {address} dev eth0")
    must_ping(left.host, right.inside4)
    assert right.status(left).endpoint == "[2001:db8::10]:51820"


# When the route to the peer moves to another interface, the old source is forgotten.
#
#     left  eth0 192.0.2.1    ──── 192.0.2.2    eth0  right
#           eth1 198.51.100.1 ──── 198.51.100.2 eth1        and 203.0.113.2 on lo

@behaviour(peers=EVERY)
def test_P75_route_moves_to_another_interface(scene):
    left, right = scene.linked_hosts()
    hosts.link(left, right, "eth1", "eth1")
    left.address("eth1", "198.51.100.1/24")
    right.address("eth1", "198.51.100.2/24")
    right.address("lo", "203.0.113.2/32")
    left.run("ip route add 203.0.113.2 via 192.0.2.2")
    left, right = scene.pair(left=left, right=right)
    left.peer(right, endpoint="203.0.113.2:51820")
    right.peer(left, endpoint="192.0.2.1:51820")
    must_ping(left.host, right.inside4)
    assert right.status(left).endpoint == "192.0.2.1:51820"

    left.host.run("ip route replace 203.0.113.2 via 198.51.100.2")
    left.host.run("ip link set eth0 down")
    wait_ping(left.host, right.inside4)
    assert right.status(left).endpoint == "198.51.100.1:51820"


# The way back to a peer may leave by another interface than the one that its messages come in by. The
# answer goes where the routes lead, also when that is no longer the address that was written to.
#
#     left  eth0 192.0.2.1    ──── 192.0.2.254    west0
#           eth1 198.51.100.1 ──── 198.51.100.254 west1  hop  203.0.113.254 ──── 203.0.113.2 right

def two_ways(scene):
    left, hop, right = (scene.host(name) for name in ("left", "hop", "right"))
    hosts.link(left, hop, "eth0", "west0")
    hosts.link(left, hop, "eth1", "west1")
    hosts.link(hop, right, "east", "eth0")
    left.address("eth0", "192.0.2.1/24")
    left.address("eth1", "198.51.100.1/24")
    hop.address("west0", "192.0.2.254/24")
    hop.address("west1", "198.51.100.254/24")
    hop.address("east", "203.0.113.254/24")
    right.address("eth0", "203.0.113.2/24")
    hop.sysctl(net__ipv4__ip_forward=1)
    for host, interfaces in ((left, ("eth0", "eth1")), (hop, ("west0", "west1", "east"))):
        for interface in interfaces:
            host.run(f"sysctl -qw net.ipv4.conf.{interface}.rp_filter=0")
    left.run("ip route add default via 192.0.2.254")
    right.run("ip route add default via 203.0.113.254")
    return scene.pair(left=left, right=right)


@behaviour(peers=BOTH, unlike_go="asks for the peer's hardware address where no route leads to it")
def test_P75_the_way_back_is_another_than_the_way_here(scene):
    left, right = two_ways(scene)
    right.peer(left, endpoint="198.51.100.1:51820")
    wait_ping(right.host, left.inside4, timeout_s=4)
    must_ping(left.host, right.inside4)


# So it is when the route moves while the peer still writes to the old address.

@behaviour(peers=BOTH, unlike_go="goes on sending by the interface that it hears the peer on")
def test_P75_route_moves_while_the_peer_goes_on_talking(scene):
    left, right = two_ways(scene)
    left.peer(right, endpoint="203.0.113.2:51820")
    wait_ping(left.host, right.inside4)
    with Flow(right.host, left.host, left.inside4, interval_s=0.001):
        left.host.run("ip route replace default via 198.51.100.254")
        wait_ping(left.host, right.inside4, timeout_s=4)


# And when the link of the better route loses its carrier, of which no route and no address tells.

@behaviour(peers=BOTH, unlike_go="looks at routes only when one is added or deleted")
def test_P75_a_link_that_loses_its_carrier_is_left(scene):
    left, right = two_ways(scene)
    hop = next(host for host in scene.hosts if host.name == "hop")
    left.host.run("ip route add default via 198.51.100.254 metric 100")
    left.host.sysctl(net__ipv4__conf__eth0__ignore_routes_with_linkdown=1,
                     net__ipv6__conf__eth0__disable_ipv6=1)
    left.peer(right, endpoint="203.0.113.2:51820")
    must_ping(left.host, right.inside4)
    hop.run("ip link set west0 down")
    wait_ping(left.host, right.inside4, timeout_s=4)
    assert right.status(left).endpoint == "198.51.100.1:51820"


# An address on loopback is reached by one link, and answers leave by the other: from that address.
#
#     left  203.0.113.5, 2001:db8:5::5 on lo
#           eth0 192.0.2.1    ──── 192.0.2.2    eth0  right
#           eth1 198.51.100.1 ──── 198.51.100.2 eth1        203.0.113.2, 2001:db8:6::2 on lo
#
# Right hears only what it has asked for, as behind a NAT or a firewall.

ANSWERS_ONLY = """
    table inet filter {
        chain in {
            type filter hook input priority 0
            ct state established,related accept
            udp dport 51820 drop
        }
    }"""


def crossed_ways(scene):
    left, right = scene.linked_hosts()
    hosts.link(left, right, "eth1", "eth1")
    left.address("eth1", "198.51.100.1/24", "2001:db8:1::1/64")
    right.address("eth1", "198.51.100.2/24", "2001:db8:1::2/64")
    right.address("lo", "203.0.113.2/32", "2001:db8:6::2/128")
    for host in (left, right):
        for interface in ("all", "eth0", "eth1"):
            host.run(f"sysctl -qw net.ipv4.conf.{interface}.rp_filter=0")
    left.run("ip route add 203.0.113.2 via 192.0.2.2")
    left.run("ip -6 route add 2001:db8:6::2 via 2001:db8::2")
    right.run("ip route add 203.0.113.0/24 via 198.51.100.1 src 203.0.113.2")
    right.run("ip -6 route add 2001:db8:5::/48 via 2001:db8:1::1 src 2001:db8:6::2")
    right.nft(ANSWERS_ONLY)
    return left, right


def check_answers(scene, left, right, endpoints):
    """Left answers what right asks at each of these, also when a network elsewhere has changed."""
    left, right = scene.tunnel(left, LEFT_INSIDE), scene.tunnel(right, RIGHT_INSIDE)
    left.peer(right)
    for endpoint in endpoints:
        right.peer(left, endpoint=endpoint)
        wait_ping(right.host, left.inside4, timeout_s=4)
        must_ping(left.host, right.inside4)
        left.host.run("ip route add 192.0.2.200 dev lo")
        must_ping(left.host, right.inside4)
        left.host.run("ip route del 192.0.2.200 dev lo")
        must_ping(left.host, right.inside4)
        assert right.status(left).endpoint == endpoint


@behaviour
def test_P75_an_address_on_loopback_answers_by_another_link(scene):
    left, right = crossed_ways(scene)
    left.address("lo", "203.0.113.5/32", "2001:db8:5::5/128")
    check_answers(scene, left, right, ("203.0.113.5:51820", "[2001:db8:5::5]:51820"))


# So does an address of a whole prefix that is local by a route.

@behaviour
def test_P75_an_address_of_a_local_route_answers(scene):
    left, right = crossed_ways(scene)
    left.run("ip route add local 203.0.113.128/25 dev lo")
    left.run("ip -6 route add local 2001:db8:5::/48 dev lo")
    check_answers(scene, left, right, ("203.0.113.200:51820", "[2001:db8:5::77]:51820"))


# A packet filter sends answers back by the way that the question took, whatever the routes say.
#
#     left  eth0 192.0.2.1    ──── 192.0.2.254    west0
#           eth1 198.51.100.1 ──── 198.51.100.254 west1  hop  203.0.113.254 ──── 203.0.113.2 right
#
# hop takes from each way only what has that way's address.

def marked_ways(scene):
    left, right = two_ways(scene)
    hop = next(host for host in scene.hosts if host.name == "hop")
    left.host.nft("""
        table inet marks {
            chain in {
                type filter hook prerouting priority mangle
                iifname eth0 ct state new ct mark set 1
                iifname eth1 ct state new ct mark set 2
            }
            chain out {
                type route hook output priority mangle
                ct mark != 0 meta mark set ct mark
            }
        }""")
    left.host.lines("""
        ip route add default via 192.0.2.254 table 101
        ip route add default via 198.51.100.254 table 102
        ip rule add fwmark 1 table 101
        ip rule add fwmark 2 table 102
    """)
    hop.nft("""
        table ip filter {
            chain forward {
                type filter hook forward priority 0
                iifname west0 ip saddr != 192.0.2.0/24 drop
                iifname west1 ip saddr != 198.51.100.0/24 drop
            }
        }""")
    right.host.nft(ANSWERS_ONLY)
    return left, right


def check_marked_ways(left, right):
    for address in ("198.51.100.1", "192.0.2.1", "198.51.100.1"):
        right.peer(left, endpoint=f"{address}:51820")
        wait_ping(right.host, left.inside4, timeout_s=4)
        must_ping(left.host, right.inside4)
        left.host.run("ip route add 203.0.113.99 dev lo")
        must_ping(left.host, right.inside4)
        left.host.run("ip route del 203.0.113.99 dev lo")
        assert right.status(left).endpoint == f"{address}:51820"


@behaviour(peers=BOTH)
def test_P75_answers_take_the_way_that_a_mark_of_the_connection_says(scene):
    left, right = marked_ways(scene)
    check_marked_ways(left, right)


@behaviour(peers=BOTH)
def test_P75_marks_of_connections_may_be_all_the_routing_there_is(scene):
    left, right = marked_ways(scene)
    left.host.run("ip route del default")
    check_marked_ways(left, right)


# Link-local endpoints keep their interface: set, learned, and told.

@behaviour(peers=EVERY)
def test_P75a_link_local_endpoint_works(scene):
    left, right = scene.pair()
    left.set(f"peer {right.public_key} endpoint [{link_local(right.host)}]:51820")
    must_ping(left.host, right.inside4)
    must_ping(right.host, left.inside6)


@behaviour(unlike_go="does not tell the scope")
def test_P75a_link_local_endpoint_is_told_with_its_scope(scene):
    tunnel, puppet = scene.solo(outside=6)
    tunnel.set(f"peer {puppet.public_key} endpoint [{link_local(puppet.host)}]:51820")
    told = tunnel.status(puppet).endpoint
    assert told == f"[{link_local(puppet.host)}]:51820", told


def link_local(host):
    """The link-local address of its eth0, with the name that eth0 has on the other side, too."""
    line = host.out("ip -6 -br addr show dev eth0 scope link")
    return line.split()[2].split("/")[0] + "%eth0"


# One port serves both families.

@behaviour
def test_P75a_one_port_serves_both_families(scene):
    tunnel, puppet = scene.solo()
    tunnel.set("listen-port 0")
    port = int(tunnel.wg("show", "listen-port"))
    assert port != 0
    sockets = tunnel.host.udp_ports().count(port)
    assert sockets >= 2 and sockets % 2 == 0, "a pair of sockets, one a family, for each lane"
    puppet.to = ("192.0.2.1", port)
    puppet.connect()
    assert puppet.pings(tunnel)


# The allowed IPs, not the outer address, say who may send what: two peers behind one address are
# told apart by their keys.

@behaviour
def test_P74_two_peers_behind_one_address(scene):
    tunnel, first = scene.solo()
    second = scene.puppet(first.host, tunnel, port=51999,
                          addresses=("10.10.0.3/24", "fd10::3/64"))
    tunnel.peer(second)
    first.connect()
    second.connect()
    assert first.pings(tunnel) and second.pings(tunnel)
    assert tunnel.status(first).endpoint == "192.0.2.2:51820"
    assert tunnel.status(second).endpoint == "192.0.2.2:51999"
    first.inject(packets.echo_request(second.inside4, tunnel.inside4))
    assert first.receive_inner(0.3) is None
    assert second.receive_inner(0.3) is None
