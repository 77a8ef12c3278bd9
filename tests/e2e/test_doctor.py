"""`ferrule doctor`: a tunnel is broken in one way, and the doctor on the left says which.

    left                                   right
    doctor ── wg0 ── 192.0.2.1 ─────────── 192.0.2.2 ── wg0

Probes go by the interface, not by the routes, so that a tunnel with a bad route is still tried.
"""

import contextlib
import json
import os
import threading

from lib import noise
from lib.registry import Skip, behaviour
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, outside_endpoint
from lib.traffic import must_ping
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import eventually

CONFIG = "/run/test/wg0.conf"


def doctor(scene, host, *words):
    """What the doctor finds, as {name: finding}."""
    program = f"{scene.build_dir}/ferrule"
    if not os.path.exists(program):
        raise Skip("ferrule is not built")
    words = words or ("wg0",)
    result = host.run([program, "doctor", *words, "--json"], check=False, timeout_s=60)
    found = {finding["name"]: finding for finding in json.loads(result.stdout)}
    assert result.returncode == (1 if found else 0), result
    return found


def healthy_pair(scene):
    """Two tunnels that know each other by one address, and have spoken."""
    left, right = scene.linked_hosts()
    left = scene.tunnel(left, LEFT_INSIDE)
    right = scene.tunnel(right, RIGHT_INSIDE)
    left.peer(right, endpoint=outside_endpoint(2))
    right.peer(left, endpoint=outside_endpoint(1))
    must_ping(left.host, "10.10.0.2")
    return left, right


# --- all is well ----------------------------------------------------------------------------

@behaviour
def test_a_healthy_tunnel_has_no_findings(scene):
    left, _ = healthy_pair(scene)
    assert doctor(scene, left.host) == {}


@behaviour
def test_a_tunnel_that_has_not_spoken_yet_is_tried(scene):
    left, _ = scene.pair()
    assert doctor(scene, left.host) == {}


@behaviour
def test_a_peer_is_looked_at_alone_by_its_name(scene):
    left, right = healthy_pair(scene)
    left.set(f"peer {new_private_key().public} allowed-ips 10.10.0.9/32")
    left.host.write(CONFIG, f"[Peer]\n# Name = alice\nPublicKey = {right.public_key}\n")
    assert doctor(scene, left.host, CONFIG, "alice") == {}
    assert "no-endpoint" in doctor(scene, left.host)


# --- the interface --------------------------------------------------------------------------

@behaviour
def test_there_is_no_interface(scene):
    assert set(doctor(scene, scene.host("left"))) == {"no-interface"}


@behaviour
def test_nobody_runs_the_interface(scene):
    host = scene.host("left")
    host.run("ip link add wg0 type veth peer name other")
    assert set(doctor(scene, host)) == {"no-daemon"}


@behaviour
def test_the_interface_is_down(scene):
    left, _ = healthy_pair(scene)
    left.host.run("ip link set wg0 down")
    assert set(doctor(scene, left.host)) == {"interface-down"}


@behaviour
def test_there_is_no_private_key(scene):
    left, _ = healthy_pair(scene)
    left.set("private-key /dev/null")
    assert set(doctor(scene, left.host)) == {"no-private-key"}


@behaviour
def test_there_are_no_peers(scene):
    left, right = healthy_pair(scene)
    left.remove(right)
    assert set(doctor(scene, left.host)) == {"no-peers"}


@behaviour
def test_there_is_no_address(scene):
    left, _ = healthy_pair(scene)
    left.host.run("ip -4 addr flush dev wg0")
    found = doctor(scene, left.host)
    assert "IPv4" in found["no-address"]["what"]


@behaviour
def test_another_program_has_the_port(scene):
    left, _ = healthy_pair(scene)
    left.host.run("ip link set wg0 down")
    eventually(lambda: left.host.is_udp_closed(left.port), "the daemon closes its sockets")
    with left.host.udp(port=left.port, device="eth0"):      # which the daemon can't keep from it
        left.host.run("ip link set wg0 up")
        left.host.address("wg0", LEFT_INSIDE[1])    # going down has taken it
        found = doctor(scene, left.host)
    assert f"(pid {os.getpid()})" in found["port-taken"]["what"]


