"""A tunnel that is bound to own addresses, or to an interface: what comes elsewhere is not taken, and
nothing leaves from elsewhere, also not while that is gone.

    left                                               right
    eth0  192.0.2.1, 2001:db8::1        ────────────   192.0.2.2, 2001:db8::2        eth0
    eth1  198.51.100.1, 2001:db8:5::1   ────────────   198.51.100.2, 2001:db8:5::2   eth1
"""

import json

from lib import host as hosts
from lib.registry import behaviour
from lib.sniffer import Sniffer
from lib.traffic import must_not_ping, must_ping, ping, wait_ping
from lib.wait import eventually

from test_quick import Quick

FIRST = ("192.0.2.1:51820", "[2001:db8::1]:51820")
SECOND = ("198.51.100.1:51820", "[2001:db8:5::1]:51820")


def second_uplink(left, right):
    hosts.link(left, right, "eth1", "eth1")
    left.address("eth1", "198.51.100.1/24", "2001:db8:5::1/64")
    right.address("eth1", "198.51.100.2/24", "2001:db8:5::2/64")


def two_uplinks(scene):
    left, right = scene.linked_hosts()
    second_uplink(left, right)
    return scene.pair(left=left, right=right)


def ferrule(scene, host, words, **options):
    return host.run(f"{scene.build_dir}/ferrule {words}", **options)


def bound_to(host, port=51820):
    """The own addresses of the sockets at a port, but for what guards it at an interface of nobody's."""
    lines = host.out(f"ss -Hlun sport = :{port}").splitlines()
    places = [line.split()[3].rsplit(":", 1)[0] for line in lines]
    return {place.split("%")[0].strip("[]") for place in places if "%if2147" not in place}


def shown(scene, left):
    return json.loads(ferrule(scene, left.host, "show wg0 --json").stdout)["wg0"]


def call_at(left, right, endpoint):
    """Right is to begin anew, and calls left there; left does not know where right is."""
    left.remove(right)
    left.peer(right)
    right.remove(left)
    right.peer(left, endpoint=endpoint)


@behaviour(deadline_s=90)
def test_P75d_only_what_is_written_to_the_bound_addresses_is_answered(scene):
    left, right = two_uplinks(scene)
    ferrule(scene, left.host, "set wg0 bind 192.0.2.1,2001:db8::1")
    assert bound_to(left.host) == {"192.0.2.1", "2001:db8::1"}
    for endpoint in FIRST:
        call_at(left, right, endpoint)
        must_ping(right.host, left.inside4)
    for endpoint in SECOND:
        call_at(left, right, endpoint)
        must_not_ping(right.host, left.inside4)
    ferrule(scene, left.host, "set wg0 bind off")
    for endpoint in SECOND:
        call_at(left, right, endpoint)
        must_ping(right.host, left.inside4)


# What left begins itself comes from there too, though the way to right leads by the other uplink.

@behaviour(deadline_s=90)
def test_P75d_what_is_sent_leaves_from_the_bound_addresses(scene):
    left, right = two_uplinks(scene)
    must_ping(left.host, right.inside4)     # and so a source is known
    ferrule(scene, left.host, "set wg0 bind 192.0.2.1,2001:db8::1")
    for to, own in (("198.51.100.2", "192.0.2.1"), ("2001:db8:5::2", "2001:db8::1"),
                    ("192.0.2.2", "192.0.2.1")):
        with Sniffer(right.host, "eth0") as first, Sniffer(right.host, "eth1") as second:
            left.peer(right, endpoint=f"[{to}]:51820" if ":" in to else f"{to}:51820")
            must_ping(left.host, right.inside4)
            sources = {p.source for wire in (first, second)
                       for p in wire.udp(port=51820, destination=to)}
        assert sources == {own}, f"to {to} from {sources}"


