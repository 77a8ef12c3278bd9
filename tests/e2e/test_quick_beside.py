"""More of `ferrule up` and `down` beside wg-quick: MTUs, hooks that fail, names, and what is there
already.

    left                                        right
    wg0, by wg-quick or by ferrule              wg0
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

import os

from lib.registry import behaviour
from lib.tunnel import new_private_key

from test_quick import CONFIG, FOLDER, Quick, read, same

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"
TOOLS = "wg-quick", "ferrule"


def beside(quick, verb, **options):
    """What both end with: (whether it was well, output) of wg-quick, and of ferrule."""
    outcomes = []
    for tool in TOOLS:
        status, log = quick.run(tool, verb, check=False, **options)
        outcomes.append((status == 0, log))
    return outcomes


# --- the MTU ---------------------------------------------------------------------------------------

def ways(quick):
    """(what there is, commands for it, endpoints of peers)"""
    far = "ip route add 198.51.100.0/24 via 192.0.2.2 mtu 1300"
    far6 = "ip -6 route add 2001:db8:1::/64 via 2001:db8::2 mtu 1350"
    default = "ip route add default via 192.0.2.2 mtu 1400"
    here, here6 = "192.0.2.2:51820", "[2001:db8::2]:51820"
    yield "nothing", [], []
    yield "a link", ["ip link set eth0 mtu 1450"], [here]
    yield "a link, by IPv6", ["ip link set eth0 mtu 1450"], [here6]
    yield "a route", [far], ["198.51.100.1:1"]
    yield "a route, by IPv6", [far6], ["[2001:db8:1::1]:1"]
    yield "a route and a link", [far], ["198.51.100.1:1", here]
    yield "two routes", [far, far6], ["198.51.100.1:1", "[2001:db8:1::1]:1"]
    yield "no way", [], ["203.0.113.77:1"]
    yield "a default route, and no way", [default], ["[2001:db8:77::1]:1"]
    yield "a default route, and no endpoint", [default], [""]
    yield "a default route by a link", ["ip link set eth0 mtu 1480",
                                        "ip route add default via 192.0.2.2"], []
    yield "a way that is not for all", ["ip route add default via 192.0.2.2", "ip route add table 7 "
                                        "203.0.113.9 via 192.0.2.2 mtu 1200"], ["203.0.113.9:1"]


@behaviour(deadline_s=120)
def test_the_mtu_is_what_wg_quick_makes_it(scene):
    quick = Quick(scene)
    for name, commands, endpoints in ways(quick):
        for command in commands:
            quick.host.run(command)
        peers = [f"[Peer]\nPublicKey = {new_private_key().public}\n"
                 + (f"Endpoint = {endpoint}\n" if endpoint else "") for endpoint in endpoints]
        quick.write(quick.config().split("[Peer]")[0] + "".join(peers))
        mtus = []
        for tool in TOOLS:
            quick.run(tool, "up")
            mtus.append(quick.host.out("cat /sys/class/net/wg0/mtu"))
            quick.run(tool, "down")
        # But ours leaves IPv6 inside its least.
        assert int(mtus[1]) == max(1280, int(mtus[0])), f"{name}: {mtus}"
        for command in reversed(commands):
            quick.host.run("ip link set eth0 mtu 1500" if " link " in command
                           else command.replace(" add ", " del "))


# wg-quick looks up the way of packets without a mark, which the tunnel's own do not take.

@behaviour
def test_the_mtu_is_that_of_the_marked_way(scene):
    quick = Quick(scene)
    quick.host.run("ip route add table 7 default via 192.0.2.2 mtu 1400")
    quick.host.run("ip rule add fwmark 0x55 table 7")
    quick.write(quick.config("FwMark = 0x55"))
    quick.run("ferrule", "up")
    assert quick.host.out("cat /sys/class/net/wg0/mtu") == "1320"
    quick.run("ferrule", "down")


# --- what is looked up on the way in ---------------------------------------------------------------

# Reverse path filters are to look up what is marked by its mark. down leaves it so: others may need it.

@behaviour
def test_a_full_tunnel_of_ipv4_has_marks_looked_up(scene):
    quick = Quick(scene)
    for peer, value in ((EVERYTHING, "1"), ("AllowedIPs = 0.0.0.0/0", "1"),
                        ("AllowedIPs = ::/0", "0"), ("AllowedIPs = 0.0.0.0/1", "0")):
        quick.write(quick.config(peer=peer))
        for tool in TOOLS:
            quick.host.sysctl(net__ipv4__conf__all__src_valid_mark=0)
            for verb in ("up", "down"):
                quick.run(tool, verb)
                marked = quick.host.out("sysctl -n net.ipv4.conf.all.src_valid_mark")
                assert marked == value, f"{tool} {verb}, {peer}: {marked}"
    quick.write(quick.config())
    quick.run("ferrule", "up")
    quick.host.sysctl(net__ipv4__conf__all__src_valid_mark=0)
    quick.write(quick.config(peer=EVERYTHING))
    quick.run("ferrule", "reload")
    assert quick.host.out("sysctl -n net.ipv4.conf.all.src_valid_mark") == "1"
    quick.run("ferrule", "down")


# --- hooks -----------------------------------------------------------------------------------------

@behaviour
def test_hooks_are_given_the_same(scene):
    quick = Quick(scene)
    hooks = [f"{key} = echo {key} %i-%i $INTERFACE {number} >>/run/hook"
             for key in ("PreUp", "PostUp", "PreDown", "PostDown") for number in (1, 2)]
    quick.write(quick.config("\n".join(hooks)))
    said = []
    for tool in TOOLS:
        quick.run(tool, "up")
        quick.run(tool, "down")
        said.append(read(quick.host, "/run/hook"))
        quick.host.run("rm /run/hook")
    same(said[1], said[0])
    assert said[0].splitlines()[0] == "PreUp wg0-wg0 wg0 1", said


@behaviour(deadline_s=90)
def test_a_hook_that_fails_ends_it_where_wg_quick_ends(scene):
    quick = Quick(scene)
    before = quick.machine()
    for key in ("PreUp", "PostUp", "PreDown", "PostDown"):
        after = f"{key} = echo first >>/run/hook\n{key} = false\n{key} = echo third >>/run/hook"
        quick.write(quick.config(f"DNS = 1.1.1.1\n{after}", peer=EVERYTHING))
        states = []
        for tool in TOOLS:
            statuses = [quick.run(tool, verb, check=False)[0] == 0 for verb in ("up", "down")]
            states.append(f"{key} {statuses}\n{quick.machine()}")
            assert read(quick.host, "/run/hook") == "first\n", (tool, key)
            quick.host.run("rm /run/hook")
            if quick.host.has_link("wg0"):
                quick.write(quick.config("DNS = 1.1.1.1", peer=EVERYTHING), f"{FOLDER}/bare/wg0.conf")
                quick.run(tool, "down", path=f"{FOLDER}/bare/wg0.conf")
            quick.is_as(before)
        same(states[1], states[0])


# --- what is there already, and what is not --------------------------------------------------------

@behaviour
def test_up_twice_and_down_twice_are_refused(scene):
    quick = Quick(scene)
    before = quick.machine()
    quick.write(quick.config("PreUp = echo >>/run/hook\nPreDown = echo >>/run/hook",
                             peer=EVERYTHING))
    for is_good, log in beside(quick, "down"):
        assert not is_good and "`wg0' is not a WireGuard interface" in log, log
    for tool in TOOLS:
        quick.run(tool, "up")
        up = quick.machine()
        for is_good, log in beside(quick, "up"):
            assert not is_good and "`wg0' already exists" in log, log
        assert quick.machine() == up
        quick.run(tool, "down")
        quick.is_as(before)
    assert len(read(quick.host, "/run/hook").splitlines()) == 4


# --- names and places ------------------------------------------------------------------------------

@behaviour(deadline_s=90)
def test_a_file_has_its_interface_from_its_name(scene):
    quick = Quick(scene)
    long, longer = "a" * 15, "a" * 16
    for name in ("wg0", long, longer, "wg 0", "wg0.conf"):
        quick.write(quick.config(), f"{FOLDER}/{name}.conf")
    quick.host.run(f"ln -s wg0.conf {FOLDER}/link.conf")
    quick.host.run("mkdir /run/sub")
    places = [("./wg0.conf", FOLDER, "wg0"), ("../test/wg0.conf", "/run/sub", "wg0"),
              (f"{FOLDER}/./wg0.conf", "/", "wg0"), (f"./{long}.conf", FOLDER, long),
              ("./link.conf", FOLDER, "link"), ("./wg0.conf.conf", FOLDER, "wg0.conf"),
              (f"./{longer}.conf", FOLDER, None), ("'./wg 0.conf'", FOLDER, None),
              ("wg0.conf", FOLDER, None), ("./wg0", FOLDER, None), (longer, FOLDER, None),
              (FOLDER, "/", None), ("''", "/", None)]
    for path, folder, interface in places:
        for tool in TOOLS:
            status, log = quick.run(tool, "up", check=False, path=path, folder=folder)
            assert (status == 0) == (interface is not None), f"{tool} {path}: {log}"
            if interface:
                assert quick.host.has_link(interface), f"{tool} {path}"
                quick.run(tool, "down", path=path, folder=folder)
                assert not quick.host.has_link(interface), f"{tool} {path}"


@behaviour
def test_the_world_is_warned_of_as_by_wg_quick(scene):
    quick = Quick(scene)
    folder = os.path.dirname(CONFIG)
    quick.write(quick.config())
    for mode, of_folder, is_warned in ((0o604, 0o755, True), (0o604, 0o750, False),
                                       (0o602, 0o755, False), (0o601, 0o755, True),
                                       (0o600, 0o777, False)):
        os.chmod(quick.host.path(CONFIG), mode)
        os.chmod(quick.host.path(folder), of_folder)
        for tool in TOOLS:
            warned = [f"Warning: `{CONFIG}' is world accessible" in quick.run(tool, verb)[1]
                      for verb in ("up", "down")]
            assert warned == [is_warned] * 2, (tool, oct(mode), oct(of_folder))