# --- routes ---------------------------------------------------------------------------------

@behaviour
def test_a_route_leads_elsewhere(scene):
    left, _ = healthy_pair(scene)
    left.host.run("ip route add 10.10.0.2/32 dev eth0")
    found = doctor(scene, left.host)
    assert set(found) == {"route-elsewhere"}
    left.host.run("ip route del 10.10.0.2/32 dev eth0")
    assert doctor(scene, left.host) == {}


@behaviour
def test_a_route_is_missing_and_the_command_mends_it(scene):
    left, right = healthy_pair(scene)
    left.peer(right, allowed=["10.10.0.2/32", "fd10::2/128", "10.77.0.0/16"])
    found = doctor(scene, left.host)
    assert set(found) == {"route-missing"}
    left.host.run(found["route-missing"]["mend"])
    assert doctor(scene, left.host) == {}


@behaviour
def test_a_peer_has_no_allowed_ips(scene):
    left, right = healthy_pair(scene)
    left.set(f'peer {right.public_key} allowed-ips ""')
    assert "no-allowed-ips" in doctor(scene, left.host)


@behaviour
def test_the_endpoint_is_routed_into_the_tunnel(scene):
    left, _ = scene.pair()
    left.host.run("ip route add 192.0.2.2/32 dev wg0")
    assert "endpoint-loop" in doctor(scene, left.host)


@behaviour
def test_a_mark_keeps_the_endpoint_out_of_the_tunnel(scene):
    left, _ = scene.pair()
    left.set("fwmark 7")
    left.host.lines("""
        ip route add default dev wg0 table 7
        ip rule add not fwmark 7 table 7
        ip rule add table main suppress_prefixlength 0
    """)
    assert doctor(scene, left.host) == {}


@behaviour
def test_there_is_no_way_to_the_endpoint(scene):
    left, right = scene.pair()
    left.peer(right, endpoint="198.51.100.7:51820")
    assert "endpoint-unreachable" in doctor(scene, left.host)


# --- the peer's whereabouts -----------------------------------------------------------------

@behaviour
def test_nobody_knows_where_the_peer_is(scene):
    left, _ = scene.linked_hosts()
    left = scene.tunnel(left, LEFT_INSIDE)
    left.set(f"peer {new_private_key().public} allowed-ips 10.10.0.2/32")
    assert set(doctor(scene, left.host)) == {"no-endpoint"}


def named_peer(left, right, hosts):
    """The peer's endpoint is a name in the file, and /etc/hosts has this text."""
    left.host.write(CONFIG, f"[Peer]\nPublicKey = {right.public_key}\nEndpoint = right.test:51820\n")
    left.host.write("/run/test/hosts", hosts)
    left.host.run("mount --bind /run/test/hosts /etc/hosts")


@behaviour
def test_the_name_of_the_endpoint_leads_elsewhere_now(scene):
    left, right = scene.pair()
    left.peer(right, endpoint="192.0.2.77:51820")
    named_peer(left, right, "192.0.2.2 right.test\n")
    found = doctor(scene, left.host, CONFIG)
    assert found["endpoint-moved"]["mend"].endswith("endpoint right.test:51820")


@behaviour
def test_the_name_of_the_endpoint_has_no_address(scene):
    left, right = scene.pair()
    left.peer(right, endpoint="192.0.2.77:51820")
    named_peer(left, right, "")
    assert "endpoint-unresolved" in doctor(scene, left.host, CONFIG)


# --- handshakes -----------------------------------------------------------------------------

@behaviour
def test_nothing_answers_at_the_endpoint(scene):
    left, right = scene.pair()
    right.host.run("ip link set wg0 down")
    assert set(doctor(scene, left.host)) == {"handshake-unanswered"}


