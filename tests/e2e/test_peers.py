"""`ferrule init` and `ferrule peer`: from nothing to two machines that reach each other, and what
becomes of a peer after that.

    left: wg-quick up, from what init wrote      right: wg-quick up, from what peer add printed
    192.0.2.1 ───────────────────────────────────────────────────────────────────── 192.0.2.2
"""

import json
import os

from lib.registry import Skip, behaviour
from lib.traffic import must_not_ping, must_ping, wait_ping

CONFIG = "/run/test/wg0.conf"


def ferrule(scene, host, *words, check=True):
    program = f"{scene.build_dir}/ferrule"
    if not os.path.exists(program):
        raise Skip("ferrule is not built")
    return host.run([program, *words], check=check)


def quick_up(scene, host):
    host.run(["wg-quick", "up", CONFIG],
             env={"WG_QUICK_USERSPACE_IMPLEMENTATION": scene.subject.path})


def served(scene):
    """Two hosts, and a server on the left that runs by the file that init has written."""
    left, right = scene.linked_hosts()
    for host in (left, right):
        host.run("mkdir -p /run/test")
    ferrule(scene, left, "init", CONFIG, "--server", "--address", "10.10.0.1/24,fd10::1/64",
            "--endpoint", "192.0.2.1")
    quick_up(scene, left)
    return left, right


def connected(scene):
    left, right = served(scene)
    right.write(CONFIG, ferrule(scene, left, "peer", "add", CONFIG, "alice", "--psk").stdout)
    quick_up(scene, right)
    wait_ping(right, "10.10.0.1")
    return left, right


def peers(scene, host):
    listed = ferrule(scene, host, "peer", "list", CONFIG, "--json").stdout
    return {peer["name"]: peer for peer in json.loads(listed)}


@behaviour
def test_three_commands_connect_two_machines(scene):
    left, right = connected(scene)
    must_ping(left, "10.10.0.2")
    must_ping(right, "fd10::1")
    assert peers(scene, left)["alice"]["latestHandshake"] > 0


@behaviour
def test_a_configuration_that_nobody_got_is_an_error(scene):
    left, _ = served(scene)
    program = f"{scene.build_dir}/ferrule"
    added = left.run(["sh", "-c", f"{program} peer add {CONFIG} alice > /dev/full"], check=False)
    assert added.returncode == 1
    assert "with the only copy of its key, went nowhere" in added.stderr


# `script` gives it a terminal; an empty answer takes what is offered.

@behaviour
def test_init_asks_on_a_terminal_for_what_options_do_not_say(scene):
    host = scene.host("left")
    host.run("mkdir -p /run/test")
    program = f"{scene.build_dir}/ferrule"
    asked = host.run(["script", "-qec", f"{program} init {CONFIG} --dns 10.1.0.1", "/dev/null"],
                     input="server\n10.1.0.1/24\n\nvpn.test\n")
    assert "UDP port to listen at [51820]: " in asked.stdout
    assert "next: `ferrule up " in asked.stdout
    with open(host.path(CONFIG)) as file:
        lines = file.read().splitlines()
    assert {"# Endpoint = vpn.test", "# ClientDNS = 10.1.0.1", "ListenPort = 51820",
            "Address = 10.1.0.1/24"} <= set(lines), lines


@behaviour
def test_init_asks_again_where_an_answer_cannot_be_meant(scene):
    host = scene.host("left")
    host.run("mkdir -p /run/test")
    program = f"{scene.build_dir}/ferrule"
    asked = host.run(["script", "-qec", f"{program} init {CONFIG}", "/dev/null"],
                     input="what\nserver\n10.1.0.1\n10.1.0.1/24\n99999\n5000\nhttp://a\nvpn.test\n\n")
    for words in ("Say `server' or `client'.", "leaves no room for clients",
                  "expected a port from 1 to 65535", "`http://'"):
        assert words in asked.stdout, asked.stdout
    with open(host.path(CONFIG)) as file:
        assert {"# Endpoint = vpn.test", "ListenPort = 5000"} <= set(file.read().splitlines())


