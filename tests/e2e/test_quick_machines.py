"""`ferrule up` on machines that lack something: IPv6, packet filters, a writable /proc/sys, name servers.

What is there already is not asked for again, and what only protects does not keep from working.
"""

import json
import os
import shutil

from lib.registry import Skip, behaviour
from lib.traffic import must_ping

from test_quick import BIN, CONFIG, Quick, same

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"
MARK = "/proc/sys/net/ipv4/conf/all/src_valid_mark"


def seal_settings(quick):
    """/proc/sys as in a container: to be read only."""
    quick.host.run("mount --bind /proc/sys /proc/sys")
    quick.host.run("mount -o remount,ro,bind /proc/sys")


@behaviour
def test_a_setting_that_holds_already_is_left_alone(scene):
    quick = Quick(scene)
    quick.write(quick.config(peer=EVERYTHING))
    quick.host.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=1")
    seal_settings(quick)
    _, log = quick.run("ferrule", "up")
    assert "src_valid_mark" not in log, log
    must_ping(quick.host, quick.right.inside4)
    quick.run("ferrule", "down")


@behaviour
def test_a_setting_that_nobody_needs_is_a_warning(scene):
    quick = Quick(scene)
    quick.write(quick.config(peer=EVERYTHING))
    quick.host.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=0 net.ipv4.conf.all.rp_filter=0 "
                   "net.ipv4.conf.eth0.rp_filter=2 net.ipv4.conf.default.rp_filter=0")
    seal_settings(quick)
    before = quick.machine()
    _, log = quick.run("ferrule", "up")
    assert "Warning: " in log and "--sysctl net.ipv4.conf.all.src_valid_mark=1" in log, log
    must_ping(quick.host, quick.right.inside4)
    quick.run("ferrule", "down")
    quick.is_as(before)


@behaviour
def test_a_setting_that_strict_filters_need_is_an_error_with_its_mend(scene):
    quick = Quick(scene)
    quick.write(quick.config(peer=EVERYTHING))
    quick.host.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=0 net.ipv4.conf.eth0.rp_filter=1")
    seal_settings(quick)
    before = quick.machine()
    status, log = quick.run("ferrule", "up", check=False)
    assert status == 1 and "docker run --sysctl net.ipv4.conf.all.src_valid_mark=1" in log, log
    quick.is_as(before)


@behaviour
def test_without_ipv6_the_tunnel_comes_up_without_it(scene):
    quick = Quick(scene)
    quick.host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    before = quick.machine()
    for peer in ("AllowedIPs = 10.10.0.0/24, fd10::/64", EVERYTHING):
        quick.write(quick.config(peer=peer))
        _, log = quick.run("ferrule", "up")
        assert "IPv6 is switched off on this machine" in log, log
        must_ping(quick.host, quick.right.inside4)
        assert "fd10::" not in quick.host.out("ip -6 addr show dev wg0")
        quick.run("ferrule", "down")
        quick.is_as(before)


@behaviour
def test_a_narrow_way_leaves_ipv6_its_least_mtu(scene):
    quick = Quick(scene)
    quick.host.run("ip link set eth0 mtu 1300")
    quick.write(quick.config())
    quick.run("ferrule", "up")
    assert "mtu 1280" in quick.host.out("ip link show wg0")
    assert "fd10::1" in quick.host.out("ip -6 addr show dev wg0")
    quick.run("ferrule", "down")
    quick.write(quick.config(address="Address = 10.10.0.1/24", peer="AllowedIPs = 10.10.0.0/24"))
    quick.run("ferrule", "up")
    assert "mtu 1220" in quick.host.out("ip link show wg0")
    quick.run("ferrule", "down")


def without(quick, what):
    """Lets ferrule, and what it starts, run as on a kernel that lacks this (lib/lacking.py)."""
    lacking = os.path.join(os.path.dirname(__file__), "lib", "lacking.py")
    quick.paths["ferrule"] = f"python3 {lacking} {what} {quick.paths['ferrule']}"
    if what == "ipv6":
        quick.host.run("mount -t tmpfs tmpfs /proc/sys/net/ipv6")


@behaviour
def test_a_full_tunnel_comes_up_on_a_kernel_without_netfilter_and_says_so(scene):
    comes_up(scene, "netfilter", "Warning: nftables: ", "come from elsewhere")


@behaviour
def test_a_full_tunnel_comes_up_on_a_kernel_without_ipv6_and_says_so(scene):
    comes_up(scene, "ipv6", "IPv6 is switched off on this machine")


# --- where nftables is not to be had, the old interface is ---------------------------------------------

OLD = ("iptables-legacy", "ip6tables-legacy")


def old_rules(quick):
    """The rules of both families, but for link-local addresses, which the kernel draws by lot."""
    saved = [line for program in OLD for line in quick.host.out(f"{program}-save").splitlines()]
    return sorted(line for line in saved if line.startswith("-A") and "fe80" not in line)


