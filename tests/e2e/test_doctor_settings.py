"""`ferrule doctor` finds each fault wherever it is, and none where there is none. Four settings:

    fresh     no word has been spoken
    session   a session is young, and worth nothing once the fault is there
    network   the left's peer has a network, and no address of its own that the left knows
    server    beside the peer, the left has others that have never called

What a fault is: a function that breaks the pair (after the session has begun, where there is one), and a
finding (or one|another) that must be among what the doctor on the left then says. All settings of a test are tried at once.
"""

import concurrent.futures
import json
import os
import shutil
import socket
import threading
import time

from lib import host as hosts, noise
from lib.daemon import connect_uapi, read_reply
from lib.puppet import Puppet
from lib.registry import BOTH, Skip, behaviour
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, outside_endpoint
from lib.traffic import must_ping
from lib.tunnel import new_preshared_key, new_private_key
from lib.wait import PATIENCE, eventually

SETTINGS = ("fresh", "session", "network", "server")
NETWORKS = ["10.10.0.0/24", "fd10::/64"]
EVERYTHING = ["0.0.0.0/0", "::/0"]


class Pair:
    """The drawing of lib/scene.py, in one of the settings."""

    def __init__(self, scene, setting, number, other, silent=False):
        self.scene = scene
        self.setting = setting
        left, right = scene.host(f"left{number}"), scene.host(f"right{number}")
        hosts.link(left, right)
        left.address("eth0", "192.0.2.1/24", "2001:db8::1/64")
        right.address("eth0", "192.0.2.2/24", "2001:db8::2/64")
        self.left = scene.tunnel(left, LEFT_INSIDE)
        self.right = scene.tunnel(right, RIGHT_INSIDE, other)
        self.left.peer(self.right, endpoint=outside_endpoint(2),
                       allowed=NETWORKS if setting == "network" else None)
        self.right.peer(self.left, endpoint=outside_endpoint(1))
        if setting == "server":
            for i in range(3):
                self.left.set(f"peer {new_private_key().public} allowed-ips 10.10.0.{i + 7}/32")
        self.words = ("wg0",)
        self.before = ()            # words before the doctor's own
        self.held = []              # what a fault needs as long as the doctor looks
        if setting != "fresh" and not silent:
            must_ping(left, "10.10.0.2")

    def conf(self, interface="", peer=""):
        """Gives the left a file, which the doctor then reads."""
        self.left.host.write("/run/test/wg0.conf", f"[Interface]\nListenPort = 51820\n{interface}\n"
                             f"[Peer]\nPublicKey = {self.right.public_key}\n{peer}\n")
        self.words = ("/run/test/wg0.conf",)

    def doctor(self, notes=False):
        return doctor(self.scene, self.left.host, *self.words, notes=notes, before=self.before)


def doctor(scene, host, *words, notes=False, before=()):
    """What the doctor finds: but for notes, or these too."""
    program = f"{scene.build_dir}/ferrule"
    if not os.path.exists(program):
        raise Skip("ferrule is not built")
    result = host.run([*before, program, "doctor", *(words or ("wg0",)), "--json"], check=False, timeout_s=60)
    found = json.loads(result.stdout)
    grave = {f["name"]: f for f in found if f["severity"] != "note"}
    assert result.returncode == (1 if grave else 0), result
    return {f["name"]: f for f in found} if notes else grave


def everywhere(scene, faults, other=None, settings=SETTINGS, notes=False, silent=False):
    """Each fault {finding: breaking} in each setting; `silent`: no word has been spoken in any."""
    cases = [(name, fault, setting) for name, fault in faults.items() for setting in settings]

    def run(number):
        name, fault, setting = cases[number]
        pair = Pair(scene, setting, number, other, silent)
        fault(pair)
        start = time.monotonic()
        found = pair.doctor(notes)
        took = time.monotonic() - start
        for tunnel in (pair.left, pair.right):
            tunnel.daemon.stop()  # a user has 128 inotify instances, and wireguard-go needs one
        wanted = name.split()[0].split("|")
        return None if set(wanted) & set(found) else f"{name}, {setting}: {sorted(found)} after {took:.1f} s"

    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        wrong = [text for text in pool.map(run, range(len(cases))) if text]
    assert not wrong, "\n".join(wrong)


