"""`# Forward = on`: a server's clients reach what is behind it, until it is taken down.

    world                          left                          right
    198.51.100.2 ── 198.51.100.1, wg0 by ferrule ─── 192.0.2.2, wg0: a client of left's
    (no way to the tunnel's networks)
"""

from lib import host as hosts
from lib.registry import behaviour
from lib.traffic import must_not_ping, must_ping

from test_quick import CONFIG, Quick, read, same
from test_quick_dry_run import steps

SYSCTLS = "net.ipv4.ip_forward net.ipv6.conf.all.forwarding"


def server(scene, forwarding=0):
    quick = Quick(scene)
    world = scene.host("world")
    hosts.link(world, quick.host, "eth0", "eth1")
    world.address("eth0", "198.51.100.2/24", "2001:db8:5::2/64")
    quick.host.address("eth1", "198.51.100.1/24", "2001:db8:5::1/64")
    quick.host.sysctl(net__ipv4__ip_forward=forwarding, net__ipv6__conf__all__forwarding=forwarding)
    quick.right.set(f"peer {quick.key.public} allowed-ips "
                    "10.10.0.1/32,fd10::1/128,198.51.100.0/24,2001:db8:5::/64")
    for route in ("ip route add 198.51.100.0/24 dev wg0", "ip -6 route add 2001:db8:5::/64 dev wg0"):
        quick.right.host.run(route)
    return quick


def forwarding(quick):
    return quick.host.out(f"sysctl -n {SYSCTLS}").split()


def reaches_world(quick):
    must_ping(quick.host, "10.10.0.2")      # so that there is a session
    must_ping(quick.right.host, "198.51.100.2")
    must_ping(quick.right.host, "2001:db8:5::2")


@behaviour(deadline_s=90)
def test_clients_reach_the_world_through_a_server_that_forwards(scene):
    quick = server(scene)
    before = quick.machine()
    quick.write(quick.config("# Forward = on"))
    told = quick.run("ferrule", "up --dry-run")[1]
    assert forwarding(quick) == ["0", "0"]
    same(steps(told), steps(quick.run("ferrule", "up")[1]), ("up --dry-run", "up"))
    reaches_world(quick)
    assert forwarding(quick) == ["1", "1"]
    quick.run("ferrule", "down")
    assert forwarding(quick) == ["0", "0"]
    quick.is_as(before)


@behaviour(deadline_s=90)
def test_forwarding_that_was_on_stays_on(scene):
    quick = server(scene, forwarding=1)
    before = quick.machine()
    quick.write(quick.config("# Forward = on"))
    assert "sysctl" not in quick.run("ferrule", "up")[1]
    reaches_world(quick)
    quick.write("[Interface]\n")        # down goes by what was done, and not by today's file
    quick.run("ferrule", "down")
    assert forwarding(quick) == ["1", "1"]
    quick.is_as(before)


@behaviour(deadline_s=90)
def test_the_last_of_several_stops_forwarding(scene):
    quick = server(scene)
    quick.write(quick.config("# Forward = on"))
    other = "/run/test/wg1.conf"
    quick.write(quick.config("# Forward = on", address="Address = 10.11.0.1/24, fd11::1/64",
                             peer="AllowedIPs = 10.11.0.2").replace("7000", "7001"), other)
    quick.run("ferrule", "up")
    quick.run("ferrule", "up", path=other)
    quick.run("ferrule", "down")
    assert forwarding(quick) == ["1", "1"], "wg1 needs it"
    quick.run("ferrule", "down", path=other)
    assert forwarding(quick) == ["0", "0"]


@behaviour(deadline_s=90)
def test_a_reload_starts_and_stops_forwarding(scene):
    quick = server(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    before = quick.machine()
    must_ping(quick.host, "10.10.0.2")
    must_not_ping(quick.right.host, "198.51.100.2")
    for text, value in ((quick.config("# Forward = on"), "1"), (quick.config(), "0")) * 2:
        quick.write(text)
        told = quick.run("ferrule", "reload --dry-run")[1]
        same(told, quick.run("ferrule", "reload")[1], ("reload --dry-run", "reload"))
        assert forwarding(quick) == [value, value]
        assert "no change" in quick.run("ferrule", "reload")[1]
        if value == "1":
            reaches_world(quick)
    quick.is_as(before)
    quick.write(quick.config("# Forward = on"))
    quick.run("ferrule", "reload")
    quick.run("ferrule", "down")
    assert forwarding(quick) == ["0", "0"]


@behaviour
def test_an_up_that_fails_leaves_forwarding_as_it_was(scene):
    quick = server(scene)
    before = quick.machine()
    quick.write(quick.config("# Forward = on\nPostUp = false"))
    assert quick.run("ferrule", "up", check=False)[0] == 1
    assert forwarding(quick) == ["0", "0"]
    quick.is_as(before)
    quick.write(quick.config("# Forward = yes"))
    status, log = quick.run("ferrule", "up", check=False)
    assert status == 1 and "Forward is `on' or `off'" in log, log


@behaviour
def test_save_keeps_what_the_interface_says(scene):
    quick = server(scene)
    quick.write(quick.config("# Forward = on\n# KillSwitch = lan"))
    quick.run("ferrule", "up")
    quick.run("ferrule", "save")
    saved = read(quick.host, CONFIG)
    assert "# Forward = on\n" in saved and "# KillSwitch = lan\n" in saved, saved
    quick.run("ferrule", "down")
    assert "ferrule" not in quick.host.out("nft list tables")
    made = quick.host.run([quick.paths["ferrule"], "init", "-", "--server", "--forward"])
    assert "# Forward = on\n" in made.stdout, made
