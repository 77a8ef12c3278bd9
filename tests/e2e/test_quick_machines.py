"""`ferrule up` on machines that lack something: IPv6, packet filters, a writable /proc/sys, name servers.

What is there already is not asked for again, and what only protects does not keep from working.
"""

import os

from lib.registry import behaviour
from lib.traffic import must_ping

from test_quick import Quick

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