# --- what is known without trying -------------------------------------------------------------

def down(pair):
    pair.left.host.run("ip link set wg0 down")


def no_key(pair):
    pair.left.set("private-key /dev/null")


def no_address(pair):
    pair.left.host.run("ip -4 addr flush dev wg0")


def other_route(pair):
    pair.left.host.run("ip route add 10.10.0.0/25 dev eth0")
    pair.left.host.run("ip route add 10.10.0.2/32 dev eth0")


def no_allowed_ips(pair):
    pair.left.set(f'peer {pair.right.public_key} allowed-ips ""')


def loop(pair):
    pair.left.host.run("ip route add 192.0.2.2/32 dev wg0")


def no_way(pair):
    pair.left.peer(pair.right, endpoint="198.51.100.7:51820")


@behaviour
def test_what_the_kernel_knows_is_found_in_every_setting(scene):
    everywhere(scene, {
        "interface-down": down,
        "no-private-key": no_key,
        "no-address": no_address,
        "route-elsewhere": other_route,
        "no-allowed-ips": no_allowed_ips,
        "endpoint-unreachable": no_way,
    })


@behaviour
def test_an_endpoint_in_the_tunnel_is_told_at_once(scene):
    for number, setting in enumerate(SETTINGS):
        pair = Pair(scene, setting, number, None)
        loop(pair)
        sent = pair.left.status(pair.right).tx_bytes
        start = time.monotonic()
        assert "endpoint-loop" in pair.doctor()
        assert time.monotonic() - start < 2 * PATIENCE
        assert pair.left.status(pair.right).tx_bytes - sent < 10_000


# --- the interface and its port ---------------------------------------------------------------

def gone(pair):
    pair.left.daemon.kill()
    eventually(lambda: not pair.left.host.has_link("wg0"), "the interface goes with its daemon")


def somebody_elses(pair):
    gone(pair)
    pair.left.host.run("ip link add wg0 type veth peer name other")


def nobody_there(pair):
    for peer in pair.left.peers():
        pair.left.set(f"peer {peer.public_key} remove")


def closed(pair):
    pair.left.host.run("ip link set wg0 down")
    eventually(lambda: pair.left.host.is_udp_closed(pair.left.port), "the daemon closes its sockets")


def opened_again(pair):
    pair.left.host.run("ip link set wg0 up")
    pair.left.host.address("wg0", LEFT_INSIDE[1])    # going down has taken it


def port_of_another(pair):
    closed(pair)
    pair.held.append(pair.left.host.udp(port=pair.left.port, device="eth0"))
    opened_again(pair)


class Retelling:
    """What the left's daemon says, the doctor hears changed."""

    def __init__(self, pair, change):
        self.host, self.change = pair.left.host, change
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.host.path("/run/test.sock"))
        self.listener.listen()
        threading.Thread(target=self._serve, daemon=True).start()
        pair.before = ("unshare", "--mount", "sh", "-c",
                       'mount --bind /run/test.sock /run/wireguard/wg0.sock; exec "$@"', "sh")

    def _serve(self):
        while True:
            with self.listener.accept()[0] as asked:
                request = read_reply(asked)
                with connect_uapi(self.host, "wg0") as daemon:
                    daemon.sendall(request.encode())
                    asked.sendall(self.change(read_reply(daemon)).encode())


def port_of_nobody(pair):
    pair.held.append(Retelling(pair, lambda said: said.replace("listen_port=51820", "listen_port=51999")))


def swallowed(pair):
    """What is put into the tunnel never gets to the daemon."""
    pair.left.host.run("tc qdisc add dev wg0 root pfifo limit 0")


def another_network(pair):
    pair.left.peer(pair.right, allowed=["10.10.0.2/32", "fd10::2/128", "10.77.0.0/16"])


