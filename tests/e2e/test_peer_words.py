"""`ferrule explain`, `ping` and `test`: which way a packet goes, and what the way to a peer is like.

    left                                   right
    wg0 10.10.0.1 ── 192.0.2.1 ─────────── 192.0.2.2 ── wg0 10.10.0.2
"""

import json
import re

from lib.registry import BOTH, behaviour
from lib.scene import outside_endpoint
from lib.tunnel import new_private_key

from test_json import must_be


def ferrule(scene, host, *words, status=0):
    result = host.run([f"{scene.build_dir}/ferrule", *words], check=False, timeout_s=60)
    assert result.returncode == status, result
    return result.stdout


def explained(scene, host, *words, status=0):
    return told_as_json(scene, host, "explain", *words, status=status)


def told_as_json(scene, host, command, *words, status=0):
    told = json.loads(ferrule(scene, host, command, *words, "--json", status=status))
    must_be(command, told)
    return told


def named_pair(scene):
    left, right = scene.pair()
    left.host.write(CONF, f"[Peer]\n# Name = alice\nPublicKey = {right.public_key}\n")
    return left, right


CONF = "/run/test/wg0.conf"


# --- explain ----------------------------------------------------------------------------------

@behaviour(peers=BOTH)
def test_explain_names_peer_prefix_route_source_and_the_way_outside(scene):
    left, right = scene.pair()
    left.peer(right, allowed=["10.10.0.2/32", "10.10.0.0/24", "fd10::2/128"])
    told = explained(scene, left.host, "10.10.0.2")
    assert told["carried"] and "obstacle" not in told, told
    assert told["peer"]["publicKey"] == str(right.public_key), told
    assert told["peer"]["prefix"] == "10.10.0.2/32", told
    assert told["peer"]["endpoint"] == outside_endpoint(2), told
    assert told["route"]["interface"] == "wg0" and told["route"]["prefix"] == "10.10.0.0/24", told
    assert told["route"]["source"] == "10.10.0.1" and told["route"]["table"] == 254, told
    assert told["outside"]["interface"] == "eth0", told
    assert told["outside"]["source"] == "192.0.2.1" and told["outside"]["mark"] == 0, told
    assert "filter" not in told and "filter" not in told["outside"], told
    text = ferrule(scene, left.host, "explain", "fd10::2")
    assert "fd10::2/128 of" in text and "by wg0" in text and "lookup main" in text, text


@behaviour
def test_explain_says_what_is_in_the_way(scene):
    left, right = scene.pair()
    obstacle = explained(scene, left.host, "10.10.0.99", status=1)["obstacle"]
    assert obstacle == "no peer has this address", obstacle
    obstacle = explained(scene, left.host, "198.51.100.1", status=1)["obstacle"]
    assert obstacle == "no route leads there", obstacle
    left.set(f"peer {new_private_key().public} allowed-ips 10.10.0.50/32")
    obstacle = explained(scene, left.host, "10.10.0.50", status=1)["obstacle"]
    assert obstacle == "nobody knows where the peer is", obstacle
    left.host.nft("table inet filter { chain output { type filter hook output priority 0; "
                  "udp dport 51820 drop; }; }")
    told = explained(scene, left.host, "10.10.0.2", status=1)
    assert told["outside"]["filter"]["text"] == "udp dport 51820 drop", told
    left.host.run("nft flush ruleset")
    left.host.run("ip route add 192.0.2.2/32 dev wg0")
    obstacle = explained(scene, left.host, "10.10.0.2", status=1)["obstacle"]
    assert obstacle == "the peer's endpoint is routed into the tunnel itself", obstacle


