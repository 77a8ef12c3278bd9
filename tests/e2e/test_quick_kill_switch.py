"""`# KillSwitch`: while the tunnel is up, and when its daemon has died, nothing leaves beside it.

    third           left                                        right
    10.7.0.3 ────── 10.7.0.1, wg0 by ferrule                    wg0, and 203.0.113.9 behind it
                    192.0.2.1 ───────────────────────────────── 192.0.2.2, 192.168.7.2
"""

import contextlib
import os
import signal
import socket

from lib import host as hosts
from lib.registry import behaviour
from lib.sniffer import Sniffer
from lib.traffic import must_not_ping, must_ping
from lib.wait import eventually

from test_quick import CONFIG, Quick, same

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"
NEIGHBOURS = (133, 135, 136)    # ICMPv6: of routers and neighbours
SO_BINDTODEVICE = 25


def killing(quick, kind="on", peer=EVERYTHING, more=""):
    return quick.config(f"# KillSwitch = {kind}\n{more}", peer=peer)


def shoot(host):
    """Tries to leave by every way there is: addresses of the link and of the world, UDP, TCP, DNS, pings;
    as programs do it, and as those that know better where to leave."""
    places = ("192.0.2.2", "192.168.7.2", "203.0.113.9", "8.8.8.8", "192.0.2.255", "2001:db8::2",
              "2001:db8:99::9", "2606:4700::1111")
    for place in places:
        family = socket.AF_INET6 if ":" in place else socket.AF_INET
        for port in (53, 443, 853, 51820):
            for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
                for device in (None, b"eth0"):
                    with host.socket(family, kind) as one, contextlib.suppress(OSError):
                        one.setblocking(False)
                        one.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
                        if device:
                            one.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, device)
                        one.connect((place, port))
                        one.send(b"leak")
        for options in ("", "-I eth0"):
            host.run(f"ping {options} -c 1 -W 0.05 {place}", check=False)


def leaks(sniffer):
    """What left eth0 that is neither the tunnel's own nor asks for an address of the link."""
    def is_leak(packet):
        if packet.source not in ("192.0.2.1", "2001:db8::1", "10.7.0.3", "10.10.0.1", "fd10::1"):
            return False
        if packet.is_udp and (packet.source_port, packet.destination_port) == (7000, 51820):
            return False
        return not (packet.icmp and packet.version == 6 and packet.icmp[0] in NEIGHBOURS)
    return sniffer.packets(is_leak)


def shown(packets):
    return [(p.source, p.destination, p.protocol, p.body[:4]) for p in packets]