@behaviour
def test_what_is_not_there_is_found_in_every_setting(scene):
    everywhere(scene, {
        "no-interface": gone,
        "no-daemon": somebody_elses,
        "no-peers": nobody_there,
        "port-taken": port_of_another,
        "port-unbound": port_of_nobody,
        "handshake-not-sent": swallowed,
        "route-missing": another_network,
    })


# --- where the peer is --------------------------------------------------------------------------

def named(text):
    """The endpoint is a name in the file, of which /etc/hosts says this; the tunnel goes elsewhere, where
    nobody is any more."""
    def put(pair):
        is_gone(pair)
        pair.conf(peer="Endpoint = right.test:51820")
        pair.left.host.write("/run/test/hosts", text)
        pair.left.host.run("mount --bind /run/test/hosts /etc/hosts")
        pair.left.peer(pair.right, endpoint="192.0.2.77:51820")
    return put


def unknown_whereabouts(pair):
    pair.left.remove(pair.right)
    pair.left.peer(pair.right)


@behaviour(deadline_s=90)
def test_where_a_peer_is_not_is_found_in_every_setting(scene):
    everywhere(scene, {
        "endpoint-moved": named("192.0.2.2 right.test\n"),
        "endpoint-unresolved": named(""),
    })
    everywhere(scene, {"no-endpoint": unknown_whereabouts}, notes=True)


# --- this machine's packet filter ---------------------------------------------------------------

def chain(hook, rule, policy="accept"):
    def put(pair):
        pair.left.host.nft(f"table inet filter {{ chain traffic {{ type filter hook {hook} "
                           f"priority 0; policy {policy}; {rule}; }}; }}")
    return put


@behaviour
def test_its_own_firewall_is_found_in_every_setting(scene):
    everywhere(scene, {
        "firewall in": chain("input", "udp dport 51820 drop"),
        "firewall by their port": chain("input", "udp sport 51820 drop"),
        "firewall by a policy": chain("input", "tcp dport 22 accept", "drop"),
        "firewall by the interface": chain("input", 'iifname "wg0" drop'),
        "send-refused": chain("output", "udp sport 51820 drop"),
    })


def keeps_out_of_the_tunnel(pair):
    chain("output", 'oifname "wg0" counter drop')(pair)


def masquerades(pair):
    """For its peers, and forwards nothing; they are those who call, as the file says."""
    pair.conf()
    pair.left.host.sysctl(net__ipv4__ip_forward=0)
    pair.left.host.nft("table ip nat { chain post { type nat hook postrouting priority 100; "
                       "oifname eth0 masquerade; }; }")


def strict_paths(pair):
    takes_everything(pair, True)
    pair.left.host.sysctl(net__ipv4__conf__eth0__rp_filter=1, net__ipv4__conf__all__src_valid_mark=0)


@behaviour
def test_what_the_machine_does_not_let_through_is_found_in_every_setting(scene):
    everywhere(scene, {
        "firewall on the way in": keeps_out_of_the_tunnel,
        "forwarding-off": masquerades,
    })
    everywhere(scene, {"rp-filter": strict_paths}, settings=("fresh", "session", "server"))


def old_chain(rule):
    def put(pair):
        for program in ("iptables-legacy", "ip6tables-legacy"):
            pair.left.host.run(f"{program} {rule}")
    return put


@behaviour
def test_rules_of_the_old_iptables_interface_are_found_in_every_setting(scene):
    host = scene.host("trial")
    if not shutil.which("iptables-legacy"):
        raise Skip("iptables is not installed")
    if host.run("iptables-legacy -L", check=False).returncode != 0:
        raise Skip("this kernel has no old iptables interface")
    everywhere(scene, {
        "firewall in": old_chain("-A INPUT -p udp --dport 51820 -j DROP"),
        "firewall by a policy": old_chain("-P INPUT DROP"),
        "firewall by the interface": old_chain("-A INPUT -i wg+ -j REJECT"),
    })


# --- the other side -----------------------------------------------------------------------------

def lacks_us(pair):
    pair.right.set(f"peer {pair.left.public_key} allowed-ips 10.10.0.77/32")


def is_gone(pair):
    pair.right.daemon.kill()


