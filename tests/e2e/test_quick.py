"""`ferrule up` and its like beside wg-quick, on the same files: the machine is the same after both.

    left                                        right
    wg0, by wg-quick or by ferrule              wg0, and 203.0.113.9 behind it
    192.0.2.1 ───────────────────────────────── 192.0.2.2

What either of them starts is the daemon under test. resolvconf is a script that keeps what it is told
in /run/resolvconf.
"""

import difflib
import json
import os
import re
import shutil
import signal
import stat

from lib.registry import Skip, behaviour
from lib.scene import RIGHT_INSIDE
from lib.traffic import must_ping
from lib.tunnel import new_private_key
from lib.wait import eventually

FOLDER = "/run/test"
CONFIG = f"{FOLDER}/wg0.conf"
BIN = f"{FOLDER}/bin"

PUBLIC_KEY = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI="

RESOLVCONF = r"""#!/bin/sh
mkdir -p /run/resolvconf
case "$1" in
  -a) { echo "$*"; cat; } >"/run/resolvconf/$2" ;;
  -d) rm -f "/run/resolvconf/$2" ;;
  -l) grep -v ^-a "/run/resolvconf/$2" ;;
esac
"""


class Quick:
    """A host to bring interfaces up on, its peer, and the two tools."""

    def __init__(self, scene):
        if shutil.which("wg-quick") is None:
            raise Skip("wg-quick is not installed")
        self.scene = scene
        self.paths = {"wg-quick": "wg-quick", "ferrule": f"{scene.build_dir}/ferrule"}
        if not os.path.exists(self.paths["ferrule"]):
            raise Skip("ferrule is not built")
        self.host, right = scene.linked_hosts()
        os.makedirs(self.host.path("/run/wireguard"), exist_ok=True)
        right.address("lo", "203.0.113.9/32", "2001:db8:99::9/128")
        self.right = scene.tunnel(right, RIGHT_INSIDE)
        self.key = new_private_key()
        self.right.set(f"peer {self.key.public} allowed-ips 10.10.0.1/32,fd10::1/128")
        self.script("resolvconf", RESOLVCONF)

    def script(self, name, text):
        self.host.write(f"{BIN}/{name}", text)
        os.chmod(self.host.path(f"{BIN}/{name}"), 0o755)

    def config(self, interface="", peer="AllowedIPs = 10.10.0.0/24, fd10::/64",
               address="Address = 10.10.0.1/24, fd10::1/64", endpoint="192.0.2.2:51820"):
        return (f"[Interface]\nPrivateKey = {self.key}\nListenPort = 7000\n{address}\n{interface}\n"
                f"[Peer]\nPublicKey = {self.right.public_key}\nEndpoint = {endpoint}\n{peer}\n")

    def write(self, text, path=CONFIG):
        self.host.write(path, text)
        os.chmod(self.host.path(path), 0o600)

    def forget_state(self):
        """The next `ferrule up` is the first one on this machine."""
        self.host.run("rm -f /var/lib/ferrule/wg0.state")

    def run(self, tool, verb, check=True, path=CONFIG, env=None, folder="/"):
        """(status, output). The output goes by a file: a daemon may hold what it was given open."""
        command = (f"cd {folder}; PATH={BIN}:$PATH {self.paths[tool]} {verb} {path} "
                   ">/run/quick.log 2>&1")
        result = self.host.run(["sh", "-c", command], check=False, env={
            "WG_QUICK_USERSPACE_IMPLEMENTATION": self.scene.subject.path, **(env or {})})
        log = read(self.host, "/run/quick.log")
        assert not check or result.returncode == 0, f"{tool} {verb}:\n{log}"
        return result.returncode, log

    def machine(self):
        """Everything that the tools may change, but for what the kernel draws by lot: numbers of
        interfaces and link-local addresses."""
        ordered = ("ip -br link", "ip -d rule", "ip -d -6 rule", "nft list ruleset",
                   "ls -A /run/wireguard", "sh -c 'grep . /sys/class/net/*/mtu'",
                   "sh -c 'cat /run/resolvconf/* 2>/dev/null || true'")
        sorts = ("ip -d -o addr show", "ip route show table all", "ip -6 route show table all")
        lines = [line for command in ordered for line in self.host.out(command).splitlines()]
        for command in sorts:
            lines += sorted(_without_lots(self.host.out(command)).splitlines())
        return _without_lots("\n".join(lines))

    def is_as(self, before):
        try:
            eventually(lambda: self.machine() == before, "the machine is as it was")
        except AssertionError:
            same(self.machine(), before, ("before", "after"))
            raise


def _without_lots(text):
    text = re.sub(r"fe80::[0-9a-f:]+:[0-9a-f:]+", "fe80::x", text)
    return re.sub(r"^\d+: ", "", text, flags=re.MULTILINE)


