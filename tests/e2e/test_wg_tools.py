"""`wg` and `wg-quick`, unchanged, on top of the daemon.

    left                                        right
    wg-quick up wg0                             wg0, and 203.0.113.9 behind it
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

import os
import shutil

from lib.registry import BOTH, Skip, behaviour
from lib.scene import RIGHT_INSIDE
from lib.traffic import must_not_ping, must_ping
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import eventually

CONFIG = "/run/test/wg0.conf"


# --- wg -------------------------------------------------------------------------------------

def sorted_config(text):
    """A configuration as sections of sorted lines, in an order of their own."""
    sections = [section.strip().splitlines() for section in text.split("\n\n") if section.strip()]
    return sorted([section[0], *sorted(section[1:])] for section in sections)


def example_config(port=51820, peers=2):
    text = (f"[Interface]\nListenPort = {port}\nFwMark = 0xca6c\n"
            f"PrivateKey = {new_private_key()}\n")
    for number in range(peers):
        text += (f"\n[Peer]\nPublicKey = {new_private_key().public}\n"
                 f"PresharedKey = {new_preshared_key()}\n"
                 f"AllowedIPs = 10.{number}.0.0/16, fd{number:02x}::/16\n"
                 f"Endpoint = 203.0.113.{number}:{1000 + number}\nPersistentKeepalive = 25\n")
    return text


def wg(host, verb, config):
    return host.out(f"wg {verb} wg0 /dev/stdin", input=config)


# What setconf was given, showconf gives back.

@behaviour
def test_setconf_and_showconf_round_trip(scene):
    host = scene.host("left")
    scene.daemon(host)
    for peers in (0, 1, 2, 50):
        config = example_config(peers=peers)
        wg(host, "setconf", config)
        shown = host.out("wg showconf wg0")
        assert _addresses_sorted(shown) == _addresses_sorted(config)


def _addresses_sorted(text):
    lines = []
    for line in text.splitlines():
        name, _, value = line.partition(" = ")
        lines.append(f"{name} = {', '.join(sorted(value.split(', ')))}" if "AllowedIPs" in name
                     else line)
    return sorted_config("\n".join(lines))


# setconf replaces, addconf adds, and syncconf changes only what differs: sessions survive it.

@behaviour
def test_addconf_adds_and_setconf_replaces(scene):
    host = scene.host("left")
    scene.daemon(host)
    first, second = example_config(peers=1), example_config(peers=2)
    wg(host, "setconf", first)
    wg(host, "addconf", second)
    assert len(host.out("wg show wg0 peers").splitlines()) == 3
    wg(host, "setconf", first)
    assert len(host.out("wg show wg0 peers").splitlines()) == 1


@behaviour
def test_syncconf_keeps_sessions(scene):
    tunnel, puppet = scene.solo()
    puppet.connect()
    assert puppet.pings(tunnel)
    handshake = tunnel.status(puppet).latest_handshake
    config = tunnel.wg("showconf") + "\n\n" + example_config(peers=2).split("\n\n", 1)[1]
    tunnel.wg("syncconf", "/dev/stdin", input=config)
    assert len(tunnel.peers()) == 3
    assert tunnel.status(puppet).latest_handshake == handshake
    assert puppet.pings(tunnel), "the session was lost"


@behaviour
def test_show_tells_what_set_was_given(scene):
    host = scene.host("left")
    scene.daemon(host)
    key, peer, psk = new_private_key(), new_private_key().public, new_preshared_key()
    host.run("wg set wg0 listen-port 7777 fwmark 0x20 private-key /dev/stdin", input=f"{key}\n")
    host.run(f"wg set wg0 peer {peer} preshared-key /dev/stdin endpoint [2001:db8::5]:99 "
             "persistent-keepalive 13 allowed-ips 10.1.2.3/24,fd00::1/64", input=f"{psk}\n")
    show = {what: host.out(f"wg show wg0 {what}") for what in (
        "listen-port", "fwmark", "private-key", "public-key", "peers", "preshared-keys",
        "endpoints", "persistent-keepalive", "allowed-ips", "transfer", "latest-handshakes")}
    assert show == {
        "listen-port": "7777", "fwmark": "0x20", "private-key": str(key),
        "public-key": str(key.public), "peers": str(peer), "preshared-keys": f"{peer}\t{psk}",
        "endpoints": f"{peer}\t[2001:db8::5]:99", "persistent-keepalive": f"{peer}\t13",
        "allowed-ips": f"{peer}\t10.1.2.0/24 fd00::/64", "transfer": f"{peer}\t0\t0",
        "latest-handshakes": f"{peer}\t0"}, show
    assert host.out("wg show interfaces") == "wg0"


@behaviour
def test_set_refuses_what_can_not_be(scene):
    host = scene.host("left")
    scene.daemon(host)
    host.run("ip link set wg0 up")
    with host.udp(port=4444):
        result = host.run("wg set wg0 listen-port 4444", check=False)
    assert result.returncode != 0
    assert "Address already in use" in result.stderr, result.stderr


# --- wg-quick -------------------------------------------------------------------------------

def machine(host):
    """Everything that wg-quick may change on a host."""
    return "\n".join(host.out(command) for command in (
        "ip -br link", "ip -br addr", "ip route show table all", "ip -6 route show table all",
        "ip rule", "ip -6 rule", "nft list ruleset", "ls -A /run/wireguard"))


def wg_quick(scene, host, verb, check=True):
    """wg-quick on a configuration of its own; what it prints goes to a file, because a daemon in
    the background holds what it was given open."""
    command = f"wg-quick {verb} {CONFIG} >/run/wg-quick.log 2>&1"
    result = host.run(["sh", "-c", command], check=False, env={
        "WG_QUICK_USERSPACE_IMPLEMENTATION": scene.subject.path, "LOG_LEVEL": "error"})
    with open(host.path("/run/wg-quick.log")) as file:
        log = file.read()
    assert not check or result.returncode == 0, f"wg-quick {verb}:\n{log}"
    return result.returncode, log


def quick_hosts(scene):
    """left without a tunnel, right with one, and a network behind right."""
    if shutil.which("wg-quick") is None:
        raise Skip("wg-quick is not installed")
    left, right = scene.linked_hosts()
    os.makedirs(left.path("/run/wireguard"), exist_ok=True)
    right.address("lo", "203.0.113.9/32", "2001:db8:99::9/128")
    tunnel = scene.tunnel(right, RIGHT_INSIDE, scene.other)
    key = new_private_key()
    tunnel.set(f"peer {key.public} allowed-ips 10.10.0.1/32,fd10::1/128")
    return left, tunnel, key


def quick_config(key, right, interface="", peer="AllowedIPs = 10.10.0.0/24, fd10::/64"):
    return (f"[Interface]\nPrivateKey = {key}\nAddress = 10.10.0.1/24, fd10::1/64\n{interface}\n"
            f"[Peer]\nPublicKey = {right.public_key}\nEndpoint = 192.0.2.2:51820\n{peer}\n")


@behaviour(peers=BOTH)
def test_quick_up_and_down_leave_the_machine_as_it_was(scene):
    left, right, key = quick_hosts(scene)
    left.write(CONFIG, quick_config(key, right))
    before = machine(left)
    for _ in range(2):
        wg_quick(scene, left, "up")
        must_ping(left, right.inside4)
        must_ping(left, right.inside6)
        wg_quick(scene, left, "down")
        eventually(lambda: machine(left) == before, "the machine is as it was")
        must_not_ping(left, right.inside4, wait_s=0.2)


# A default route: everything but the tunnel's own packets goes through the tunnel.

@behaviour(peers=BOTH)
def test_quick_default_route(scene):
    left, right, key = quick_hosts(scene)
    left.run("ip route add default via 192.0.2.2")
    left.run("ip -6 route add default via 2001:db8::2")
    left.write(CONFIG, quick_config(key, right, peer="AllowedIPs = 0.0.0.0/0, ::/0"))
    before = machine(left)
    wg_quick(scene, left, "up")
    assert left.out("wg show wg0 fwmark") == "0xca6c"
    assert "dev wg0" in left.out("ip route get 203.0.113.9")
    assert "dev eth0" in left.out("ip route get 192.0.2.2 mark 0xca6c")
    must_ping(left, "203.0.113.9")
    must_ping(left, "2001:db8:99::9")
    wg_quick(scene, left, "down")
    eventually(lambda: machine(left) == before, "the machine is as it was")


# Hooks run in their order with %i replaced; MTU and Table are heeded.

@behaviour(peers=BOTH)
def test_quick_hooks_mtu_and_table(scene):
    left, right, key = quick_hosts(scene)
    left.write(CONFIG, quick_config(key, right, interface=(
        "MTU = 1333\nTable = 123\nListenPort = 7000\n"
        "PreUp = echo PreUp %i >>/run/hooks\nPostUp = wg show %i peers >>/run/hooks\n"
        "PostUp = ip rule add to 10.10.0.2 table 123\n"
        "PreDown = ip rule del to 10.10.0.2 table 123\n"
        "PreDown = echo PreDown %i >>/run/hooks\nPostDown = echo PostDown %i >>/run/hooks")))
    before = machine(left)
    wg_quick(scene, left, "up")
    assert "mtu 1333" in left.out("ip link show wg0")
    assert "wg0" in left.out("ip route show table 123")
    assert left.out("wg show wg0 listen-port") == "7000"
    must_ping(left, right.inside4, size=1333 - 28)
    wg_quick(scene, left, "down")
    with open(left.path("/run/hooks")) as file:
        assert file.read().split("\n") == ["PreUp wg0", str(right.public_key), "PreDown wg0",
                                           "PostDown wg0", ""]
    eventually(lambda: machine(left) == before, "the machine is as it was")


# save and SaveConfig write down what is there.

@behaviour(peers=BOTH)
def test_quick_save(scene):
    left, right, key = quick_hosts(scene)
    left.write(CONFIG, quick_config(key, right, interface="SaveConfig = true"))
    wg_quick(scene, left, "up")
    added = new_private_key().public
    left.run(f"wg set wg0 peer {added} allowed-ips 10.66.0.0/16 endpoint 203.0.113.66:6")
    wg_quick(scene, left, "save")
    saved = _read(left, CONFIG)
    for line in (f"PublicKey = {added}", "AllowedIPs = 10.66.0.0/16", f"PrivateKey = {key}",
                 "Endpoint = 192.0.2.2:51820", "Address = 10.10.0.1/24"):
        assert line in saved, f"{line} is missing in:\n{saved}"
    left.run(f"wg set wg0 peer {added} remove")
    wg_quick(scene, left, "down")
    assert str(added) not in _read(left, CONFIG), "SaveConfig did not save on the way down"
    wg_quick(scene, left, "up")
    must_ping(left, right.inside4)
    wg_quick(scene, left, "down")


# What is wrong in a configuration leaves nothing behind.

@behaviour(peers=BOTH)
def test_quick_undoes_what_failed(scene):
    left, right, key = quick_hosts(scene)
    before = machine(left)
    left.write(CONFIG, quick_config(key, right, interface="PostUp = false"))
    status, _ = wg_quick(scene, left, "up", check=False)
    assert status != 0
    eventually(lambda: machine(left) == before, "the machine is as it was")
    left.write(CONFIG, quick_config(key, right).replace("AllowedIPs = ", "AllowedIPs = x"))
    status, _ = wg_quick(scene, left, "up", check=False)
    assert status != 0
    eventually(lambda: machine(left) == before, "the machine is as it was")


def _read(host, path):
    with open(host.path(path)) as file:
        return file.read()