def is_mute(pair):
    pair.right.host.nft("table inet filter { chain input { type filter hook input priority 0; "
                        "iifname wg0 drop; }; }")


def other_psk(pair):
    """The other side has been started again, with another key."""
    pair.right.daemon.stop()
    pair.scene.restart(pair.right)
    pair.right.peer(pair.left, psk=new_preshared_key())


def wrong_source(pair):
    pair.left.set(f"peer {pair.right.public_key} allowed-ips 10.10.0.64/26")
    pair.right.host.spawn("ping -n -i 0.2 10.10.0.1", log_name="ping.log")


def unknown_there(pair):
    pair.right.remove(pair.left)
    pair.right.set(f"peer {new_private_key().public} endpoint {outside_endpoint(1)} "
                   "persistent-keepalive 1")


def narrow(pair):
    pair.right.host.run("ip link set eth0 mtu 1400")


def loses(pair):
    """Two of three of the echo requests that come out of the tunnel."""
    pair.right.host.nft("table inet filter { chain input { type filter hook input priority 0; iifname wg0 "
                        "meta l4proto { icmp, icmpv6 } numgen inc mod 3 != 0 drop; }; }")


def stranger(pair):
    pair.left.remove(pair.right)
    pair.left.set(f"peer {new_private_key().public} endpoint {outside_endpoint(2)} "
                  "allowed-ips 10.10.0.2/32")
    pair.right.daemon.stop()
    pair.scene.restart(pair.right)
    pair.right.peer(pair.left, endpoint=outside_endpoint(1), keepalive=1)


def has_stamped(stamper, other, to, endpoint):
    """`other` has seen a stamp of `stamper`'s that is years ahead, and drops all that come before it."""
    double = Puppet(stamper.host, other, to, (), port=0, private_key=stamper.private_key)
    double.send(double.new_handshake().initiation(timestamp=noise.tai64n(time.time() + 1e8)))
    assert double.receive_kind(noise.RESPONSE), "a good initiation is answered"
    double.close()
    other.peer(stamper, endpoint=endpoint)


def clock_is_behind_here(pair):
    """And the right calls, as soon as the left has tried."""
    has_stamped(pair.left, pair.right, "192.0.2.2", outside_endpoint(1))

    def call():
        eventually(lambda: pair.left.status(pair.right).tx_bytes > 0, "the left tries")
        pair.right.host.spawn("ping -n -i 0.2 10.10.0.1", log_name="ping.log")
    threading.Thread(target=call, daemon=True).start()


def clock_is_behind_there(pair):
    has_stamped(pair.right, pair.left, "192.0.2.1", outside_endpoint(2))
    pair.right.daemon.stop()
    pair.scene.restart(pair.right)
    pair.right.peer(pair.left, endpoint=outside_endpoint(1))
    pair.right.host.spawn("ping -n -i 0.2 10.10.0.1", log_name="ping.log")


@behaviour(peers=BOTH, deadline_s=90)
def test_strangers_and_clocks_are_found_in_every_setting(scene):
    everywhere(scene, {
        "loss": loses,
        "unknown-peer": stranger,
    }, other=scene.other)
    everywhere(scene, {"clock": clock_is_behind_there}, other=scene.other,
               settings=("session", "network", "server"))


@behaviour(peers=BOTH, deadline_s=90)
def test_a_clock_that_only_the_peers_calls_hide_is_found(scene):
    """While nothing of ours begins in a session that works already, there is nothing to see yet."""
    everywhere(scene, {"handshake-ignored": clock_is_behind_here}, other=scene.other,
               settings=("fresh", "network", "server"), silent=True)


@behaviour(peers=BOTH, deadline_s=90)
def test_handshakes_that_were_never_answered_are_remembered(scene):
    pair = Pair(scene, "fresh", 0, scene.other)
    has_stamped(pair.left, pair.right, "192.0.2.2", outside_endpoint(1))
    pair.left.host.spawn("ping -n -i 0.2 10.10.0.2", log_name="ping.log")
    eventually(lambda: pair.left.status(pair.right).tx_bytes >= 2 * 148, "the left tries twice")
    must_ping(pair.right.host, "10.10.0.1")
    assert pair.doctor()["handshake-ignored"]["severity"] == "warning"


