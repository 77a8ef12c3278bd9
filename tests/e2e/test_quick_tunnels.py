"""Two full tunnels on one machine: whichever goes first, or fails to change, the other's rules stay.

    left                                        right
    wg0 and wg1, for everything                 wg0, and 203.0.113.9 behind it
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

import re

from lib.registry import behaviour
from lib.traffic import must_ping
from lib.tunnel import new_private_key
from lib.wait import eventually

from test_quick import CONFIG, FOLDER, Quick, same
from test_quick_reload import by_line

SECOND = f"{FOLDER}/wg1.conf"
EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"
MAIN = "from all lookup main suppress_prefixlength 0"


class TwoTunnels(Quick):
    """wg0 leads to the right; nobody answers wg1."""

    def __init__(self, scene):
        super().__init__(scene)
        self.host.run("ip route add default via 192.0.2.2")
        self.host.run("ip -6 route add default via 2001:db8::2")
        self.key1, self.peer1 = new_private_key(), new_private_key().public
        self.write(self.config(peer=EVERYTHING))
        self.write(self.second(EVERYTHING), SECOND)

    def second(self, peer, interface=""):
        return (f"[Interface]\nPrivateKey = {self.key1}\nAddress = 10.20.0.1, fd20::1\n{interface}\n"
                f"[Peer]\nPublicKey = {self.peer1}\n{peer}\n")

    def rules(self):
        """(family, priority, rule), in order."""
        return [(family, *line.split(":", 1)) for family in "46"
                for line in self.host.out(f"ip -{family} rule").splitlines()]

    def both_up(self, tool="ferrule"):
        self.run(tool, "up")
        self.run(tool, "up", path=SECOND)


def text(rules):
    return "\n".join(" ".join(rule) for rule in rules)


def is_in_order(rules):
    """The main table's other routes are looked at before each tunnel."""
    for before, rule in zip(rules, rules[1:]):
        if "not from all fwmark" in rule[2]:
            assert before[0] == rule[0] and MAIN in before[2], f"{rule} is first:\n{text(rules)}"


def without(rules, table):
    """What is to be left when a tunnel goes: its rules, and the one before each."""
    doomed = {i for i, rule in enumerate(rules) if rule[2].endswith(f"lookup {table}")}
    return [rule for i, rule in enumerate(rules) if not {i, i + 1} & doomed]


# wg-quick takes the rules for the main table of all tunnels with it; but for those, all is the same.

@behaviour(deadline_s=120)
def test_of_two_full_tunnels_either_may_go_first(scene):
    quick = TwoTunnels(scene)
    before = quick.rules()
    for first, other, table in ((CONFIG, SECOND, 51820), (SECOND, CONFIG, 51821)):
        states = {}
        for tool in ("wg-quick", "ferrule"):
            quick.both_up(tool)
            up = quick.rules()
            is_in_order(up)
            quick.run(tool, "down", path=first)
            states[tool] = up, quick.rules()
            if tool == "ferrule":
                is_in_order(quick.rules())
                same(text(quick.rules()), text(without(up, table)), ("wanted", "left"))
                must_go_right(quick, carried=other == CONFIG)
            quick.run(tool, "down", path=other)
            same(text(quick.rules()), text(before), ("before", "after"))
        same(text(states["ferrule"][0]), text(states["wg-quick"][0]))
        left = [[rule for rule in states[tool][1] if MAIN not in rule[2]] for tool in states]
        same(text(left[1]), text(left[0]))


def must_go_right(quick, carried):
    """What the main table knows a way for goes there, all else into the tunnel that is left."""
    assert "dev eth0" in quick.host.out("ip route get 192.0.2.2")
    assert re.search(r"dev wg\d", quick.host.out("ip route get 203.0.113.9"))
    if carried:
        must_ping(quick.host, "203.0.113.9")
        must_ping(quick.host, "2001:db8:99::9")


@behaviour(deadline_s=90)
def test_a_reload_that_fails_leaves_the_rules_of_all_tunnels(scene):
    quick = TwoTunnels(scene)
    quick.host.run("ip route add 10.40.0.0/16 dev eth0")
    quick.both_up()
    up = quick.rules(), by_line(quick.machine())
    taken = "AllowedIPs = 10.40.0.0/16"
    for path, good, bad in (
            (CONFIG, quick.config(peer=EVERYTHING),
             [quick.config(peer=taken), quick.config("FwMark = 77", f"{EVERYTHING}, 10.40.0.0/16")]),
            (SECOND, quick.second(EVERYTHING),
             [quick.second(taken), quick.second(taken + ", 0.0.0.0/0", "FwMark = 77")])):
        for changed in bad:
            quick.write(changed, path)
            status, log = quick.run("ferrule", "reload", check=False, path=path)
            assert status == 1 and "10.40.0.0/16: File exists" in log, log
            same(text(quick.rules()), text(up[0]), ("before", changed))
            same(by_line(quick.machine()), up[1], ("before", changed))
        quick.write(good, path)
    for path in (CONFIG, SECOND):
        quick.run("ferrule", "down", path=path)