@behaviour
def test_status_is_what_a_health_check_asks_for(scene):
    left, _ = connected(scene)
    assert ferrule(scene, left, "status", "wg0").stdout.startswith("wg0  up ")
    assert ferrule(scene, left, "status", "wg0", "wg7", check=False).returncode == 3
    assert ferrule(scene, left, "status", "--short").stdout == "wg0\n"
    left.run("ip link set down dev wg0")
    assert ferrule(scene, left, "status", "wg0", check=False).returncode == 3


@behaviour(deadline_s=60)
def test_a_rekeyed_peer_comes_back_with_its_new_file_only(scene):
    left, right = connected(scene)
    conf = ferrule(scene, left, "peer", "rekey", CONFIG, "alice").stdout
    must_not_ping(right, "10.10.0.1")
    right.run(["wg-quick", "down", CONFIG])
    right.write(CONFIG, conf)
    quick_up(scene, right)
    wait_ping(right, "10.10.0.1", timeout_s=30)


@behaviour(deadline_s=60)
def test_a_disabled_peer_is_cut_off_and_comes_back(scene):
    left, right = connected(scene)
    ferrule(scene, left, "peer", "disable", CONFIG, "alice")
    must_not_ping(right, "10.10.0.1")
    assert peers(scene, left)["alice"]["state"] == "disabled"
    ferrule(scene, left, "peer", "enable", CONFIG, "alice")
    wait_ping(right, "10.10.0.1", timeout_s=30)     # its old session must die first


@behaviour
def test_a_removed_peer_is_gone_from_the_device_and_the_file(scene):
    left, right = connected(scene)
    ferrule(scene, left, "peer", "remove", CONFIG, "alice")
    must_not_ping(right, "10.10.0.1")
    assert left.out("wg show wg0 peers") == "" and peers(scene, left) == {}


@behaviour
def test_other_tools_read_the_file_with_names_dates_and_disabled_peers(scene):
    left, _ = served(scene)
    ferrule(scene, left, "peer", "add", CONFIG, "alice", "--expires", "30d")
    ferrule(scene, left, "peer", "add", CONFIG, "bob")
    ferrule(scene, left, "peer", "disable", CONFIG, "bob")
    left.run(["sh", "-c", f"wg-quick strip {CONFIG} > /run/test/stripped && "
                          "wg setconf wg0 /run/test/stripped"])
    assert left.out("wg show wg0 allowed-ips").split("\t")[1] == "10.10.0.2/32 fd10::2/128"


@behaviour
def test_peers_added_at_the_same_time_get_different_addresses(scene):
    left, _ = served(scene)
    program = f"{scene.build_dir}/ferrule"
    left.run(["sh", "-c", "for i in 1 2 3 4 5 6 7 8; do "
                          f"{program} peer add {CONFIG} peer$i >/dev/null & done; wait"])
    listed = peers(scene, left).values()
    assert len(listed) == 8
    assert len({peer["allowedIps"][0] for peer in listed}) == 8
    assert {peer["state"] for peer in listed} == {"never seen"}


@behaviour
def test_up_leaves_out_whose_day_has_come(scene):
    left, _ = scene.linked_hosts()
    left.run("mkdir -p /run/test")
    ferrule(scene, left, "init", CONFIG, "--server", "--endpoint", "192.0.2.1")
    for name in ("alice", "bob"):
        ferrule(scene, left, "peer", "add", CONFIG, name, "--expires", "1d")
    with open(left.path(CONFIG)) as file:
        text = file.read()
    first_date = next(line for line in text.splitlines() if line.startswith("# Expires"))
    left.write(CONFIG, text.replace(first_date, "# Expires = 2020-01-01", 1))
    result = left.run(["sh", "-c", f"{scene.build_dir}/ferrule up {CONFIG} 2>/run/test/up.log; "
                                   "cat /run/test/up.log"])
    assert "alice expired on 2020-01-01: left out\n" in result.stdout
    assert {name: peer["state"] for name, peer in peers(scene, left).items()} == {
        "alice": "expired", "bob": "never seen"}