def to_call(pair):
    pair.conf()


@behaviour
def test_who_is_to_call_and_does_not_is_idle_in_every_setting(scene):
    everywhere(scene, {"idle": to_call}, notes=True, silent=True)
    everywhere(scene, {"idle": last_seen_long_ago(to_call)}, notes=True, settings=("session", "network", "server"))


def last_seen_long_ago(fault):
    """The fault, and then more than three minutes; what is heard later is as it is."""
    def put(pair):
        seen = str(pair.left.status(pair.right).latest_handshake)
        fault(pair)
        pair.held.append(Retelling(pair, lambda said: said.replace(
            f"last_handshake_time_sec={seen}\n", f"last_handshake_time_sec={int(seen) - 300}\n")))
    return put


def changed_psk_of_a_caller(pair):
    """Nobody calls it: it has no endpoint in the file."""
    pair.conf()
    other_psk(pair)
    before = pair.left.status(pair.right).rx_bytes
    pair.right.peer(pair.left, endpoint=outside_endpoint(1))
    pair.right.host.spawn("ping -n -i 0.2 10.10.0.1", log_name="ping.log")
    eventually(lambda: pair.left.status(pair.right).rx_bytes > before, "it calls")


@behaviour(peers=BOTH, deadline_s=90)
def test_another_preshared_key_of_a_caller_is_found_in_every_setting(scene):
    everywhere(scene, {"wrong-psk|handshake-one-way": changed_psk_of_a_caller}, other=scene.other)
    everywhere(scene, {"wrong-psk|handshake-one-way": last_seen_long_ago(changed_psk_of_a_caller)},
               other=scene.other, settings=("session", "network", "server"))


@behaviour(peers=BOTH, deadline_s=90)
def test_what_the_other_side_does_wrong_is_found_in_every_setting(scene):
    everywhere(scene, {
        "no-answer for its allowed IPs": lacks_us,
        "no-answer for its firewall": is_mute,
        "handshake-unanswered": is_gone,
        "wrong-psk": other_psk,
        "source-not-allowed": wrong_source,
        "wrong-key-there": unknown_there,
        "path-mtu": narrow,
    }, other=scene.other)


@behaviour(peers=BOTH)
def test_a_server_sees_a_wrong_preshared_key(scene):
    left, right = scene.linked_hosts()
    left, right = scene.tunnel(left, LEFT_INSIDE), scene.tunnel(right, RIGHT_INSIDE, scene.other)
    left.peer(right)
    right.peer(left, endpoint=outside_endpoint(1), psk=new_preshared_key())
    for i in range(3):
        left.set(f"peer {new_private_key().public} allowed-ips 10.10.0.{i + 7}/32")
    left.host.write("/run/test/wg0.conf", f"[Interface]\nListenPort = 51820\n\n[Peer]\n"
                    f"# Name = bob\nPublicKey = {right.public_key}\n")
    right.host.spawn("ping -n 10.10.0.1", log_name="ping.log")
    eventually(lambda: left.status(right).rx_bytes > 0, "the client calls")
    found = doctor(scene, left.host, "/run/test/wg0.conf")
    assert set(found) & {"wrong-psk", "handshake-one-way"}, found
    assert found.popitem()[1]["peer"] == "bob"


def takes_everything(pair, forwards):
    pair.left.peer(pair.right, allowed=EVERYTHING)
    pair.left.set("fwmark 51820")
    pair.right.host.sysctl(net__ipv4__ip_forward=int(forwards))
    pair.right.host.run("ip link add beyond type veth peer name yonder")
    pair.right.host.lines("""
        ip link set beyond up
        ip link set yonder up
        ip addr add 198.51.100.1/24 dev beyond
        ip route add default via 198.51.100.2
    """)
    pair.left.host.lines("""
        ip route add default dev wg0 table 51820
        ip rule add not fwmark 51820 table 51820
        ip rule add table main suppress_prefixlength 0
        ip -6 route add default dev wg0 table 51820
        ip -6 rule add not fwmark 51820 table 51820
        ip -6 rule add table main suppress_prefixlength 0
    """)


