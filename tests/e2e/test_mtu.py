"""MTUs: of the path, of the interface, and of an interface that has moved.

    left wg0 1420 ── eth0 1500 ───────── eth0 1500 ── wg0 1420 right
"""

from lib import host as hosts
from lib import packets
from lib.registry import BOTH, EVERY, behaviour
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE
from lib.traffic import must_ping, tcp_transfer, wait_ping
from lib.wait import eventually


# A path that is narrower than the tunnel assumes carries full TCP flow all the same: outer packets
# are fragmented, not lost. The narrow part is the hosts' own link.

@behaviour(peers=EVERY)
def test_P76a_underlay_of_1280_bytes_carries_tcp(scene):
    left, right = scene.pair(mtu=1280)
    tcp_transfer(left.host, right.host, right.inside4, size=2 << 20)
    tcp_transfer(right.host, left.host, left.inside6, size=2 << 20)
    must_ping(left.host, right.inside4, size=1392)


# Here it is a hop in the middle that nobody hears of, because it sends no ICMP.
#
#     left 192.0.2.1 ── 192.0.2.254 hop 198.51.100.254 ── 198.51.100.2 right
#               1500                              1280

@behaviour(peers=BOTH, unlike_go="sets DF")
def test_P76a_a_narrow_hop_without_icmp_is_no_black_hole(scene):
    left, hop, right = (scene.host(name) for name in ("left", "hop", "right"))
    hosts.link(left, hop, "eth0", "west")
    hosts.link(hop, right, "east", "eth0", mtu=1280)
    left.address("eth0", "192.0.2.1/24")
    hop.address("west", "192.0.2.254/24")
    hop.address("east", "198.51.100.254/24")
    right.address("eth0", "198.51.100.2/24")
    left.run("ip route add default via 192.0.2.254")
    right.run("ip route add default via 198.51.100.254")
    hop.sysctl(net__ipv4__ip_forward=1)
    hop.nft("""
        table ip quiet {
            chain output { type filter hook output priority 0; meta l4proto icmp drop; }
        }""")

    left = scene.tunnel(left, LEFT_INSIDE, scene.subject)
    right = scene.tunnel(right, RIGHT_INSIDE, scene.other)
    left.peer(right, endpoint="198.51.100.2:51820")
    right.peer(left)
    must_ping(left.host, right.inside4)
    must_ping(left.host, right.inside4, size=1392)
    tcp_transfer(left.host, right.host, right.inside4, size=1 << 20)


# Padding never goes beyond the interface's MTU, so it shows which MTU the daemon has in mind: a
# packet as large as an MTU that is no multiple of 16 gets no padding at all.

def padded_size(tunnel, puppet, size):
    """Sends an inner packet of `size` bytes and returns its size with padding."""
    with tunnel.host.udp() as sock:
        sock.sendto(bytes(size - 28), (puppet.inside4, 2000))
    inner = puppet.receive_inner()
    assert inner and packets.parse(inner).destination == puppet.inside4
    return len(inner)


def follows_mtu(tunnel, puppet, mtu):
    tunnel.mtu(mtu)
    eventually(lambda: padded_size(tunnel, puppet, mtu) == mtu, f"MTU {mtu} is followed")


@behaviour
def test_P70_padding_is_to_16_but_not_beyond_the_mtu(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    for size in (28, 29, 32, 33, 100, 1400, 1408):
        assert padded_size(tunnel, puppet, size) == (size + 15) // 16 * 16
    for size in (1409, 1419, 1420):
        assert padded_size(tunnel, puppet, size) == 1420


@behaviour
def test_P75c_mtu_changes_are_followed(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    for mtu in (1305, 1411, 577):
        follows_mtu(tunnel, puppet, mtu)


# The largest MTU is the largest packet: it leaves in fragments, and arrives.

@behaviour(peers=BOTH)
def test_P75c_small_and_large_mtus_work(scene):
    left, right = scene.pair()
    for mtu in (576, 9000, 65000):
        left.mtu(mtu)
        right.mtu(mtu)
        wait_ping(left.host, right.inside4, size=min(mtu - 28, 16000))
        wait_ping(right.host, left.inside4, size=540)
    for tunnel in (left, right):
        tunnel.mtu(1280)
        tunnel.host.run(f"ip addr replace {tunnel.inside6}/64 dev wg0")     # lost at MTU 576
    wait_ping(left.host, right.inside6, size=1232)


@behaviour
def test_P75c_extreme_mtus_do_no_harm(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    for mtu in (68, 65535, 1420):
        tunnel.host.run(f"ip link set wg0 mtu {mtu}", check=False)
        tunnel.host.run(f"ping -c 1 -W 0.1 -s {min(mtu, 1420) - 28} {puppet.inside4}", check=False)
        assert tunnel.daemon.running()
    puppet.drain()
    assert puppet.pings(tunnel)


# An interface may move to another network namespace. Its sockets stay where the daemon was
# started; this is how containers get an interface and nothing else.
#
#     inside                      left                         right
#     wg0  ═══ daemon, sockets ═══ eth0 192.0.2.1 ──────────── 192.0.2.2

def move(tunnel, host):
    """Moves the interface to `host`, where it needs its addresses again."""
    tunnel.host.run(f"ip link set wg0 netns {host.pid}")
    host.address("wg0", *tunnel.addresses)
    host.run("ip link set wg0 up")


@behaviour(peers=BOTH)
def test_P75c_interface_moves_to_another_namespace(scene):
    left, right = scene.pair()
    must_ping(left.host, right.inside4)
    inside = scene.host("inside")
    move(left, inside)
    wait_ping(inside, right.inside4)
    must_ping(right.host, left.inside6)
    tcp_transfer(right.host, inside, left.inside4, size=1 << 20)
    assert left.status(right).endpoint == "192.0.2.2:51820"
    wait_ping(right.host, left.inside4)


@behaviour(unlike_go="asks the namespace it was started in")
def test_P75c_mtu_is_followed_in_another_namespace(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    inside = scene.host("inside")
    move(tunnel, inside)
    daemon_host, tunnel.host = tunnel.host, inside
    eventually(lambda: puppet_connects(puppet), "a session with the moved interface")
    for mtu in (1305, 1411):
        follows_mtu(tunnel, puppet, mtu)
    inside.run("ip link set wg0 down")
    inside.run("ip link set wg0 up")
    inside.run("ip addr replace fd10::1/64 dev wg0")
    eventually(lambda: puppet_connects(puppet), "a session after down and up")
    follows_mtu(tunnel, puppet, 1299)
    inside.run("ip link del wg0")
    eventually(lambda: not tunnel.daemon.running(), "the daemon ends with its interface")
    assert not daemon_host.exists("/run/wireguard/wg0.sock")


def puppet_connects(puppet):
    try:
        puppet.connect()
    except AssertionError:
        return False
    return True