def with_old_iptables(scene):
    """A kernel that has nothing else."""
    quick = Quick(scene)
    if not shutil.which(OLD[0]):
        raise Skip("iptables is not installed")
    if quick.host.run(f"{OLD[0]} -L", check=False).returncode != 0:
        raise Skip("this kernel has no old iptables interface")
    without(quick, "nftables")
    return quick


def nobody_answers_from_outside(quick):
    """A packet for the tunnel's address that comes in by another interface is lost."""
    quick.right.host.run("ip route add 10.10.0.1/32 via 192.0.2.1 src 192.0.2.2")
    lost = quick.right.host.run("ping -c 1 -W 0.5 -I eth0 10.10.0.1", check=False).returncode != 0
    quick.right.host.run("ip route del 10.10.0.1/32 via 192.0.2.1")
    return lost


@behaviour
def test_the_old_interface_protects_from_leaks_where_nftables_can_not(scene):
    quick = with_old_iptables(scene)
    before = quick.machine()
    quick.host.run("iptables-legacy -t raw -A PREROUTING -d 198.51.100.7 -j DROP")
    others = old_rules(quick)
    quick.write(quick.config(peer=EVERYTHING))
    _, told = quick.run("ferrule", "up --dry-run")
    assert old_rules(quick) == others
    _, log = quick.run("ferrule", "up")
    same(log, told, ("up --dry-run", "up"))
    assert "Warning" not in log and "[#] ip6tables-legacy-restore" in log, log
    must_ping(quick.host, quick.right.inside4)
    assert nobody_answers_from_outside(quick)
    rules = old_rules(quick)
    assert len(rules) == len(others) + 6, rules
    assert "no change" in quick.run("ferrule", "reload")[1]
    quick.write(quick.config(peer=EVERYTHING, address="Address = 10.10.0.9/24, fd10::1/64"))
    quick.run("ferrule", "reload")
    same("\n".join(old_rules(quick)), "\n".join(rules).replace("10.10.0.1/32", "10.10.0.9/32"),
         ("expected", "after a reload"))
    quick.write(quick.config())
    quick.run("ferrule", "reload")
    assert old_rules(quick) == others
    quick.run("ferrule", "down")
    quick.is_as(before)


@behaviour
def test_rules_of_the_old_interface_are_those_of_wg_quick(scene):
    quick = with_old_iptables(scene)
    # wg-quick goes by whether there is a program nft.
    path = "/run/test/path"
    quick.host.run(["sh", "-c", f"mkdir {path}; ln -s /usr/bin/* /usr/sbin/* {path} 2>/dev/null; "
                    f"rm {path}/nft"])
    for tool in ("wg-quick", "ferrule"):
        quick.paths[tool] = f"env PATH={BIN}:{path} {quick.paths[tool]}"
    for name in OLD:
        for verb in ("-restore", "-save"):
            quick.script(name.replace("-legacy", "") + verb, f"#!/bin/sh\nexec {name}{verb} \"$@\"\n")
    quick.script("iptables", "#!/bin/sh\n")
    quick.write(quick.config(peer=EVERYTHING))
    seen = {}
    for up in ("wg-quick", "ferrule"):
        for down in ("wg-quick", "ferrule"):
            quick.run(up, "up")
            seen[up] = old_rules(quick)
            quick.run(down, "down")
            assert not old_rules(quick), (up, down, old_rules(quick))
    assert len(seen["ferrule"]) == 6
    same("\n".join(seen["ferrule"]), "\n".join(seen["wg-quick"]))


@behaviour
def test_the_rules_of_a_tunnel_whose_daemon_died_go_too(scene):
    quick = with_old_iptables(scene)
    before = quick.machine()
    quick.write(quick.config(peer=EVERYTHING))
    quick.run("ferrule", "up")
    quick.host.run("ip link delete wg0")
    assert len(old_rules(quick)) == 6
    quick.run("ferrule", "down")
    assert not old_rules(quick)
    quick.is_as(before)


@behaviour
def test_check_knows_who_protects_from_leaks(scene):
    for lacking, is_found in (("nftables", False), ("netfilter", True)):
        quick = with_old_iptables(scene) if lacking == "nftables" else Quick(scene)
        if lacking == "netfilter":
            without(quick, lacking)
        quick.write(quick.config(peer=EVERYTHING))
        told = quick.host.run(["sh", "-c", f"PATH={BIN}:$PATH {quick.paths['ferrule']} check --json "
                               f"{CONFIG}"], check=False)
        rules = [finding["rule"] for finding in json.loads(told.stdout)]
        assert ("no-leak-protection" in rules) == is_found, (lacking, told.stdout)


def comes_up(scene, lacking, *words):
    quick = Quick(scene)
    without(quick, lacking)
    before = quick.machine()
    quick.write(quick.config(peer=EVERYTHING))
    _, log = quick.run("ferrule", "up")
    assert all(word in log for word in words), log
    must_ping(quick.host, quick.right.inside4)
    _, log = quick.run("ferrule", "reload")
    assert "no change" in log, log
    quick.run("ferrule", "down")
    quick.is_as(before)