def daemons(host):
    """Those of this host's wg0."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            here = os.readlink(f"/proc/{pid}/ns/net") == os.readlink(f"/proc/{host.pid}/ns/net")
            if here and b"wg0" in words:
                found.append(int(pid))
    return found


@behaviour(deadline_s=120)
def test_nothing_leaves_beside_the_tunnel(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    quick.right.host.address("eth0", "192.168.7.2/24")
    before = quick.machine()
    quick.write(killing(quick, more="DNS = 10.10.0.2"))
    with Sniffer(quick.host) as sniffer:
        shoot(quick.host)
        assert leaks(sniffer), "without a tunnel everything leaves"
    quick.run("ferrule", "up")
    must_ping(quick.host, "203.0.113.9")
    must_ping(quick.host, "2001:db8:99::9")
    with Sniffer(quick.host) as sniffer:
        shoot(quick.host)
        must_ping(quick.host, "203.0.113.9")
        assert sniffer.udp(port=51820) and not leaks(sniffer), shown(leaks(sniffer))
    must_ping(quick.host, "127.0.0.1")
    must_ping(quick.host, "192.0.2.1")
    must_not_ping(quick.right.host, "192.0.2.1")
    quick.run("ferrule", "down")
    quick.is_as(before)
    must_ping(quick.host, "192.0.2.2")


@behaviour(deadline_s=120)
def test_nothing_leaves_when_the_daemon_has_died(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    before = quick.machine()
    quick.write(killing(quick))
    quick.run("ferrule", "up")
    must_ping(quick.host, "203.0.113.9")
    for pid in daemons(quick.host):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not quick.host.has_link("wg0"), "the interface is gone")
    with Sniffer(quick.host) as sniffer:
        shoot(quick.host)
        assert not leaks(sniffer), shown(leaks(sniffer))
    quick.run("ferrule", "up")      # again, by what is left
    must_ping(quick.host, "203.0.113.9")
    quick.run("ferrule", "down")
    eventually(lambda: "kill-switch" not in quick.host.out("nft list tables"), "it is open again")
    must_ping(quick.host, "192.0.2.2")
    quick.run("ferrule", "up")
    for pid in daemons(quick.host):
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not quick.host.has_link("wg0"), "the interface is gone")
    quick.run("ferrule", "down")
    assert "kill-switch" not in quick.host.out("nft list tables"), before


# A split tunnel needs a mark, too, to tell its own packets.

@behaviour(deadline_s=90)
def test_a_split_tunnel_can_be_all_there_is(scene):
    quick = Quick(scene)
    before = quick.machine()
    quick.write(killing(quick, peer="AllowedIPs = 10.10.0.0/24, fd10::/64"))
    quick.run("ferrule", "up")
    must_ping(quick.host, "10.10.0.2")
    with Sniffer(quick.host) as sniffer:
        shoot(quick.host)
        must_ping(quick.host, "10.10.0.2")
        assert not leaks(sniffer), shown(leaks(sniffer))
    quick.run("ferrule", "down")
    quick.is_as(before)


@behaviour(deadline_s=90)
def test_private_networks_can_stay_without_their_name_servers(scene):
    quick = Quick(scene)
    quick.right.host.address("eth0", "192.168.7.2/24")
    quick.host.address("eth0", "192.168.7.1/24")
    quick.write(killing(quick, kind="lan"))
    quick.run("ferrule", "up")
    must_ping(quick.host, "192.168.7.2")
    must_not_ping(quick.host, "192.0.2.2")
    with Sniffer(quick.host) as sniffer:
        shoot(quick.host)
        asked = sniffer.packets(lambda p: p.protocol in (6, 17) and p.destination == "192.168.7.2"
                                and int.from_bytes(p.body[2:4], "big") in (53, 853))
        assert not asked, shown(asked)
        assert sniffer.packets(lambda p: p.destination == "192.168.7.2" and p.protocol == 6)
        assert not leaks(sniffer), shown(leaks(sniffer))
    quick.run("ferrule", "down")


# Who is behind this machine goes by the tunnel, or nowhere.

@behaviour(deadline_s=90)
def test_what_is_forwarded_leaves_by_the_tunnel_alone(scene):
    quick = Quick(scene)
    third = scene.host("third")
    hosts.link(third, quick.host, "eth0", "eth1")
    third.address("eth0", "10.7.0.3/24")
    quick.host.address("eth1", "10.7.0.1/24")
    third.run("ip route add default via 10.7.0.1")
    quick.host.sysctl(net__ipv4__ip_forward=1)
    quick.right.host.run("ip route add 10.7.0.0/24 via 192.0.2.1")
    must_ping(third, "192.0.2.2")
    quick.write(killing(quick, peer="AllowedIPs = 10.10.0.0/24, 203.0.113.0/24"))
    quick.run("ferrule", "up")
    with Sniffer(quick.host) as sniffer:
        must_not_ping(third, "192.0.2.2")
        assert not leaks(sniffer), shown(leaks(sniffer))
    quick.right.set(f"peer {quick.key.public} allowed-ips 10.10.0.1/32,fd10::1/128,10.7.0.0/24")
    quick.right.host.run("ip route replace 10.7.0.0/24 dev wg0")
    must_ping(third, "203.0.113.9")
    quick.run("ferrule", "down")


@behaviour(deadline_s=90)
def test_a_reload_opens_and_closes(scene):
    quick = Quick(scene)
    quick.write(quick.config(peer=EVERYTHING))
    quick.run("ferrule", "up")
    open_machine = quick.machine()
    for text, can_leave in ((killing(quick), False), (killing(quick, more="FwMark = 0x77"), False),
                            (killing(quick), False), (quick.config(peer=EVERYTHING), True)):
        quick.write(text)
        told = quick.run("ferrule", "reload --dry-run")[1].splitlines()
        real = quick.run("ferrule", "reload")[1].splitlines()
        assert sorted(told) == sorted(real), (told, real)
        assert "no change" in quick.run("ferrule", "reload")[1]
        must_ping(quick.host, "203.0.113.9")
        (must_ping if can_leave else must_not_ping)(quick.host, "192.0.2.2")
    same(by_line(quick.machine()), by_line(open_machine), ("before", "after"))
    quick.run("ferrule", "down")


def by_line(text):
    return "\n".join(sorted(text.splitlines()))


@behaviour
def test_a_kill_switch_that_means_nothing_is_refused(scene):
    quick = Quick(scene)
    before = quick.machine()
    quick.write(killing(quick, kind="yes"))
    status, log = quick.run("ferrule", "up", check=False)
    assert status == 1 and "KillSwitch is `on', `lan' or `off'" in log, log
    quick.is_as(before)
    checked = quick.host.run([quick.paths["ferrule"], "check", CONFIG], check=False)
    assert checked.returncode == 1 and "KillSwitch is" in checked.stdout, checked


# What keeps out all else is no reason for `doctor` to complain.

@behaviour
def test_doctor_finds_nothing_wrong_with_it(scene):
    quick = Quick(scene)
    quick.write(killing(quick))
    quick.run("ferrule", "up")
    must_ping(quick.host, "203.0.113.9")
    told = quick.host.run([quick.paths["ferrule"], "doctor", "wg0", "--json"], check=False)
    assert "kill-switch" not in told.stdout and "firewall" not in told.stdout, told
    quick.run("ferrule", "down")
