"""`ferrule` in the place of `wg`: the same words in, the same text, status and requests out.

    wg ──────┐
             ├── /run/wireguard/*.sock ── a stand-in that answers as told and notes what it is asked
    ferrule ─┘

Messages on the error stream may be better than wg's; only usage lines are compared.
"""

import ipaddress
import os
import re
import shutil
import socket
import threading
import time

from lib.registry import Skip, behaviour
from lib.tunnel import new_preshared_key, new_private_key

FOLDER = "/run/wireguard"
CONFIG = "/run/test/wg.conf"


class StandIn:
    """The UAPI socket of a device. `answer` is what get is answered; set is answered `errno`."""

    def __init__(self, host, name="wg0", answer="", errno=0):
        self.answer, self.errno, self.requests = answer, errno, []
        path = host.path(f"{FOLDER}/{name}.sock")
        os.makedirs(os.path.dirname(path), exist_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen(16)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            connection, _ = self.listener.accept()
            with connection:
                request = b""
                while not request.endswith(b"\n\n"):
                    piece = connection.recv(65536)
                    if not piece:
                        break
                    request += piece
                if not request:     # wg looks whether anyone is there
                    continue
                self.requests.append(request.decode())
                reply = self.answer if request.startswith(b"get=1") else ""
                connection.sendall(f"{reply}errno={self.errno}\n\n".encode())


class Tools:
    """The two programs, run with the same words under the same name."""

    def __init__(self, scene, host):
        self.host = host
        self.paths = {"wg": shutil.which("wg"), "ferrule": f"{scene.build_dir}/ferrule"}
        if not os.path.exists(self.paths["ferrule"]):
            raise Skip("ferrule is not built")

    def run(self, tool, words, input="", env=None):
        argv = ["bash", "-c", 'exec -a wg "$0" "$@"', self.paths[tool], *words]
        return self.host.run(argv, input=input, env=env, check=False)

    def same(self, *words, input="", env=None, errors=False):
        """Both print the same and end alike; returns what they did."""
        for _ in range(3):      # a second may pass between the two, and "3 seconds ago" with it
            theirs, ours = (self.run(tool, words, input, env) for tool in ("wg", "ferrule"))
            if theirs.stdout == ours.stdout:
                break
        assert ours.stdout == theirs.stdout, f"{words}\n{theirs.stdout}---\n{ours.stdout}"
        assert ours.returncode == theirs.returncode, (words, theirs.stderr, ours.stderr)
        if errors:
            assert ours.stderr == theirs.stderr, f"{words}\n{theirs.stderr}---\n{ours.stderr}"
        return ours

    def same_request(self, device, *words, input=""):
        """Both ask the device for the same; returns their last request."""
        asked = []
        for tool in ("wg", "ferrule"):
            device.requests.clear()
            result = self.run(tool, words, input, {"WG_ENDPOINT_RESOLUTION_RETRIES": "0"})
            asked.append((result.returncode, [masked(text) for text in device.requests[-1:]]))
        assert asked[0] == asked[1], f"{words}\n{input}\n{asked[0]}---\n{asked[1]}"
        return asked[1][1][0] if asked[1][1] else None


def masked(request):
    """The request with the host bits of its allowed IPs cleared, as the daemon would."""
    return re.sub(r"(?<=allowed_ip=)\S+",
                  lambda match: str(ipaddress.ip_network(match[0], strict=False)), request)


def tools_on(scene):
    host = scene.host("left")
    return host, Tools(scene, host)


# --- states of a device ---------------------------------------------------------------------

def peer_lines(seed=1, ago=None, endpoint=None, keepalive=0, transfer=(0, 0), ips=(), psk=False):
    key, shared = f"{seed:02x}" * 32, ("ab" * 32 if psk else "00" * 32)
    seconds = int(time.time()) - ago if ago is not None else 0
    return (f"public_key={key}\npreshared_key={shared}\nprotocol_version=1\n"
            + (f"endpoint={endpoint}\n" if endpoint else "")
            + f"last_handshake_time_sec={seconds}\nlast_handshake_time_nsec=0\n"
            f"tx_bytes={transfer[0]}\nrx_bytes={transfer[1]}\n"
            f"persistent_keepalive_interval={keepalive}\n"
            + "".join(f"allowed_ip={ip}\n" for ip in ips))


def device_states():
    key = f"private_key={'a8' * 31}48\n"
    yield "", "nothing"
    yield "listen_port=51820\n", "a port"
    yield key + "listen_port=51820\nfwmark=51820\n", "no peers"
    yield key + "listen_port=1\n" + peer_lines(), "a peer that never spoke"
    yield key + "listen_port=51820\n" + "".join(
        peer_lines(seed + 1, ago, endpoint, keepalive, transfer, ips, psk)
        for seed, (ago, endpoint, keepalive, transfer, ips, psk) in enumerate([
            (None, None, 0, (0, 0), (), False),
            (0, "192.0.2.1:1", 1, (1, 0), ("10.0.0.0/8",), True),
            (1, "192.0.2.1:65535", 25, (1023, 1024), ("0.0.0.0/0", "::/0"), False),
            (61, "[2001:db8::1]:51820", 60, (1048575, 1048576), ("fd00::1/128",), True),
            (3600, "[fe80::1%lo]:51820", 65535, (2**30 - 1, 2**30), ("10.0.0.1/32",), False),
            (90061, "[fe80::2%77]:51820", 3661, (2**40, 2**50 + 12345), (), False),
            (400 * 86400, "192.0.2.7:1", 0, (2**64 - 1, 0), ("1.2.3.4/32",), False),
            (2 * 365 * 86400 + 1, None, 0, (999, 1), ("1.2.3.5/32", "fd00::/8"), True),
            (-1000, None, 0, (0, 0), (), False),
        ])), "peers of all kinds"


FIELDS = ("public-key", "private-key", "listen-port", "fwmark", "peers", "preshared-keys",
          "endpoints", "allowed-ips", "latest-handshakes", "transfer", "persistent-keepalive",
          "dump")


# --- show and showconf ----------------------------------------------------------------------

@behaviour(deadline_s=120)
def test_show_is_the_same_for_every_state(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    for answer, _ in device_states():
        device.answer = answer
        tools.same("show", "wg0")
        tools.same("show", "wg0", env={"WG_HIDE_KEYS": "never"})
        tools.same("show", "wg0", env={"WG_COLOR_MODE": "always"})
        tools.same("showconf", "wg0")
        for field in FIELDS:
            tools.same("show", "wg0", field)
            if field != "endpoints":
                tools.same("show", "all", field)


# Debian's wg leaves the device's name out of all lines of `show all endpoints` but the first.

@behaviour
def test_show_all_endpoints_names_the_device_in_each_line(scene):
    host, tools = tools_on(scene)
    StandIn(host, answer=peer_lines(1) + peer_lines(2))
    lines = tools.run("ferrule", ["show", "all", "endpoints"]).stdout.splitlines()
    assert [line.split("\t")[0::2] for line in lines] == 2 * [["wg0", "(none)"]]


@behaviour(deadline_s=60)
def test_show_of_several_devices_is_the_same(scene):
    host, tools = tools_on(scene)
    for words in ((), ("show",), ("show", "all"), ("show", "interfaces"), ("show", "all", "dump")):
        assert tools.same(*words).stdout == ""
    states = list(device_states())
    for number, (answer, _) in enumerate(states[1:4]):
        StandIn(host, f"wg{number}", answer)
        for words in ((), ("show",), ("show", "all"), ("show", "interfaces"),
                      ("show", "all", "dump"), ("show", "all", "listen-port")):
            tools.same(*words)


@behaviour
def test_words_that_are_none_end_alike(scene):
    host, tools = tools_on(scene)
    StandIn(host, answer="listen_port=1\n")
    for words in (("show", "wg0", "x"), ("show", "wg0", ""), ("show", "all", "x"),
                  ("show", "wg0", "dump", "x"), ("show", "interfaces", "x"), ("show", "--help"),
                  ("show", "help"), ("showconf",), ("showconf", "wg0", "x"), ("set",),
                  ("set", "wg0"), ("setconf",), ("setconf", "wg0"), ("addconf", "wg0"),
                  ("syncconf", "wg0", "x", "y"), ("genkey", "x"), ("genpsk", "--help"),
                  ("pubkey", "x")):
        tools.same(*words, errors=True)
    for words in (("frobnicate",), ("show", "wg1"), ("showconf", "wg1"), ("show", "../wg0")):
        tools.same(*words)
    assert tools.same("--help").stdout


@behaviour
def test_errors_of_a_device_end_alike(scene):
    host, tools = tools_on(scene)
    device = StandIn(host, errno=-13)
    tools.same("set", "wg0", "fwmark", "1", errors=True)
    for answer, errno in (("", -5), ("nonsense\n", 0), ("listen_port=70000\n", 0),
                          ("private_key=1\n", 0), ("public_key=zz\n", 0)):
        device.answer, device.errno = answer, errno
        tools.same("show", "wg0")
        tools.same("show")


@behaviour
def test_stale_sockets_are_removed(scene):
    host, tools = tools_on(scene)
    for tool in ("wg", "ferrule"):
        StandIn(host, "wg7").listener.close()
        path = f"{FOLDER}/wg7.sock"
        with socket.socket(socket.AF_UNIX) as dead:
            if host.exists(path):
                os.unlink(host.path(path))
            dead.bind(host.path(path))
        assert tools.run(tool, ["show", "interfaces"]).stdout == ""
        assert not host.exists(path), tool


# --- keys -----------------------------------------------------------------------------------

@behaviour(deadline_s=60)
def test_pubkey_is_the_same_for_every_input(scene):
    _, tools = tools_on(scene)
    key = str(new_private_key())
    for text in (key, key + "\n", key + " \t\r\n\v\f", key + "\nx", key + "x", "", key[:-1],
                 key[:-1] + "A", " " + key, key[:-2] + "E=", "A" * 43 + "=", "/" * 42 + "8=",
                 "-" + key[1:], key.replace("=", "\n="), "\n" + key):
        tools.same("pubkey", input=text, errors=True)


@behaviour
def test_keys_of_one_are_keys_of_the_other(scene):
    _, tools = tools_on(scene)
    for maker, reader in (("wg", "ferrule"), ("ferrule", "wg")):
        key = tools.run(maker, ["genkey"]).stdout
        assert tools.run(reader, ["pubkey"], input=key).stdout == tools.run(
            maker, ["pubkey"], input=key).stdout
        assert len(tools.run(maker, ["genpsk"]).stdout) == 45


# --- set ------------------------------------------------------------------------------------

@behaviour(deadline_s=90)
def test_set_asks_for_the_same(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    key, peer, other = new_private_key(), new_private_key().public, new_private_key().public
    host.write("/run/test/key", f"{key}\n")
    host.write("/run/test/bad", f"{key}x\n")
    for words in (
            "listen-port 51820", "listen-port 0", "fwmark 0", "fwmark off", "fwmark OFF",
            "fwmark 0xffffffff", "fwmark 0xcA6c", "private-key /run/test/key",
            "private-key /dev/null", "listen-port 1 fwmark 2 private-key /run/test/key",
            f"peer {peer}", f"peer {peer} remove", f"peer {peer} remove peer {other}",
            f"peer {peer} endpoint 192.0.2.1:5", f"peer {peer} endpoint [2001:db8::1]:5",
            f"peer {peer} endpoint 2001:db8::1:5", f"peer {peer} endpoint [fe80::1%lo]:5",
            f"peer {peer} endpoint 192.0.2.1:domain", f"peer {peer} endpoint localhost:5",
            f"peer {peer} persistent-keepalive 25", f"peer {peer} persistent-keepalive off",
            f"peer {peer} preshared-key /run/test/key", f"peer {peer} preshared-key /dev/null",
            f"peer {peer} allowed-ips 10.0.0.0/8", f"peer {peer} allowed-ips 10.0.0.1,::/0",
            f"peer {peer} allowed-ips fd00::1 allowed-ips 10.0.0.0/8",
            f"peer {peer} allowed-ips ::/0 peer {other} allowed-ips 0.0.0.0/0"):
        assert tools.same_request(device, "set", "wg0", *words.split()), words
    for value in ("", " 10.0.0.0/8 , ::/0 "):
        assert tools.same_request(device, "set", "wg0", "peer", str(peer), "allowed-ips", value)


@behaviour(deadline_s=90)
def test_set_refuses_the_same(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    peer = new_private_key().public
    host.write("/run/test/bad", f"{peer}x\n")
    for words in (
            "x", "listen-port", "listen-port x", "fwmark x", "fwmark -1", "fwmark 0x100000000",
            "private-key /run/test/none", "private-key /run/test/bad", "remove",
            "endpoint 192.0.2.1:5", "allowed-ips ::/0", "peer", "peer x", f"peer {peer} x",
            f"peer {peer} listen-port 1", f"peer {peer} endpoint", f"peer {peer} endpoint 1.2.3.4",
            f"peer {peer} endpoint [::1:5", f"peer {peer} endpoint :5",
            f"peer {peer} endpoint 192.0.2.1:nosuchservice", f"peer {peer} allowed-ips x",
            f"peer {peer} allowed-ips 10.0.0.0/8,", f"peer {peer} allowed-ips ,10.0.0.0/8",
            f"peer {peer} allowed-ips 10.0.0.0/33", f"peer {peer} allowed-ips 10.0.0.0/",
            f"peer {peer} persistent-keepalive 65536", f"peer {peer} persistent-keepalive x",
            f"peer {peer} preshared-key /run/test/bad"):
        assert tools.same_request(device, "set", "wg0", *words.split()) is None, words


# --- files ----------------------------------------------------------------------------------

def conf_files():
    """Files good and bad, and what is said of them."""
    key, peer, psk = new_private_key(), new_private_key().public, new_preshared_key()
    head, section = f"[Interface]\nPrivateKey = {key}\n", f"[Peer]\nPublicKey = {peer}\n"
    yield from (
        "", "\n\n# nothing\n", "[Interface]\n", head, head + section, section, section + head,
        head.lower().replace("privatekey", "PRIVATEKEY").replace(str(key).lower(), str(key)),
        head + "ListenPort = 51820\nFwMark = 0xca6c\n", head + "FwMark = off\n",
        head + "ListenPort = 1\nListenPort = 2\n", "  [ Interface ] # x\n Listen Port = 5 1#0\n",
        section + f"PresharedKey={psk}\nPersistentKeepalive=off\nEndpoint=[::1]:1\n",
        section + "AllowedIPs = 10.0.0.0/8, ::/0\nAllowedIPs = 1.2.3.4\n",
        section + "AllowedIPs = 10.0.0.1/8\r\n", section + section, head + section.strip(),
        section + f"PersistentKeepalive = 025\n[Peer]\nPublicKey = {new_private_key().public}\n",
        # and bad ones
        "x\n", "ListenPort = 1\n", "[Peers]\n", "[Interface]\n[Peer]\n", "[Interface] x\n",
        head + "ListenPort = x\n", head + "Listenport =\n", head + "FwMark = 4294967296\n",
        head + "FwMark = 0x\n", head + "FwMark = -1\n", head + "Address = 10.0.0.1/24\n",
        head + "PublicKey = x\n", "[Interface]\nPrivateKey = x\n", "[Interface]\nPrivateKey =\n",
        f"[Interface]\nPrivateKey = {str(key)[:-1]}\n", section + "AllowedIPs = 10.0.0.0/8,\n",
        section + "AllowedIPs = 10.0.0.0/33\n", section + "AllowedIPs = x\n",
        section + "AllowedIPs =\n", section + "AllowdIPs = ::/0\n", section + "Endpoint = x\n",
        section + "Endpoint = [::1]\n", section + "PersistentKeepalive = 65536\n",
        section + "ListenPort = 1\n", section + "= 1\n", section + "AllowedIPs\n")


# Each key with each of its values, good and bad; and the same values as words of set. What we take
# in another way on purpose is not among them: IPv4-mapped endpoints become IPv4 (P75a), and signs
# before allowed IPs are for newer tools than Debian's.

ADDRESSES = ("10.0.0.1/24", "10.0.0.1", "10.0.0.0/0", "0.0.0.0/0", "::/0", "::1/128", "::1",
             "2001:db8::1/48", "::ffff:192.0.2.1/128", "10.0.0.0/8,fd00::/8", "10.0.0.0/08", "",
             "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/x", "10.0.0.0/8x", "10.0.0.0/8/8",
             "::/129", "10.0.0/8", "10.0.0.256", "010.0.0.1", "1.2.3.4.5", "10", "0x0a000001",
             ":::", "::1::", "[::1]/128", "fe80::1%lo/64", "10.0.0.0/8,", ",10.0.0.0/8", ",", "/8",
             "--::/0", "10.0.0.0/8;::/0", "example.org/32")
ENDPOINTS = ("192.0.2.1:1", "192.0.2.1:65535", "[2001:db8::1]:51820", "[fe80::1%lo]:1",
             "[fe80::1%1]:1", "localhost:1", "192.0.2.1:domain", "", "192.0.2.1", "192.0.2.1:",
             ":1", "[::1]", "[::1]1", "[::1", "[]:1", "::1]:1", "192.0.2.1:x", "192.0.2.1:-1",
             "192.0.2.1:1:2", "192.0.2.1:1 2", "nosuchhost.invalid:1")
KEYS = ("{}", "{} ", "{}x", "{}=", "x{}", "", "x", "44444444444444444444444444444444444444444444",
        "0000000000000000000000000000000000000000000=",
        "00000000000000000000000000000000000000000-4=",
        "0000000000000000000000000000000000000000001=",
        "000000000000000000000000000000000000000000==")
SECONDS = ("0", "1", "65535", "off", "OFF", "oFf", "65536", "-1", "", "x", "1x", "1 s", "o", "offf")
MARKS = ("0", "1", "4294967295", "0x0", "0xffffffff", "0xABCDEF", "off", "OFF", "4294967296", "-1",
         "", "x", "0x", "0xg", "0x100000000", "1x", "offf")
PORTS = ("0", "1", "65535", "x", "-1", "", "1x", "1 2x")
VALUES = {
    "[Interface]": {"PrivateKey": KEYS, "ListenPort": PORTS, "FwMark": MARKS},
    "[Peer]": {"PublicKey": KEYS, "PresharedKey": KEYS, "AllowedIPs": ADDRESSES,
               "Endpoint": ENDPOINTS, "PersistentKeepalive": SECONDS},
}


@behaviour(deadline_s=240)
def test_each_value_is_taken_and_refused_alike_in_a_file(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    key = new_private_key().public
    for section, keys in VALUES.items():
        for name, values in keys.items():
            head = f"{section}\n" + (f"PublicKey = {key}\n" if section == "[Peer]" else "")
            for value in values:
                host.write(CONFIG, f"{head}{name} = {value.format(key)}\n")
                tools.same_request(device, "setconf", "wg0", CONFIG)


@behaviour(deadline_s=240)
def test_each_value_is_taken_and_refused_alike_by_set(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    key = new_private_key().public
    peer = ["peer", str(key)]
    for words, values in ((["listen-port"], PORTS), (["fwmark"], MARKS),
                          (["peer"], KEYS), ([*peer, "allowed-ips"], ADDRESSES),
                          ([*peer, "endpoint"], ENDPOINTS),
                          ([*peer, "persistent-keepalive"], SECONDS)):
        for value in values:
            tools.same_request(device, "set", "wg0", *words, value.format(key))
    for value in KEYS:
        host.write("/run/test/value", value.format(key))
        tools.same_request(device, "set", "wg0", "private-key", "/run/test/value")
        tools.same_request(device, "set", "wg0", *peer, "preshared-key", "/run/test/value")


@behaviour(deadline_s=120)
def test_files_are_taken_and_refused_alike(scene):
    host, tools = tools_on(scene)
    device = StandIn(host, answer=f"private_key={'a8' * 31}48\n" + peer_lines(1))
    for text in conf_files():
        host.write(CONFIG, text)
        for verb in ("setconf", "addconf"):
            tools.same_request(device, verb, "wg0", CONFIG)


# syncconf of newer tools also takes back the preshared key and keepalive that a file no longer has.

@behaviour(deadline_s=60)
def test_syncconf_asks_for_the_same(scene):
    host, tools = tools_on(scene)
    device = StandIn(host)
    ours, gone = new_private_key().public, new_private_key().public
    section = f"[Peer]\nPublicKey = {ours}\nAllowedIPs = ::/0\n"
    for answer in ("", peer_lines(1), f"public_key={ours.hex()}\n",
                   f"public_key={ours.hex()}\npublic_key={gone.hex()}\n"):
        device.answer = answer
        for text in ("[Interface]\n", section, "[Interface]\nListenPort = 5\n" + section):
            host.write(CONFIG, text)
            assert tools.same_request(device, "syncconf", "wg0", CONFIG)


@behaviour
def test_syncconf_takes_back_what_the_file_no_longer_has(scene):
    host, tools = tools_on(scene)
    peer = new_private_key().public
    device = StandIn(host, answer=f"public_key={peer.hex()}\npreshared_key={'ab' * 32}\n"
                                  "persistent_keepalive_interval=25\n")
    host.write(CONFIG, f"[Peer]\nPublicKey = {peer}\n")
    assert tools.run("ferrule", ["syncconf", "wg0", CONFIG]).returncode == 0
    assert device.requests[-1] == (
        f"set=1\nprivate_key={'00' * 32}\nlisten_port=0\nfwmark=0\npublic_key={peer.hex()}\n"
        f"preshared_key={'00' * 32}\npersistent_keepalive_interval=0\nreplace_allowed_ips=true\n\n")


# --- a real daemon --------------------------------------------------------------------------

@behaviour
def test_ferrule_configures_and_shows_a_daemon(scene):
    host, tools = tools_on(scene)
    scene.daemon(host)
    key, peer = new_private_key(), new_private_key().public
    config = (f"[Interface]\nListenPort = 7777\nFwMark = 0x20\nPrivateKey = {key}\n\n[Peer]\n"
              f"PublicKey = {peer}\nAllowedIPs = 10.1.0.0/16\nEndpoint = 192.0.2.1:5\n"
              "PersistentKeepalive = 25\n")
    host.write(CONFIG, config)
    assert tools.run("ferrule", ["setconf", "wg0", CONFIG]).returncode == 0
    assert tools.run("ferrule", ["showconf", "wg0"]).stdout == config
    for field in FIELDS:
        tools.same("show", "wg0", field)
    tools.same("show")