@behaviour
def test_explain_names_rule_and_mark_of_a_full_tunnel(scene):
    left, right = scene.pair()
    left.peer(right, allowed=["0.0.0.0/0"])
    left.set("fwmark 51820")
    left.host.lines("""
        ip route add default dev wg0 table 51820
        ip rule add not fwmark 51820 table 51820
        ip rule add table main suppress_prefixlength 0
    """)
    told = explained(scene, left.host, "198.51.100.1")
    assert "not fwmark 0xca6c lookup 51820" in told["route"]["rule"], told
    assert told["route"]["table"] == 51820 and told["outside"]["mark"] == 51820, told
    assert told["outside"]["interface"] == "eth0", told


@behaviour
def test_explain_tells_of_what_is_forwarded_and_of_what_is_local(scene):
    left, _ = scene.pair()
    left.host.sysctl(net__ipv4__ip_forward=0)
    told = explained(scene, left.host, "10.10.0.2", "--from", "192.0.2.77", status=1)
    assert told["forwardedFrom"] == "eth0", told
    assert told["obstacle"] == "this machine does not forward", told
    left.host.sysctl(net__ipv4__ip_forward=1)
    assert explained(scene, left.host, "10.10.0.2", "--from", "192.0.2.77")["carried"]
    assert explained(scene, left.host, "10.10.0.1")["local"]
    ferrule(scene, left.host, "explain", "10.10.0.2", "--from", "fd10::1", status=2)
    ferrule(scene, left.host, "explain", "nowhere.invalid", status=2)


# --- ping, test -------------------------------------------------------------------------------

@behaviour(peers=BOTH)
def test_ping_knows_a_peer_by_its_name(scene):
    left, right = named_pair(scene)
    shown = ferrule(scene, left.host, "ping", CONF, "alice", "-c", "3", "-i", "0.1")
    assert shown.startswith("PING alice (10.10.0.2) by wg0\n"), shown
    assert len(re.findall(r"28 bytes from 10\.10\.0\.2: icmp_seq=\d time=[0-9.]+ ms", shown)) == 3, shown
    assert "3 packets transmitted, 3 received, 0% packet loss" in shown, shown
    told = told_as_json(scene, left.host, "ping", CONF, str(right.public_key), "-6", "-c", "2", "-i", "0.1")
    assert told["address"] == "fd10::2" and told["received"] == 2, told
    assert told["roundTripMs"]["min"] > 0, told


@behaviour
def test_ping_and_test_say_when_nothing_comes_back(scene):
    left, right = named_pair(scene)
    right.host.nft("table inet filter { chain input { type filter hook input priority 0; "
                   "iifname wg0 drop; }; }")
    shown = ferrule(scene, left.host, "ping", CONF, "alice", "-c", "1", status=1)
    assert "1 packets transmitted, 0 received, 100% packet loss" in shown, shown
    assert "ferrule doctor wg0 alice" in ferrule(scene, left.host, "test", CONF, "alice", status=1)
    for command, *words in (("ping", "-c", "1"), ("test",)):
        told = told_as_json(scene, left.host, command, CONF, "alice", *words, status=1)
        assert told["received"] == 0 and "roundTripMs" not in told and "throughput" not in told, told
    ferrule(scene, left.host, "ping", CONF, "nobody", status=2)
    ferrule(scene, left.host, "test", CONF, "nobody", status=2)


@behaviour(peers=BOTH)
def test_test_measures_the_way_to_a_peer(scene):
    left, right = named_pair(scene)
    told = told_as_json(scene, left.host, "test", CONF, "alice", "--seconds", "0.5")
    assert told["largestPacketBytes"] == 1420, told
    assert told["received"] > 15 and told["roundTripMs"]["avg"] > 0, told
    assert told["throughput"]["bitsPerSecond"] > 1_000_000, told
    assert told["throughput"]["returnedBytes"] <= told["throughput"]["sentBytes"], told
    scene.note(f"{told['throughput']['bitsPerSecond'] / 1e6:.0f} Mbit/s")
    right.host.run("ip link set eth0 mtu 1400")
    shown = ferrule(scene, left.host, "test", CONF, "alice", "--seconds", "0.3")
    largest = int(re.search(r"of up to (\d+) bytes", shown)[1])
    assert 1300 <= largest <= 1344, shown