def read(host, path):
    with open(host.path(path)) as file:
        return file.read()


def same(ours, theirs, names=("wg-quick", "ferrule")):
    if ours != theirs:
        raise AssertionError("\n".join(difflib.unified_diff(
            theirs.splitlines(), ours.splitlines(), *names, lineterm="", n=0)))


def files(quick):
    """What people have in /etc/wireguard."""
    everything = "AllowedIPs = 0.0.0.0/0, ::/0"
    yield "split tunnel", quick.config()
    yield "split tunnel with a wider way", quick.config(
        peer="AllowedIPs = 10.10.0.0/16, 10.10.0.2/32\nAllowedIPs = fd10::2/128,192.168.7.0/24")
    yield "full tunnel", quick.config(peer=everything)
    yield "full tunnel, IPv4 alone", quick.config(
        address="Address = 10.10.0.1", peer="AllowedIPs = 0.0.0.0/0")
    yield "full tunnel, IPv6 alone", quick.config(
        address="Address = fd10::1/128", peer="AllowedIPs = ::/0")
    yield "full tunnel in halves", quick.config(
        peer="AllowedIPs = 0.0.0.0/1, 128.0.0.0/1, ::/1, 8000::/1")
    yield "full tunnel with a mark of its own", quick.config("FwMark = 0x1234", peer=everything)
    yield "full tunnel with DNS", quick.config(
        "DNS = 1.1.1.1, fd10::53\nDNS = corp.example\nDNS=lan", peer=everything)
    yield "DNS between spaces", quick.config("DNS = 1.1.1.1 8.8.8.8")
    yield "search domains alone", quick.config("DNS = corp.example")
    yield "no table", quick.config("Table = off", peer=everything)
    yield "no table, but a mark", quick.config("Table = off\nFwMark = 0x77", peer=everything)
    yield "a table", quick.config("Table = 1234", peer=everything + ", 10.20.0.0/16")
    yield "a table in hex", quick.config("Table = 0x4d2", peer="AllowedIPs = 10.20.0.0/16, ::/0")
    yield "a table in octal", quick.config("Table = 0100", peer="AllowedIPs = 10.20.0.0/16")
    yield "table 0", quick.config("Table = 0", peer="AllowedIPs = 10.20.0.0/16, fd20::/64")
    yield "a table and a mark", quick.config("Table = 5\nFwMark = 99", peer=everything)
    yield "automatic table", quick.config("Table = auto")
    yield "main table by name", quick.config("Table = main", peer="AllowedIPs = 10.20.0.0/16")
    yield "MTU", quick.config("MTU = 1333")
    yield "no mark, said so", quick.config("FwMark = off", peer=everything)
    yield "hosts without a prefix length", quick.config(peer="AllowedIPs = 10.30.0.1, fd30::1")
    yield "the endpoint by its own tunnel", quick.config(
        peer="AllowedIPs = 192.0.2.2/32, 2001:db8::2/128, 192.0.0.0/16")
    yield "an endpoint of IPv6", quick.config(endpoint="[2001:db8::2]:51820", peer=everything)
    yield "no endpoint", quick.config().replace("Endpoint", "#")
    yield "a prefix that two peers have", quick.config(
        peer=f"AllowedIPs = 10.30.0.0/16, ::/0\n[Peer]\nPublicKey = {PUBLIC_KEY}\n"
             "AllowedIPs = 10.30.0.0/16, 10.31.0.1")
    yield "keys that say nothing", quick.config("DNS =\nMTU =\nTable =\nPostUp =")
    yield "several addresses", quick.config(
        address="Address = 10.10.0.1/24, 10.10.0.7/24,10.11.0.1/32\nAddress = fd10::1/64 fd11::1")
    yield "names in any case, and comments", quick.config(
        "  dns=9.9.9.9 # quad9\nmtu =1400\n# Address = 10.9.9.9/24\n;", peer="ALLOWEDIPS = ::/0"
        ).replace(";", "").replace("[Interface]", "[interface]  # ours")
    yield "hooks", quick.config(
        "PreUp = echo pre %i >/run/hook\nPostUp = ip rule add to 10.10.0.2 table 123; true\n"
        "PostUp = iface=%i; [[ $iface == wg+([0-9]) ]] && ip route add 10.77.0.0/16 dev %i\n"
        "PostDown = ip rule del to 10.10.0.2 table 123\nPreDown = rm /run/hook")


# The same links, addresses, routes, rules, packet filter and name servers; and none of it after down.