@behaviour(deadline_s=90)
def test_P75d_an_interface_carries_all_there_is(scene):
    left, right = two_uplinks(scene)
    must_ping(left.host, right.inside4)
    ferrule(scene, left.host, "set wg0 bind-interface eth1")
    assert shown(scene, left)["bindInterface"] == "eth1"
    for endpoint in SECOND:
        call_at(left, right, endpoint)
        must_ping(right.host, left.inside4)
    for endpoint in FIRST:
        call_at(left, right, endpoint)
        must_not_ping(right.host, left.inside4)
    with Sniffer(right.host, "eth0") as first:
        left.peer(right, endpoint="198.51.100.2:51820")
        must_ping(left.host, right.inside4)
        left.peer(right, endpoint="192.0.2.2:51820")    # which routes lead to by eth0
        ping(left.host, right.inside4)
        assert not first.udp(destination="192.0.2.2")


# An address that leaves takes its sockets with it: nothing listens, and nothing is sent from elsewhere.
# That is told once, and it is bound again when the address is back.

@behaviour(deadline_s=120)
def test_P75d_an_address_that_goes_is_waited_for(scene):
    left, right = two_uplinks(scene)
    ferrule(scene, left.host, "set wg0 bind 192.0.2.1")
    must_ping(left.host, right.inside4)
    left.host.run("ip addr del 192.0.2.1/24 dev eth0")
    eventually(lambda: not bound_to(left.host), "nothing is bound")
    assert shown(scene, left)["bindMissing"] == ["192.0.2.1"]
    assert "not there: 192.0.2.1" in ferrule(scene, left.host, "show wg0").stdout
    with Sniffer(right.host, "eth0") as first, Sniffer(right.host, "eth1") as second:
        left.peer(right, endpoint="198.51.100.2:51820")
        must_not_ping(left.host, right.inside4)
        assert not first.udp(port=51820) and not second.udp(port=51820)
    told = ferrule(scene, left.host, "doctor wg0 --json", check=False).stdout
    assert "bind-missing" in {each["name"] for each in json.loads(told)}, told
    left.host.address("eth0", "192.0.2.1/24")
    wait_ping(left.host, right.inside4)
    assert bound_to(left.host) == {"192.0.2.1"}
    log = left.daemon.log()
    assert log.count("192.0.2.1 is not on this machine now") == 1, log


@behaviour(deadline_s=120)
def test_P75d_an_interface_that_comes_back_is_bound_to_again(scene):
    left, right = two_uplinks(scene)
    ferrule(scene, left.host, "set wg0 bind-interface eth1")
    left.peer(right, endpoint="198.51.100.2:51820")
    must_ping(left.host, right.inside4)
    left.host.run("ip link del eth1")
    eventually(lambda: shown(scene, left).get("bindMissing") == ["eth1"], "it is missed")
    must_not_ping(left.host, right.inside4)
    second_uplink(left.host, right.host)
    wait_ping(left.host, right.inside4)


@behaviour(deadline_s=90)
def test_P75d_one_of_two_addresses_is_bound_alone_and_the_other_waited_for(scene):
    left, right = two_uplinks(scene)
    left.host.run("ip addr del 2001:db8::1/64 dev eth0")
    ferrule(scene, left.host, "set wg0 bind 192.0.2.1,2001:db8::1")
    assert bound_to(left.host) == {"192.0.2.1"}
    assert shown(scene, left)["bindMissing"] == ["2001:db8::1"]
    left.host.address("eth0", "2001:db8::1/64")
    eventually(lambda: bound_to(left.host) == {"192.0.2.1", "2001:db8::1"}, "both are bound")
    call_at(left, right, FIRST[1])
    must_ping(right.host, left.inside4)


# Two tunnels at one port, each at its own addresses; the same ones have no room for both.