@behaviour
def test_a_peer_that_passes_nothing_on_is_found(scene):
    everywhere(scene, {"not-forwarded": lambda pair: takes_everything(pair, False)},
               settings=("fresh", "session", "server"))


@behaviour
def test_a_peer_that_passes_on_what_it_gets_is_well(scene):
    pair = Pair(scene, "session", 0, None)
    takes_everything(pair, True)
    assert pair.doctor() == {}


@behaviour
def test_names_that_are_asked_beside_the_tunnel_are_a_leak(scene):
    for number, setting in enumerate(("fresh", "session", "server")):
        pair = Pair(scene, setting, number, None)
        takes_everything(pair, True)
        pair.left.host.write("/run/test/resolv.conf", "nameserver 192.0.2.53\n")
        pair.left.host.run("mount --bind /run/test/resolv.conf /etc/resolv.conf")
        found = pair.doctor()
        assert set(found) == {"dns-leak"} and "eth0" in found["dns-leak"]["what"], found
        pair.left.host.write("/run/test/resolv.conf", "nameserver 10.10.0.2\n")
        assert pair.doctor() == {}


def asks(servers, wanted=""):
    """Whom this machine asks for names, and whom its file wants asked."""
    def put(pair):
        takes_everything(pair, True)
        pair.left.host.write("/run/test/resolv.conf", f"nameserver {servers}\n")
        pair.left.host.run("mount --bind /run/test/resolv.conf /etc/resolv.conf")
        if wanted:
            pair.conf(interface=f"DNS = {wanted}")
    return put


@behaviour
def test_who_is_asked_for_names_is_found_in_every_setting(scene):
    everywhere(scene, {
        "dns-local": asks("127.0.0.53"),
        "dns-not-set": asks("192.0.2.53", "10.10.0.2"),
    }, settings=("fresh", "session", "server"), notes=True)


# --- nothing ------------------------------------------------------------------------------------

@behaviour(peers=BOTH)
def test_nothing_is_found_where_nothing_is_wrong(scene):
    for number, setting in enumerate(SETTINGS):
        pair = Pair(scene, setting, number, scene.other)
        assert pair.doctor() == {}, setting


@behaviour
def test_a_server_with_two_thousand_idle_peers_is_looked_at_in_a_second(scene):
    host = scene.host("left")
    tunnel = scene.tunnel(host, LEFT_INSIDE)
    conf = "\n".join(f"[Peer]\nPublicKey = {new_private_key().public}\n"
                     f"AllowedIPs = 10.10.{i // 250}.{i % 250 + 2}/32" for i in range(2000))
    host.run("ip route add 10.10.0.0/20 dev wg0")
    tunnel.wg("addconf", "/dev/stdin", input=conf + "\n")
    program = f"{scene.build_dir}/ferrule"
    start = time.monotonic()
    result = host.run([program, "doctor", "wg0"])
    took = time.monotonic() - start
    assert "2000 peers" in result.stdout and "nothing is wrong" in result.stdout, result.stdout
    assert len(result.stdout.splitlines()) < 20, result.stdout
    assert took < PATIENCE, took
    scene.note(f"{took * 1000:.0f} ms")


# --- peers that should not be there -------------------------------------------------------------

@behaviour
def test_a_disabled_or_expired_peer_is_named_as_such(scene):
    pair = Pair(scene, "server", 0, None)
    host = pair.left.host
    key = new_private_key().public
    host.write("/run/test/wg0.conf", f"""
[Interface]
ListenPort = 51820

[Peer]
# Name = right
PublicKey = {pair.right.public_key}
Endpoint = {outside_endpoint(2)}

#~ [Peer]
#~ # Name = bob
#~ PublicKey = {key}

[Peer]
# Name = carol
# Expires = 2020-01-01
PublicKey = {new_private_key().public}
""")
    conf = "/run/test/wg0.conf"
    assert set(doctor(scene, host, conf, "bob")) == {"peer-disabled"}
    assert set(doctor(scene, host, conf, "carol")) == {"peer-expired"}
    assert doctor(scene, host, conf, "right") == {}
    assert doctor(scene, host, conf) == {}