@behaviour(deadline_s=180)
def test_up_does_what_wg_quick_does(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    before = quick.machine()
    for name, text in files(quick):
        quick.write(text)
        states = []
        for tool in ("wg-quick", "ferrule"):
            quick.forget_state()
            quick.run(tool, "up")
            states.append(f"{name}\n{quick.machine()}\n{quick.host.out('wg showconf wg0')}")
            quick.run(tool, "down")
            quick.is_as(before)
        same(states[1], states[0])


# Either takes down what the other has brought up.

@behaviour(deadline_s=60)
def test_up_and_down_may_be_of_different_tools(scene):
    quick = Quick(scene)
    before = quick.machine()
    quick.write(quick.config("DNS = 1.1.1.1", peer="AllowedIPs = 0.0.0.0/0, ::/0"))
    for up, down in (("wg-quick", "ferrule"), ("ferrule", "wg-quick")):
        quick.run(up, "up")
        quick.run(down, "down")
        quick.is_as(before)


@behaviour
def test_a_full_tunnel_carries_all_but_its_own(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    quick.write(quick.config(peer="AllowedIPs = 0.0.0.0/0, ::/0"))
    quick.run("ferrule", "up")
    must_ping(quick.host, "203.0.113.9")
    must_ping(quick.host, "2001:db8:99::9")
    assert "dev wg0" in quick.host.out("ip route get 203.0.113.9")
    assert "dev eth0" in quick.host.out("ip route get 192.0.2.2 mark 0xca6c")
    quick.run("ferrule", "down")


# --- what fails is taken back -----------------------------------------------------------------

def failures(quick):
    """(what the message must hold, a file, what stands in its way)"""
    everything = "AllowedIPs = 0.0.0.0/0, ::/0"
    yield (r"wg0\.conf:5:9: the command ended with status 3",
           quick.config("PreUp = (exit 3)"), "")
    yield r"wg0\.conf:5:10: the command ended", quick.config("PostUp = false", peer=everything), ""
    yield (r"wg0\.conf:4:1\d: .*10\.10\.0\.1/24: File exists",
           quick.config(address="Address = 10.10.0.1/24, 10.10.0.1/24"), "")
    yield r"wg0\.conf:4:11: Address: expected", quick.config(address="Address = 10.10.0.x"), ""
    yield (r"wg0\.conf:\d+:\d+: .*10\.20\.0\.0/16: File exists",
           quick.config(peer="AllowedIPs = 0.0.0.0/0, 10.20.0.0/16"),
           "ip route {} 10.20.0.0/16 dev eth0")
    yield (r"wg0\.conf:\d+:14: .*0\.0\.0\.0/0: File exists",
           quick.config("FwMark = 77", peer=everything), "ip route {} default dev eth0 table 77")
    yield r"wg0\.conf:5:7: resolvconf ended with status 7", quick.config("DNS = 6.6.6.6"), ""
    yield r"wg0\.conf:5:7: .*MTU 10", quick.config("MTU = 10"), ""
    yield r"wg0\.conf:5:10: the shell can't read this", quick.config("PostUp = echo 'a"), ""
    yield r"wg0\.conf:5:9: Table: there is no", quick.config("Table = nosuch"), ""


@behaviour(deadline_s=90)
def test_a_step_that_fails_leaves_the_machine_as_it_was(scene):
    quick = Quick(scene)
    quick.script("resolvconf", RESOLVCONF + "grep -q 6.6.6.6 /run/resolvconf/wg0 && exit 7 || :\n")
    quick.host.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
    for message, text, obstacle in failures(quick):
        if obstacle:
            quick.host.run(obstacle.format("add"))
        quick.write(text)
        before = quick.machine()
        status, log = quick.run("ferrule", "up", check=False,
                                env={"WG_ENDPOINT_RESOLUTION_RETRIES": "0"})
        assert status == 1 and re.search(message, log), f"{message}:\n{log}"
        quick.is_as(before)
        assert quick.host.out("sysctl -n net.ipv4.conf.all.src_valid_mark") == "0", message
        if obstacle:
            quick.host.run(obstacle.format("del"))


@behaviour
def test_a_failed_up_waits_until_its_daemon_is_gone(scene):
    quick = Quick(scene)
    quick.write(quick.config("PostUp = touch /run/test/held; while test -e /run/test/held; do sleep 0.02; done; false"))
    up = quick.host.spawn([quick.paths["ferrule"], "up", CONFIG], log_name="up.log", env={
        "WG_QUICK_USERSPACE_IMPLEMENTATION": scene.subject.path})
    held = quick.host.path("/run/test/held")
    eventually(lambda: os.path.exists(held), "the hook runs")
    (daemon,) = daemons(quick)
    os.kill(daemon, signal.SIGSTOP)
    try:
        os.remove(held)
        eventually(lambda: not quick.host.has_link("wg0"), "the interface is gone")
        assert up.running(), "whoever brings it up again would meet the old daemon"
    finally:
        os.kill(daemon, signal.SIGCONT)
    eventually(lambda: not up.running(), "it ends")
    assert "wg0.sock" not in quick.host.out("ls /run/wireguard")


# What of a file would keep `up` from bringing it up on this machine is an error of `check`.

def errors_of(quick, env=None):
    words = f"PATH={BIN}:$PATH {quick.paths['ferrule']} check --json {CONFIG}"
    result = quick.host.run(["sh", "-c", words], check=False, env={
        "WG_QUICK_USERSPACE_IMPLEMENTATION": quick.scene.subject.path, **(env or {})})
    return {found["rule"] for found in json.loads(result.stdout) if found["severity"] == "error"}


@behaviour(deadline_s=90)
def test_check_finds_what_up_would_fail_at(scene):
    quick = Quick(scene)
    quick.script("resolvconf", RESOLVCONF)
    run_first = "the command ended", "resolvconf ended"     # what only running it tells
    for message, text, obstacle in failures(quick):
        if any(words in message for words in run_first):
            continue
        if obstacle:
            quick.host.run(obstacle.format("add"))
        quick.write(text)
        assert errors_of(quick), message
        if obstacle:
            quick.host.run(obstacle.format("del"))
    quick.write(quick.config())
    assert errors_of(quick) == set()
    with quick.host.udp(port=7000):
        assert errors_of(quick) == {"port-taken"}
    assert errors_of(quick, {"WG_QUICK_USERSPACE_IMPLEMENTATION": "/nowhere/f"}) == {"no-daemon"}
    quick.host.run("ip tuntap add wg0 mode tun")
    assert errors_of(quick) == {"name-taken"}
    quick.host.run("ip link del wg0")
    quick.write(quick.config("DNS = 1.1.1.1"))
    quick.script("resolvconf", "")
    os.remove(quick.host.path(f"{BIN}/resolvconf"))
    assert errors_of(quick) == {"no-resolvconf"}
    quick.write(quick.config())
    quick.run("ferrule", "up")
    assert errors_of(quick) == set(), "the tunnel is not in its own way"
    quick.run("ferrule", "down")


# And what `check` finds, `up` says in a line.

@behaviour
def test_up_warns_of_what_check_finds(scene):
    quick = Quick(scene)
    for text, words in (
            (quick.config("MTU = 1000"), ":5: MTU: IPv6 needs 1280 bytes"),
            (quick.config(peer="AllowedIPs = 192.0.2.2/32"), "would go into the tunnel itself"),
            (quick.config("ListenPort = 7000"), ":5: ListenPort stands in line 3 already"),
            (quick.config(endpoint="nowhere.invalid:1"), "Endpoint: the name was not found")):
        quick.write(text)
        _, log = quick.run("ferrule", "up")
        line = next(line for line in log.splitlines() if words in line)
        assert line.startswith(f"Warning: {CONFIG}:"), log
        quick.run("ferrule", "down")


# As of two files with the same ListenPort.

@behaviour
def test_up_tells_that_its_port_is_taken(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    before = quick.machine()
    with quick.host.udp(port=7000):
        for tool in ("wg-quick", "ferrule"):
            status, log = quick.run(tool, "up", check=False)
            assert status == 1 and "Address already in use" in log, log
            quick.is_as(before)


@behaviour
def test_up_without_a_daemon_says_so(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    before = quick.machine()
    for daemon in ("/nowhere/ferruled", "false"):
        status, log = quick.run("ferrule", "up", check=False,
                                env={"WG_QUICK_USERSPACE_IMPLEMENTATION": daemon})
        assert status == 1 and daemon in log, log
        assert quick.machine() == before


@behaviour
def test_a_key_in_a_hook_is_not_echoed(scene):
    quick = Quick(scene)
    secret = str(new_private_key())
    hooks = (f"PreUp = test {secret} = {secret}", f"PostUp = true '{secret[:-1]}'",
             f"PostDown = : <(echo {secret}) /usr/share/a/path/that/is/as/long/as/any/key/at/all")
    quick.write(quick.config("\n".join(hooks)))
    logs = "".join(quick.run("ferrule", verb)[1] for verb in ("up", "down"))
    assert "[#] test ****" in logs and "/a/path/that/is/as/long/as/any/key/at/all" in logs, logs
    assert secret[:8] not in logs, logs


@behaviour
def test_an_interface_that_is_there_is_left_alone(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.host.run("ip tuntap add wg0 mode tun")
    before = quick.machine()
    for verb, message in (("up", "already exists"), ("down", "not a WireGuard interface"),
                          ("save", "not a WireGuard interface")):
        status, log = quick.run("ferrule", verb, check=False)
        assert status == 1 and message in log, log
        assert quick.machine() == before


# --- strip, save, and where files are ------------------------------------------------------------

@behaviour(deadline_s=60)
def test_strip_prints_what_wg_quick_strip_prints(scene):
    quick = Quick(scene)
    odd = ("# before\n[interface] # x\n  PrivateKey = k \t\n address = 1\nAddress\n\n;MTU=1\n#MTU=1\n"
           "[Peer]\nMTU = 5\nEndpoint = a\\b:1\n  \n[Interface]\nSaveConfig=true\n[x]\nDNS=1\nend")
    texts = [text for _, text in files(quick)] + [odd, "", "\n\n", "[Interface]\nMTU = 1"]
    for text in texts:
        quick.write(text)
        outcomes = [quick.run(tool, "strip") for tool in ("wg-quick", "ferrule")]
        same(outcomes[1][1], outcomes[0][1])


@behaviour(deadline_s=60)
def test_save_writes_what_wg_quick_save_writes(scene):
    quick = Quick(scene)
    for lines in ("SaveConfig = true", "MTU = 1400\nTable = off\nDNS = 1.1.1.1,8.8.8.8",
                  "PreUp = true %i\nPostUp = true 1\nPostUp = true 2\nPreDown = :\nPostDown = : 3"):
        text = quick.config(lines)
        quick.write(text)
        quick.run("ferrule", "up")
        quick.host.run(f"wg set wg0 peer {new_private_key().public} allowed-ips 10.66.0.0/16")
        quick.host.run("ip addr add 10.10.0.99/24 dev wg0")
        saved = []
        for tool in ("wg-quick", "ferrule"):
            quick.write(text)
            quick.run(tool, "save")
            saved.append(read(quick.host, CONFIG))
        # The kernel's own address of a tunnel interface is another one each time: ours leaves it out.
        assert "Address = fe80::" not in saved[1]
        same(saved[1], re.sub(r"Address = fe80::.*\n", "", saved[0]))
        status = os.stat(quick.host.path(CONFIG))
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert sorted(os.listdir(quick.host.path(FOLDER))) == [".undo", "bin", "wg0.conf"]
        quick.run("ferrule", "down")


@behaviour
def test_save_keeps_comments_and_peers_that_are_off(scene):
    quick = Quick(scene)
    notes = "# Implementation = ferruled\n# Endpoint = vpn.example:7000\n# ClientDNS = 10.10.0.1\n"
    text = "# Ours\n" + quick.config(notes).replace("[Peer]\n", "[Peer] # 1\n# Name = right\n")
    text += f"\n#~ [Peer]\n#~ # Name = away\n#~ PublicKey = {new_private_key().public}\n"
    text += f"\n[Peer]\n# Name = old\n# Expires = 2001-01-01\nPublicKey = {new_private_key().public}\n"
    quick.write(text)
    quick.run("ferrule", "up")
    quick.run("ferrule", "save")
    saved = read(quick.host, CONFIG)
    for line in text.splitlines():
        assert not line.startswith(("#", "PublicKey")) or line in saved, f"{line}\n{saved}"
    assert saved.startswith("# Ours\n[Interface]\n# Implementation")
    assert "[Peer] # 1\n# Name = right\n" in saved
    # Other tools read it.
    quick.host.run(["sh", "-c", f"wg-quick strip {CONFIG} | wg syncconf wg0 /dev/stdin"])
    quick.write(saved)
    quick.run("ferrule", "save")
    same(read(quick.host, CONFIG), saved, ("saved", "saved again"))
    quick.run("ferrule", "down")


@behaviour
def test_down_saves_where_the_file_wants_it(scene):
    quick = Quick(scene)
    quick.write(quick.config("SaveConfig = true"))
    quick.run("ferrule", "up")
    peer = new_private_key().public
    quick.host.run(f"wg set wg0 peer {peer} allowed-ips 10.66.0.0/16")
    quick.run("ferrule", "down")
    assert f"PublicKey = {peer}" in read(quick.host, CONFIG)
    quick.run("ferrule", "up")
    must_ping(quick.host, quick.right.inside4)
    quick.run("ferrule", "down")


@behaviour
def test_down_saves_the_file_as_hooks_have_left_it(scene):
    quick = Quick(scene)
    rename = f"{quick.paths['ferrule']} peer rename {CONFIG} right renamed"
    quick.write(quick.config(f"SaveConfig = true\nPreDown = {rename}").replace(
        "[Peer]\n", "[Peer]\n# Name = right\n"))
    quick.run("ferrule", "up")
    quick.run("ferrule", "down")
    saved = read(quick.host, CONFIG)
    assert "[Peer]\n# Name = renamed\n" in saved, saved


@behaviour
def test_down_leaves_a_file_that_it_cannot_read_and_says_where(scene):
    quick = Quick(scene)
    before = quick.machine()
    text = quick.config(f"SaveConfig = true\nPreDown = echo Adress=1 >>{CONFIG}")
    quick.write(text)
    quick.run("ferrule", "up")
    _, log = quick.run("ferrule", "down", check=False)
    assert f"{CONFIG}:11:1: Adress is not a key" in log and "is not saved" in log, log
    assert read(quick.host, CONFIG) == text + "Adress=1\n"
    quick.is_as(before)


# `down` takes back what `up` did, whatever has become of file, peers and daemon since.

def meanwhile(quick):
    text = quick.config("DNS = 1.1.1.1\nPostDown = rm /run/hook", peer="AllowedIPs = 0.0.0.0/0, ::/0")
    peer = quick.right.public_key
    yield "a peer removed", text, lambda: quick.host.run(f"wg set wg0 peer {peer} remove")
    yield "a mark changed", text, lambda: quick.host.run("wg set wg0 fwmark 7")
    yield "Table = off", text, lambda: quick.write(text.replace("DNS", "Table = off\nDNS"))
    yield "a bad line", text, lambda: quick.write(text + "Adress = 1\n")
    yield "DNS and hook gone", text, lambda: quick.write(quick.config())
    yield "the file gone", text, lambda: os.remove(quick.host.path(CONFIG))
    yield "the daemon killed", text, lambda: kill_daemon(quick)


def daemons(quick):
    """The process of this host's wg0."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
            here = os.readlink(f"/proc/{pid}/ns/net") == os.readlink(
                f"/proc/{quick.host.pid}/ns/net")
        except OSError:
            continue
        if here and words[0].endswith("ferruled") and words[1] == "wg0":
            found.append(int(pid))
    return found


def kill_daemon(quick):
    for pid in daemons(quick):
        os.kill(pid, 9)
    eventually(lambda: not quick.host.has_link("wg0"), "its interface is gone")


@behaviour(deadline_s=90)
def test_down_takes_back_what_up_did_whatever_came_between(scene):
    quick = Quick(scene)
    before = quick.machine()
    for name, text, change in meanwhile(quick):
        quick.host.write("/run/hook", "")
        quick.write(text)
        quick.run("ferrule", "up")
        change()
        status, log = quick.run("ferrule", "down", check=False)
        assert status == 0, f"{name}\n{log}"
        assert not os.path.exists(quick.host.path("/run/hook")), name
        eventually(lambda: not quick.host.has_link("wg0"), name)
        if "killed" in name:
            quick.host.run("rm -f /run/wireguard/wg0.sock")
        quick.is_as(before)


@behaviour
def test_of_hooks_whose_effect_stays_is_said(scene):
    quick = Quick(scene)
    for hooks, words in (("PreUp = true\nPostUp = false", "what PreUp and PostUp did"),
                         ("PreUp = true\nMTU = 10", "what PreUp did"),
                         ("PostUp = true\nPostUp = false", "what PostUp did")):
        quick.write(quick.config(hooks))
        status, log = quick.run("ferrule", "up", check=False)
        assert status == 1 and words in log, log


@behaviour
def test_files_are_found_by_the_name_of_their_interface(scene):
    quick = Quick(scene)
    quick.host.run("mount -t tmpfs tmpfs /etc/wireguard")
    quick.write(quick.config(), "/etc/wireguard/wg+=_.-9.conf")
    quick.run("ferrule", "up", path="wg+=_.-9")
    assert quick.host.has_link("wg+=_.-9")
    quick.run("ferrule", "down", path="wg+=_.-9")
    for path in ("wg1", "/etc/wireguard/wg1.conf", "/etc/passwd", f"{FOLDER}/much-too-long-to-be.conf"):
        status, log = quick.run("ferrule", "up", check=False, path=path)
        assert status == 1 and ("does not exist" in log or "valid interface name" in log), log


# What is refused is followed by what can be done.

@behaviour
def test_what_is_refused_comes_with_what_to_do(scene):
    quick = Quick(scene)
    quick.host.run("mount -t tmpfs tmpfs /etc/wireguard")
    quick.write(quick.config(), "/etc/wireguard/office.conf")
    quick.write(quick.config())
    long = f"{FOLDER}/much-too-long-to-be.conf"
    for verb, path, folder, words in (
            ("up", "wg0.conf", FOLDER, "say `./wg0.conf'"),
            ("up", "office.conf", "/", "say `office'"),
            ("up", "offise", "/", "; did you mean `office'?"),
            ("up", "nothing", "/", "There are: office"),
            ("up", long, "/", "15 at most"),
            ("up", f"{FOLDER}/wg0.txt", "/", "does not end with `.conf'"),
            ("up", f"{FOLDER}/wg 0.conf", "/", "letters, digits and")):
        if path.startswith(FOLDER):
            quick.write(quick.config(), path)
        status, log = quick.run("ferrule", verb, check=False, path=f"'{path}'", folder=folder)
        assert status == 1 and words in log, log
    quick.run("ferrule", "up")
    assert "ferrule reload" in quick.run("ferrule", "up", check=False)[1]
    quick.write(quick.config(), f"{FOLDER}/wg7.conf")
    log = quick.run("ferrule", "up", check=False, path=f"{FOLDER}/wg7.conf")[1]
    assert "ListenPort: 7000 is wg0's" in log and "Address already in use" in log, log
    assert "Up are: wg0" in quick.run("ferrule", "down", check=False, path=f"{FOLDER}/wg7.conf")[1]
    quick.run("ferrule", "down")
    quick.host.run("ip tuntap add wg0 mode tun")
    assert "none of WireGuard's" in quick.run("ferrule", "up", check=False)[1]


@behaviour
def test_the_kernels_own_words_are_told(scene):
    quick = Quick(scene)
    quick.write(quick.config(address="Address = 10.10.0.1/24, 10.10.0.1/24"))
    log = quick.run("ferrule", "up", check=False)[1]
    assert "10.10.0.1/24: File exists: ipv4: Address already assigned" in log, log


@behaviour
def test_files_that_all_may_read_are_warned_of(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    for mode, is_warned in ((0o600, False), (0o640, False), (0o644, True)):
        os.chmod(quick.host.path(CONFIG), mode)
        outcomes = [quick.run(tool, "strip")[1] for tool in ("wg-quick", "ferrule")]
        assert all(("world accessible" in text) == is_warned for text in outcomes), oct(mode)


# --- as wg-quick -----------------------------------------------------------------------------------

@behaviour
def test_called_wg_quick_it_is_wg_quick(scene):
    quick = Quick(scene)
    quick.host.run(f"ln -s {quick.paths['ferrule']} {BIN}/wg-quick")
    quick.paths["ours"] = f"{BIN}/wg-quick"
    before = quick.machine()
    quick.write(quick.config())
    quick.run("ours", "up")
    must_ping(quick.host, quick.right.inside4)
    quick.run("ours", "down")
    quick.is_as(before)
    for words in ("", "show", "up", "frobnicate"):
        outcomes = [quick.run(tool, words, check=False, path="")[0]
                    for tool in ("wg-quick", "ours")]
        assert outcomes[0] == outcomes[1], (words, outcomes)


# --- names -----------------------------------------------------------------------------------------

def name_right(quick, address):
    """right.test is at `address`, for whoever looks it up on the host."""
    quick.host.write(f"{FOLDER}/hosts", f"127.0.0.1 localhost\n{address} right.test\n")
    if "/etc/hosts" not in quick.host.out("cat /proc/self/mounts"):
        quick.host.run(f"mount --bind {FOLDER}/hosts /etc/hosts")


def followers(quick):
    """Processes on this host that follow names."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline") as file:
                words = file.read().split("\0")
            here = os.readlink(f"/proc/{pid}/ns/net") == os.readlink(
                f"/proc/{quick.host.pid}/ns/net")
        except OSError:
            continue
        if here and words[1:3] == ["resolve", "--follow"]:
            found.append(int(pid))
    return found


def endpoint(quick):
    return quick.host.out("wg show wg0 endpoints").split("\t")[1]


@behaviour(deadline_s=60)
def test_a_name_that_moves_is_followed(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.77")
    quick.write(quick.config(endpoint="right.test:51820"))
    quick.run("ferrule", "up")
    # It would wait for minutes; one that waits less takes over.
    os.kill(eventually(lambda: followers(quick), "it follows")[0], 9)
    quick.host.spawn([quick.paths["ferrule"], "resolve", "--follow", "--after", "1", CONFIG],
                     log_name="resolve.log")
    assert endpoint(quick) == "192.0.2.77:51820"
    name_right(quick, "192.0.2.2")
    eventually(lambda: endpoint(quick) == "192.0.2.2:51820", "the name is looked up again")
    must_ping(quick.host, quick.right.inside4)
    quick.run("ferrule", "down")
    eventually(lambda: not followers(quick), "nobody follows names of an interface that is gone")


@behaviour
def test_up_follows_names_where_there_are_any(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2")
    for place, count in (("192.0.2.2:51820", 0), ("right.test:51820", 1)):
        quick.write(quick.config(endpoint=place))
        quick.run("ferrule", "up")
        eventually(lambda: len(followers(quick)) == count, "names are followed")  # noqa: B023
        quick.run("ferrule", "down")
        eventually(lambda: not followers(quick), "nobody follows names")


@behaviour
def test_resolve_tells_programs_what_came_of_it(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.77")
    quick.write(quick.config(endpoint="right.test:51820"))
    quick.run("ferrule", "up")
    for pid in followers(quick):
        os.kill(pid, 9)
    resolve = [quick.paths["ferrule"], "resolve", "--json", CONFIG]
    assert quick.host.out(resolve) == "", "nothing has moved"
    name_right(quick, "192.0.2.2")
    about = {"version": 1, "interface": "wg0", "peer": str(quick.right.public_key), "host": "right.test"}
    assert json.loads(quick.host.out(resolve)) == {**about, "endpoint": "192.0.2.2:51820"}
    quick.host.write(f"{FOLDER}/hosts", "127.0.0.1 localhost\n")
    told = json.loads(quick.host.out(resolve))
    assert told.pop("error") and told == about, told
    quick.run("ferrule", "down")


@behaviour
def test_names_of_peers_that_answer_are_left_alone(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2")
    quick.write(quick.config(endpoint="right.test:51820"))
    quick.run("ferrule", "up")
    must_ping(quick.host, quick.right.inside4)
    name_right(quick, "192.0.2.77")
    quick.run("ferrule", "resolve")
    assert endpoint(quick) == "192.0.2.2:51820"
    quick.run("ferrule", "down")


# One peer's name that nobody knows is not the tunnel's trouble; when it is known, the peer is found.

@behaviour(deadline_s=60)
def test_a_name_that_is_not_found_keeps_no_other_peer_down(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2")
    stranger = new_private_key().public
    lost = f"[Peer]\nPublicKey = {stranger}\nAllowedIPs = 10.99.0.0/24\nEndpoint = lost.test:7001\n"
    for retries in ("infinity", "0"):
        quick.write(quick.config(endpoint="right.test:51820") + lost)
        _, log = quick.run("ferrule", "up", env={"WG_ENDPOINT_RESOLUTION_RETRIES": retries})
        assert "Endpoint: the name was not found" in log, log
        must_ping(quick.host, quick.right.inside4)
        assert f"{stranger}\t(none)" in quick.host.out("wg show wg0 endpoints")
        quick.host.write(f"{FOLDER}/hosts", "192.0.2.2 right.test\n192.0.2.2 lost.test\n")
        eventually(lambda: f"{stranger}\t192.0.2.2:7001" in quick.host.out("wg show wg0 endpoints"),
                   "the name is looked up again")
        name_right(quick, "192.0.2.2")
        quick.run("ferrule", "down")
        eventually(lambda: not followers(quick), "nobody follows names")


@behaviour(deadline_s=60)
def test_where_one_family_leads_nowhere_the_other_is_tried(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2\tright.test\n2001:db8::77")
    quick.write(quick.config(endpoint="right.test:51820"))
    quick.run("ferrule", "up")
    if "2001:db8::77" not in endpoint(quick):
        quick.host.run(f"wg set wg0 peer {quick.right.public_key} endpoint [2001:db8::77]:51820")
    os.kill(followers(quick)[0], 9)     # one that waits less takes over
    quick.host.spawn([quick.paths["ferrule"], "resolve", "--follow", "--after", "2", CONFIG],
                     log_name="resolve.log")
    quick.host.spawn(f"ping -i 0.3 -w 40 {quick.right.inside4}", log_name="ping.log")
    eventually(lambda: endpoint(quick) == "192.0.2.2:51820", "the other address is tried",
               timeout_s=30)
    quick.run("ferrule", "down")


# Who has the lock could be anybody, if it were a name that anybody may take.

@behaviour
def test_a_stranger_cannot_stop_the_following_of_names(scene):
    quick = Quick(scene)
    name_right(quick, "192.0.2.2")
    quick.write(quick.config(endpoint="right.test:51820"))
    taken = ("import socket,time; s=socket.socket(socket.AF_UNIX,socket.SOCK_DGRAM);"
             "s.bind(chr(0)+'ferrule-resolve/wg0'); time.sleep(30)")
    quick.host.spawn(["setpriv", "--reuid=65534", "--clear-groups", "python3", "-c", taken],
                     log_name="stranger.log")
    quick.run("ferrule", "up")
    eventually(lambda: len(followers(quick)) == 1, "names are followed")
    found = "find /run/ferrule -name resolve-*-wg0.lock -perm 600 -uid 0"
    eventually(lambda: "wg0.lock" in quick.host.out(found), "the lock is root's")
    quick.run("ferrule", "down")