@behaviour(deadline_s=90)
def test_P75d_a_port_serves_a_tunnel_an_address(scene):
    left, right = two_uplinks(scene)
    ferrule(scene, left.host, "set wg0 bind 192.0.2.1,2001:db8::1")
    other = scene.tunnel(left.host, ("10.20.0.1/24", "fd20::1/64"), name="wg1",
                         daemon_options={"arguments": ("-f", "--bind", SECOND[0].split(":")[0])})
    assert bound_to(left.host) == {"192.0.2.1", "2001:db8::1", "198.51.100.1"}
    refused = ferrule(scene, left.host, "set wg1 bind 192.0.2.1", check=False)
    assert refused.returncode == 1 and "Address already in use" in refused.stderr, refused
    assert bound_to(left.host) == {"192.0.2.1", "2001:db8::1", "198.51.100.1"}
    must_ping(right.host, left.inside4)
    assert other.daemon.running()
    # To wg all of that does not exist.
    assert "bind" not in left.wg("show") and "bind" not in left.wg("showconf")
    assert "bind" not in left.uapi("get=1\n\n")


# A file says it, in a comment that other tools pass over.

def bound_quick(scene):
    quick = Quick(scene)
    second_uplink(quick.host, quick.right.host)
    return quick


@behaviour(deadline_s=120)
def test_a_file_binds_its_tunnel_and_reload_follows_it(scene):
    quick = bound_quick(scene)
    before = quick.machine()
    quick.write(quick.config("# Bind = 192.0.2.1, 2001:db8::1"))
    quick.run("ferrule", "up")
    assert bound_to(quick.host, 7000) == {"192.0.2.1", "2001:db8::1"}
    must_ping(quick.host, "10.10.0.2")
    quick.write(quick.config("# Bind = 198.51.100.1", endpoint="198.51.100.2:51820"))
    log = quick.run("ferrule", "reload")[1]
    assert "bound to 192.0.2.1,2001:db8::1 -> 198.51.100.1" in log, log
    assert bound_to(quick.host, 7000) == {"198.51.100.1"}
    must_ping(quick.host, "10.10.0.2")
    assert "bound to" not in quick.run("ferrule", "reload")[1]
    quick.write(quick.config("# BindInterface = eth0"))
    quick.run("ferrule", "reload")
    must_ping(quick.host, "10.10.0.2")
    quick.write(quick.config())
    quick.run("ferrule", "reload")
    everywhere = bound_to(quick.host, 7000)
    assert everywhere and "192.0.2.1" not in everywhere, everywhere
    quick.run("ferrule", "save")
    quick.run("ferrule", "down")
    quick.is_as(before)


@behaviour(deadline_s=120)
def test_a_file_that_binds_wrongly_is_told_and_an_absent_address_waited_for(scene):
    quick = bound_quick(scene)
    before = quick.machine()
    for line, words in (("# Bind = eth0", "Bind is an address of this machine"),
                        ("# Bind = 192.0.2.1\n# Implementation = kernel", "take ferruled")):
        quick.write(quick.config(line))
        status, log = quick.run("ferrule", "up", check=False)
        assert status == 1 and words in log, log
        quick.is_as(before)
    quick.write(quick.config("# Bind = 192.0.2.77"))
    status, log = quick.run("ferrule", "up")
    assert "192.0.2.77 is no address of this machine now" in log, log
    must_not_ping(quick.host, "10.10.0.2")
    explained = ferrule(scene, quick.host, "explain 10.10.0.2", check=False)
    assert "bound to what is not there" in explained.stdout, explained
    quick.host.address("eth0", "192.0.2.77/24")
    wait_ping(quick.host, "10.10.0.2")
    assert bound_to(quick.host, 7000) == {"192.0.2.77"}
    assert "to 192.0.2.77" in ferrule(scene, quick.host, "explain 10.10.0.2").stdout
    quick.host.run("ip addr del 192.0.2.77/24 dev eth0")
    quick.run("ferrule", "down")
    quick.is_as(before)


# With a second file at the same port there is no conflict, and check knows.

@behaviour(deadline_s=90)
def test_check_finds_a_port_taken_only_where_it_would_be(scene):
    quick = bound_quick(scene)
    with quick.host.udp("198.51.100.1", port=7000):
        for line, is_taken in (("# Bind = 192.0.2.1, 2001:db8::1", False),
                               ("# Bind = 198.51.100.1", True), ("", True)):
            quick.write(quick.config(line))
            found = quick.run("ferrule", "check", check=False)[1]
            assert ("ListenPort: 7000 is" in found) == is_taken, (line, found)