@behaviour
def test_a_firewall_here_drops_what_comes_in(scene):
    left, _ = scene.pair()
    left.host.nft("table inet filter { chain input { type filter hook input priority 0; "
                  "udp dport 51820 drop; }; }")
    found = doctor(scene, left.host)
    assert set(found) == {"handshake-unanswered", "firewall"}
    assert "udp dport 51820 drop" in found["firewall"]["how"]


@behaviour
def test_a_firewall_here_drops_what_goes_out(scene):
    left, _ = scene.pair()
    left.host.nft("table inet filter { chain output { type filter hook output priority 0; "
                  "udp dport 51820 drop; }; }")
    assert set(doctor(scene, left.host)) == {"send-refused", "firewall"}


@behaviour
def test_the_preshared_keys_differ(scene):
    left, right = scene.pair()
    left.peer(right, psk=new_preshared_key())
    assert set(doctor(scene, left.host)) == {"wrong-psk"}


@behaviour
def test_the_peer_has_a_wrong_key_for_this_machine(scene):
    left, right = scene.pair()
    right.remove(left)
    right.set(f"peer {new_private_key().public} endpoint {outside_endpoint(1)} "
              "persistent-keepalive 1")
    assert set(doctor(scene, left.host)) == {"handshake-unanswered", "wrong-key-there"}


@behaviour
def test_this_machine_has_a_wrong_key_for_the_peer(scene):
    left, right = scene.pair()
    left.remove(right)
    left.set(f"peer {new_private_key().public} endpoint {outside_endpoint(2)} "
             "allowed-ips 10.10.0.2/32")
    right.peer(left, keepalive=1)
    found = doctor(scene, left.host)
    assert {"handshake-unanswered", "unknown-peer"} <= set(found)


@contextlib.contextmanager
def meanwhile(act):
    """Calls `act` again and again while the test goes on."""
    ended = threading.Event()

    def run():
        while not ended.is_set():
            act()
            ended.wait(0.2)
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


@behaviour
def test_the_clock_of_the_peer_has_gone_back(scene):
    tunnel, puppet = scene.solo(puppet_endpoint=False)
    puppet.connect()
    tunnel.host.run("ip link set wg0 down")     # forgets the session, and not the timestamp
    tunnel.host.run("ip link set wg0 up")
    old = noise.tai64n(1_000_000_000)
    with meanwhile(lambda: puppet.send(puppet.new_handshake().initiation(timestamp=old))):
        assert "clock" in doctor(scene, tunnel.host)


@behaviour
def test_the_peer_is_under_load_and_asks_for_a_cookie(scene):
    tunnel, puppet = scene.solo()

    def demand_cookie():
        initiation = puppet.receive_kind(noise.INITIATION, 0.2)
        if initiation:
            puppet.send(noise.cookie_reply(puppet.public_key, initiation, os.urandom(16)))
    with meanwhile(demand_cookie):
        assert "cookie" in doctor(scene, tunnel.host)


# --- traffic --------------------------------------------------------------------------------

@behaviour(deadline_s=60)
def test_the_peer_does_not_answer_through_the_tunnel(scene):
    left, right = healthy_pair(scene)
    right.host.nft("table inet filter { chain input { type filter hook input priority 0; "
                   "iifname wg0 drop; }; }")
    assert set(doctor(scene, left.host)) == {"no-answer"}


@behaviour
def test_the_peer_sends_from_an_address_that_is_not_its_own(scene):
    left, right = scene.pair()
    left.peer(right, allowed=["10.10.0.9/32"])
    right.host.spawn("ping -n -i 0.2 10.10.0.1", log_name="ping.log")
    assert "source-not-allowed" in doctor(scene, left.host)


@behaviour(deadline_s=60)
def test_large_packets_are_lost_on_the_way(scene):
    left, right = healthy_pair(scene)
    right.host.run("ip link set eth0 mtu 1400")
    found = doctor(scene, left.host)
    assert set(found) == {"path-mtu"}
    mtu = int(found["path-mtu"]["mend"].split("mtu ")[1].split(",")[0])
    assert 1300 <= mtu <= 1344, mtu
    for tunnel in (left, right):
        tunnel.mtu(mtu)
    assert doctor(scene, left.host) == {}