# --- what it says of itself ---------------------------------------------------------------------

@behaviour
def test_who_can_not_look_says_so(scene):
    pair = Pair(scene, "session", 0, None)
    host, program = pair.left.host, f"{scene.build_dir}/ferrule"
    unprivileged = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    result = host.run([*unprivileged, program, "doctor", "wg0"], check=False)
    assert result.returncode == 2 and "needs root" in result.stderr, result
    result = host.run([program, "doctor", "wg0", "nobody"], check=False)
    assert result.returncode == 2 and "there is no peer `nobody'" in result.stderr, result


@behaviour
def test_a_terminal_shows_what_is_looked_at(scene):
    pair = Pair(scene, "session", 0, None)
    program = f"{scene.build_dir}/ferrule"
    on_terminal = ["script", "-qec", f"{program} doctor wg0", "/dev/null"]
    shown = pair.left.host.run(on_terminal, env={"TERM": "xterm", "LC_ALL": "C.UTF-8"}).stdout
    assert "✓" in shown and "handshakes, and data there and back" in shown, shown
    assert "round trip" in shown and "packets of up to 1420 bytes" in shown, shown
    plain = pair.left.host.run(on_terminal, env={"TERM": "dumb", "LC_ALL": "C", "NO_COLOR": "1"}).stdout
    assert "✓" not in plain and "\x1b[K" not in plain and "ok    handshakes" in plain, plain


# --- peers that do as they are told -------------------------------------------------------------

def puppet_pair(scene, setting, number):
    left, right = scene.host(f"left{number}"), scene.host(f"right{number}")
    hosts.link(left, right)
    left.address("eth0", "192.0.2.1/24")
    right.address("eth0", "192.0.2.2/24")
    tunnel = scene.tunnel(left, LEFT_INSIDE)
    puppet = scene.puppet(right, tunnel)
    tunnel.peer(puppet, endpoint=outside_endpoint(2),
                allowed=NETWORKS if setting == "network" else None)
    if setting == "server":
        for i in range(3):
            tunnel.set(f"peer {new_private_key().public} allowed-ips 10.10.0.{i + 7}/32")
    if setting != "fresh":
        puppet.connect()
        # Else its keepalive may come while the doctor looks already: as a sign of life.
        eventually(lambda: tunnel.status(puppet).rx_bytes == 148 + 32, "initiation and keepalive")
    return tunnel, puppet


@behaviour(deadline_s=90)
def test_a_peer_that_asks_for_cookies_is_found_in_every_setting(scene):
    def run(case):
        number, setting = case
        tunnel, puppet = puppet_pair(scene, setting, number)
        pool = concurrent.futures.ThreadPoolExecutor(1)
        found = pool.submit(doctor, scene, tunnel.host)
        while not found.done():
            initiation = puppet.receive_kind(noise.INITIATION, 0.2)
            if initiation:
                puppet.send(noise.cookie_reply(puppet.public_key, initiation, os.urandom(16)))
        assert "cookie" in found.result(), (setting, found.result())

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(run, enumerate(SETTINGS)))


@behaviour(deadline_s=90)
def test_a_peer_that_answers_none_of_our_handshakes_is_found_in_every_setting(scene):
    """As a peer does that has seen later stamps than this machine's clock now gives: it drops what we
    begin, and goes on with what it begins itself."""
    def run(case):
        number, setting = case
        tunnel, puppet = puppet_pair(scene, setting, number)
        pool = concurrent.futures.ThreadPoolExecutor(1)
        found = pool.submit(doctor, scene, tunnel.host)
        while not found.done():
            puppet.send(puppet.new_handshake().initiation())
            puppet.receive(0.5)
        assert "handshake-one-way" in found.result(), (setting, found.result())

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(run, enumerate(SETTINGS)))
