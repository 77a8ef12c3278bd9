"""`ferrule reload`: an edited file on a running interface, and sessions that live on.

    left                                        right
    wg0, by ferrule up                          wg0, and 203.0.113.9 behind it
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

import json

from lib.registry import behaviour
from lib.traffic import must_ping
from lib.tunnel import Key, new_preshared_key, new_private_key

from test_quick import CONFIG, Quick, files, name_right, same

EVERYTHING = "AllowedIPs = 0.0.0.0/0, ::/0"


def reload(quick, text, check=True):
    quick.write(text)
    return quick.run("ferrule", "reload", check=check)


# Whatever the file was and is: after a reload the machine is as after down and up.

@behaviour(deadline_s=240)
def test_reload_does_what_down_and_up_would(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    before = quick.machine()
    # Commands are not run; and a peer keeps the endpoint that it has.
    left_out = "hooks", "keys that say nothing", "no endpoint"
    texts = [(name, text if "MTU" in text else text.replace("ListenPort", "MTU = 1420\nListenPort"))
             for name, text in files(quick) if name not in left_out]
    texts = [(name, text) for name, text in texts if "Table = off" not in text]
    fresh = {}
    for name, text in texts:
        quick.write(text)
        quick.run("ferrule", "up")
        fresh[name] = state(quick)
        quick.run("ferrule", "down")
        quick.is_as(before)
    quick.write(texts[-1][1])
    quick.run("ferrule", "up")
    for name, text in texts + texts[::-2]:
        reload(quick, text)
        same(f"{name}\n{state(quick)}", f"{name}\n{fresh[name]}", ("fresh", "reloaded"))
        assert "no change" in reload(quick, text)[1], name
    quick.run("ferrule", "down")
    quick.is_as(before)


def state(quick):
    """The machine, without the order in which rules and tables came about."""
    lines = quick.machine().splitlines() + quick.host.out("wg showconf wg0").splitlines()
    return "\n".join(sorted(line.split("\t")[-1] if "lookup" in line else line for line in lines))


# The device comes last: when it refuses, all else is taken back.

@behaviour
def test_a_reload_that_the_device_refuses_changes_nothing(scene):
    quick = Quick(scene)
    taken = quick.host.udp(port=7001)
    split = "AllowedIPs = 10.98.0.0/16"
    for peer, then in (("AllowedIPs = 10.99.0.0/16, fd99::/64", split), (EVERYTHING, split),
                       (EVERYTHING, EVERYTHING)):
        quick.write(quick.config("DNS = 1.1.1.1\nMTU = 1400", peer=peer))
        quick.run("ferrule", "up")
        before = quick.machine() + quick.host.out("wg showconf wg0")
        text = quick.config("MTU = 1300", address="Address = 10.12.0.1/24, fd12::1/64",
                            peer=then)
        status, log = reload(quick, text.replace("7000", "7001"), check=False)
        assert status == 1 and "in use" in log, log
        same(by_line(quick.machine() + quick.host.out("wg showconf wg0")), by_line(before),
             ("before", "after"))
        quick.run("ferrule", "down")
    taken.close()


# With the first address of a network the kernel takes its others away, and routes with the last.

@behaviour
def test_what_goes_with_an_address_is_put_back(scene):
    quick = Quick(scene)
    quick.host.sysctl(net__ipv4__conf__all__promote_secondaries=0)
    for peer in ("AllowedIPs = 10.99.0.0/16", EVERYTHING):
        wanted = quick.config(address="Address = 10.10.0.7/24", peer=peer)
        quick.write(wanted)
        quick.run("ferrule", "up")
        fresh = state(quick)
        quick.run("ferrule", "down")
        quick.write(quick.config(address="Address = 10.10.0.1/24, 10.10.0.7/24", peer=peer))
        quick.run("ferrule", "up")
        reload(quick, wanted)
        same(state(quick), fresh, ("fresh", "reloaded"))
        quick.run("ferrule", "down")


# Without a table routes are the user's: those that are there stay, and with them the mark that keeps
# the tunnel's own packets out of it.

@behaviour
def test_routes_stay_where_the_table_is_off(scene):
    quick = Quick(scene)
    quick.write(quick.config(peer=EVERYTHING))
    quick.run("ferrule", "up")
    before = quick.machine() + quick.host.out("wg showconf wg0")
    reload(quick, quick.config("Table = off", peer=EVERYTHING))
    same(quick.machine() + quick.host.out("wg showconf wg0"), before, ("before", "Table = off"))
    reload(quick, quick.config(peer=EVERYTHING))
    quick.run("ferrule", "down")


def by_line(text):
    """Without the order in which packet filter tables came about."""
    return "\n".join(sorted(text.splitlines()))


@behaviour
def test_reload_keeps_sessions_and_says_what_changed(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    must_ping(quick.host, quick.right.inside4)
    handshakes = quick.host.out("wg show wg0 latest-handshakes")
    peer = new_private_key().public
    _, log = reload(quick, quick.config(
        address="Address = 10.10.0.1/24, fd10::1/64, 10.12.0.1/24",
        peer=f"AllowedIPs = 10.10.0.0/24, 10.99.0.0/16\n[Peer]\nPublicKey = {peer}\n"
             "AllowedIPs = 10.98.0.0/16"))
    for line in (f"wg0: peer {peer}: added",
                 f"peer {quick.right.public_key}: allowed IPs 10.10.0.0/24, fd10::/64 -> "
                 "10.10.0.0/24, 10.99.0.0/16",
                 "ip -4 address add 10.12.0.1/24 dev wg0", "ip -4 route add 10.99.0.0/16 dev wg0"):
        assert line in log, f"{line}\n{log}"
    assert handshakes in quick.host.out("wg show wg0 latest-handshakes")
    must_ping(quick.host, quick.right.inside4)
    _, log = reload(quick, quick.config())
    assert f"wg0: peer {peer}: removed" in log, log
    assert handshakes == quick.host.out("wg show wg0 latest-handshakes")
    quick.run("ferrule", "down")


@behaviour
def test_reload_tells_programs_what_changed(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")

    def changes(text):
        quick.write(text)
        return json.loads(quick.host.out([quick.paths["ferrule"], "reload", CONFIG, "--json"]))

    told = changes(quick.config(peer="AllowedIPs = 10.10.0.0/24, 10.99.0.0/16"))
    assert told["interface"] == "wg0"
    assert "ip -4 route add 10.99.0.0/16 dev wg0" in told["steps"], told
    assert told["changes"] == [{
        "change": "allowed-ips", "peer": str(quick.right.public_key),
        "from": ["10.10.0.0/24", "fd10::/64"], "to": ["10.10.0.0/24", "10.99.0.0/16"]}]
    told = changes(quick.config(peer="AllowedIPs = 10.10.0.0/24, 10.99.0.0/16"))
    assert told == {"version": 1, "interface": "wg0", "changes": [], "steps": []}, told
    quick.run("ferrule", "down")


@behaviour(deadline_s=60)
def test_a_reload_that_fails_changes_nothing(scene):
    quick = Quick(scene)
    quick.host.run("ip route add 10.20.0.0/16 dev eth0")
    quick.write(quick.config("DNS = 1.1.1.1"))
    quick.run("ferrule", "up")
    before = quick.machine() + quick.host.out("wg showconf wg0")
    changed = f"Address = 10.12.0.1/24\n[Peer]\nPublicKey = {new_private_key().public}\n"
    for message, text in (
            (r"AllowedIPs: expected", quick.config(peer="AllowedIPs = 10.0.0.0/x")),
            (r"did you mean", quick.config().replace("ListenPort", "ListenProt")),
            (r"10\.20\.0\.0/16: File exists", quick.config(
                "DNS = 8.8.8.8\nMTU = 1300", address=changed.split("\n", 1)[0],
                peer=EVERYTHING + ", 10.99.1.0/24, fd99:1::/64, 10.20.0.0/16")),
            (r"Table", quick.config("Table = nosuch"))):
        quick.write(text)
        status, log = quick.run("ferrule", "reload", check=False,
                                env={"WG_ENDPOINT_RESOLUTION_RETRIES": "0"})
        assert status == 1, f"{message}\n{log}"
        same(quick.machine() + quick.host.out("wg showconf wg0"), before, ("before", message))
    quick.run("ferrule", "down")


# Who can't tell when a peer is to go does not let it in.

@behaviour
def test_a_date_that_cannot_be_read_refuses_the_file(scene):
    quick = Quick(scene)
    before = quick.machine()
    dated = quick.config("PreUp = touch /run/hook") + "# Expires = {}\n"
    quick.write(dated.format("31.1.2027"))
    status, log = quick.run("ferrule", "up", check=False)
    assert status == 1 and f"{CONFIG}:10:13: Expires: expected a date, like 2027-01-31" in log, log
    assert not quick.host.exists("/run/hook") and quick.machine() == before
    quick.write(dated.format("2999-01-31"))
    quick.run("ferrule", "up")
    up = quick.machine() + quick.host.out("wg showconf wg0")
    expired = f"[Peer]\nPublicKey = {new_private_key().public}\n# Expires = 2001-01-01\n"
    status, log = reload(quick, expired + dated.format("tomorrow"), check=False)
    assert status == 1 and f"{CONFIG}:13:13: Expires: expected a date" in log, log
    same(quick.machine() + quick.host.out("wg showconf wg0"), up, ("before", "after"))
    _, log = reload(quick, dated.format("2001-01-31"))
    assert "expired on 2001-01-31: left out" in log, log
    assert quick.host.out("wg show wg0 peers") == ""
    quick.run("ferrule", "down")


@behaviour
def test_reload_changes_keys_ports_and_names_servers(scene):
    quick = Quick(scene)
    quick.write(quick.config("DNS = 1.1.1.1"))
    quick.run("ferrule", "up")
    psk = new_preshared_key()
    text = quick.config(peer=f"PresharedKey = {psk}\nAllowedIPs = 10.10.0.0/24")
    _, log = reload(quick, text.replace("7000", "7001"))
    assert "listen port 7000 -> 7001" in log and ": preshared key" in log, log
    assert str(psk) not in log
    assert not quick.host.exists("/run/resolvconf/wg0"), "the name server is still there"
    assert quick.host.out("wg show wg0 listen-port") == "7001"
    reload(quick, quick.config("DNS = 9.9.9.9"))
    assert "9.9.9.9" in quick.host.out("cat /run/resolvconf/wg0")
    quick.run("ferrule", "down")
    assert not quick.host.exists("/run/resolvconf/wg0")


@behaviour
def test_reload_leaves_what_others_made(scene):
    quick = Quick(scene)
    quick.write(quick.config("PostUp = ip route add 10.77.0.0/16 dev %i"))
    quick.run("ferrule", "up")
    reload(quick, quick.config(peer="AllowedIPs = 10.10.0.0/16"))
    assert "10.77.0.0/16" in quick.host.out("ip route show dev wg0")
    quick.run("ferrule", "down")


# A reload of a file that nobody has edited changes nothing, however it is written.

def odd_files(quick):
    key = str(quick.key)
    other = new_private_key().public
    yield "a raw key", quick.config().replace(key, str(Key(b"\xff" * 32)))
    yield "any port", quick.config().replace("7000", "0")
    yield "a peer in two sections", (
        quick.config(peer="AllowedIPs = 10.20.0.0/16")
        + f"[Peer]\nPublicKey = {quick.right.public_key}\nAllowedIPs = 10.10.0.0/24\n")
    yield "its own peer", quick.config() + f"[Peer]\nPublicKey = {quick.key.public}\n"
    yield "signs", quick.config(peer="AllowedIPs = +10.10.0.0/24, -10.99.0.0/16")
    yield "host bits, and twice", quick.config(peer="AllowedIPs = 10.10.0.7/24, 10.10.0.0/24, FD10::7/64")
    yield "a small MTU", quick.config("MTU = 1200")
    yield "a name", quick.config(endpoint="right.test:51820")
    yield "no name", quick.config() + f"[Peer]\nPublicKey = {other}\nEndpoint = lost.test:1\n"
    yield "a mapped endpoint", quick.config(endpoint="[::ffff:192.0.2.2]:51820")
    yield "DNS", quick.config("DNS = 1.1.1.1,FD10::53 Corp.Example")
    yield "everything", quick.config("FwMark = off", peer=EVERYTHING)


@behaviour(deadline_s=120)
def test_a_reload_of_an_unchanged_file_is_no_change(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2 right.test\n192.0.2.77")
    for name, text in odd_files(quick):
        quick.write(text)
        quick.run("ferrule", "up")
        for _ in range(2):
            _, log = quick.run("ferrule", "reload")
            assert "wg0: no change\n" in log and "[#]" not in log, f"{name}\n{log}"
        quick.run("ferrule", "down")


@behaviour
def test_a_reload_leaves_a_peer_that_has_roamed(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    quick.host.run(f"wg set wg0 peer {quick.right.public_key} endpoint 192.0.2.2:51999")
    assert "no change" in quick.run("ferrule", "reload")[1]
    assert "endpoint 192.0.2.2:51999 -> 192.0.2.9:7" in reload(
        quick, quick.config(endpoint="192.0.2.9:7"))[1]
    quick.run("ferrule", "down")