@behaviour(deadline_s=60)
def test_a_reload_takes_only_its_own_rules(scene):
    quick = TwoTunnels(scene)
    quick.both_up()
    for path, split, full, table in (
            (CONFIG, quick.config(), quick.config(peer=EVERYTHING), 51820),
            (SECOND, quick.second("AllowedIPs = 10.50.0.0/16"), quick.second(EVERYTHING), 51821)):
        up = quick.rules()
        quick.write(split, path)
        quick.run("ferrule", "reload", path=path)
        same(text(quick.rules()), text(without(up, table)), ("wanted", "left"))
        quick.write(full, path)
        quick.run("ferrule", "reload", path=path)
        is_in_order(quick.rules())
    for path in (CONFIG, SECOND):
        quick.run("ferrule", "down", path=path)


@behaviour(deadline_s=60)
def test_a_second_tunnel_that_fails_to_come_up_leaves_the_first(scene):
    quick = TwoTunnels(scene)
    quick.run("ferrule", "up")
    alone = quick.rules(), quick.machine()
    quick.write(quick.second(EVERYTHING, "PostUp = false"), SECOND)
    status, log = quick.run("ferrule", "up", check=False, path=SECOND)
    assert status == 1, log
    quick.is_as(alone[1])
    same(text(quick.rules()), text(alone[0]), ("before", "after"))
    quick.run("ferrule", "down")


# A number that somebody else uses, as a mark or as a table, is nobody else's. A kill switch lets pass
# what has its tunnel's mark, and so does one whose daemon has died.

@behaviour(deadline_s=90)
def test_each_tunnel_has_a_mark_of_its_own(scene):
    quick = TwoTunnels(scene)
    split = "AllowedIPs = 10.20.0.0/24"

    def mark(interface):
        return int(quick.host.out(f"wg show {interface} fwmark"), 0)

    for interface in ("# KillSwitch = lan", "FwMark = 51820\nListenPort = 7001"):
        quick.write(quick.second(split, interface), SECOND)
        quick.run("ferrule", "up", path=SECOND)
        assert mark("wg1") == 51820, interface
        quick.run("ferrule", "up")
        assert mark("wg0") == 51821, interface
        assert "not from all fwmark 0xca6d lookup 51821" in text(quick.rules()), text(quick.rules())
        for path in (CONFIG, SECOND):
            quick.run("ferrule", "down", path=path)
    quick.write(quick.second(split, "# KillSwitch = lan"), SECOND)
    quick.run("ferrule", "up", path=SECOND)
    quick.host.run("ip link delete wg1")
    eventually(lambda: "wg1" not in quick.host.out("ls /run/wireguard"), "its daemon is gone")
    quick.run("ferrule", "up")
    assert mark("wg0") == 51821
    quick.host.run("ip rule add fwmark 51821 table 100")
    quick.run("ferrule", "down")
    quick.run("ferrule", "up")
    assert mark("wg0") == 51822
    for path in (CONFIG, SECOND):
        quick.run("ferrule", "down", path=path)


# Rules that somebody else has made are not the tunnel's, though they look alike.

@behaviour(deadline_s=60)
def test_rules_of_others_that_look_alike_stay(scene):
    quick = TwoTunnels(scene)
    quick.host.run("ip rule add priority 100 table main suppress_prefixlength 0")
    quick.host.run("ip rule add priority 40000 table main suppress_prefixlength 0")
    quick.host.run("ip rule add priority 50 from 10.99.0.0/16 not fwmark 51820 table 51820")
    before = quick.rules()
    for tool in ("ferrule", "wg-quick"):
        quick.run(tool, "up")
        quick.run("ferrule", "down")
        same(text(quick.rules()), text(before), ("before", tool))


# With a table of the user's choice the rules are his too.

@behaviour
def test_rules_to_a_table_of_ones_own_stay(scene):
    quick = TwoTunnels(scene)
    for family in "46":
        quick.host.run(f"ip -{family} rule add table main suppress_prefixlength 0")
        quick.host.run(f"ip -{family} rule add not fwmark 99 table 99")
    before = quick.rules()
    quick.write(quick.config("Table = 99\nFwMark = 99", peer=EVERYTHING))
    for tool in ("wg-quick", "ferrule"):
        quick.run(tool, "up")
        quick.run(tool, "down")
        same(text(quick.rules()), text(before), ("before", tool))
