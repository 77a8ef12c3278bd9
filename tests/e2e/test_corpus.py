"""`ferrule check` and `ferrule up` say the same of files that a seed draws, on four kinds of machines:
what `up` fails for is an error of `check`, and what `check` finds `up` has a line for.
"""

import json
import os
import random

from lib.registry import behaviour
from test_quick import BIN, CONFIG, PUBLIC_KEY, Quick
from test_quick_machines import without

SEED = 20
FILES_A_MACHINE = 40

KEY = "OEsfMrfd0gBVCjfLbPIGjfZ6n3VTyk3R37F8GF2Ulm0="
PSK = "oBjLEKFqpwGr2tDD0p7kzcG4fTzPDTVhZDKeQYxKs2A="

# Lines that the two sections may have beside what they need; each draw takes a few. What is wrong in them
# is what people's files have.
OF_INTERFACE = [
    "MTU = 1280", "MTU = 1420", "MTU = 1200", "MTU = 65536", "MTU = 0", "MTU = big", "MTU = 576",
    "Table = off", "Table = auto", "Table = 1234", "Table = main", "Table = vpn", "Table = 0x10",
    "Table =", "FwMark = 0x51", "FwMark = off", "FwMark = mark", "FwMark = 4294967296",
    "DNS = 10.10.0.1", "DNS = 10.10.0.1, example.org", "DNS = auto", "DNS = \"1.1.1.1\"",
    "DNS = 1.1.1.1;8.8.8.8", "DNS = 10.64.0.1/32", "DNS =", "DNS = fd10::53",
    "PostUp = true", "PreUp = true", "PostUp = echo \"open",
    "PreDown = echo %i", "PostDown = (",
    "SaveConfig = true", "SaveConfig = false", "SaveConfig = perhaps", "ListenPort = 0",
    "ListenPort = 51821", "ListenPort = 70000", "ListenPort = any", "ListenPort = 4444",
    "Address = 10.10.0.1", "Address = 10.10.7.1/24", "Address = 10.66.0.2 255.255.255.0",
    "Address = 127.0.0.1/8", "Address = ::1/128", "Address = 224.0.0.1/32", "Address = 10.9.0.0/24",
    "Address = 0.0.0.0/0", "Address = fd11::1/64, 10.11.0.1/24", "Address = 10.10.0.1/33",
    "Address = fd10::g/64", "Address =", "Address = 192.0.2.1/24", "# Name = here", "; a comment",
    "Jc = 4", "PrivateKeyFile = /etc/wireguard/key", "Endpoint = 192.0.2.2:51820",
    "AllowedIPs = 10.10.0.0/24", "Unknown = 1", "MTU 1420", "= 5", "PrivateKey = short=",
    "PostUp = ip route add 10.250.0.0/16 dev %i", "DNS = 10.10.0.1, bad_name!", "Table = 253",
    "Address = 10.10.0.1/24, 10.10.0.1/24", "Address = fe80::1/64", "Address = 10.12.0.1/24,",
]
OF_PEER = [
    "AllowedIPs = 10.10.0.0/24", "AllowedIPs = 0.0.0.0/0", "AllowedIPs = ::/0",
    "AllowedIPs = 0.0.0.0/0, ::/0", "AllowedIPs = 10.10.0.5/24", "AllowedIPs = 10.10.0.0/33",
    "AllowedIPs =", "AllowedIPs = all", "AllowedIPs = 192.0.2.0/24", "AllowedIPs = fd10::/64",
    "AllowedIPs = 0.0.0.0/1, 128.0.0.0/1", "AllowedIPs = 10.10.0.0/24 10.11.0.0/24",
    "AllowedIPs = 224.0.0.0/4", "AllowedIPs = 127.0.0.0/8", "AllowedIPs = fe80::/64",
    "Endpoint = 192.0.2.2:51820", "Endpoint = http://192.0.2.2:51820", "Endpoint = user@192.0.2.2:1",
    "Endpoint = 192.0.2.2", "Endpoint = 192.0.2.2:0", "Endpoint = 0.0.0.0:51820",
    "Endpoint = 2001:db8::5", "Endpoint = [2001:db8::5]:51820", "Endpoint = [fe80::1]:51820",
    "Endpoint = 192.0.2.2:1:2", "Endpoint = 192.0.2.2:051820", "Endpoint = 010.0.0.1:51820",
    "Endpoint = none.invalid:51820", "Endpoint = localhost:51820", "Endpoint =",
    "Endpoint = 192.0.2.2:domain", "Endpoint = 255.255.255.255:51820", "Endpoint = 127.0.0.1:51820",
    "Endpoint = 224.0.0.1:51820", "Endpoint = 198.51.100.1:51820", "Endpoint = [fe80::1%eth0]:51820",
    "Endpoint = [fe80::1%eth9]:51820", "Endpoint = 192.0.2.2:99999", "Endpoint = 'a b':51820",
    "PersistentKeepalive = 25", "PersistentKeepalive = off", "PersistentKeepalive = 70000",
    "PersistentKeepalive = -1", "PersistentKeepalive = 25s", f"PresharedKey = {PSK}",
    "PresharedKey = none", "PublicKey = again", f"PublicKey = {KEY}", "Name = laptop",
    "# Name = laptop", "### Client laptop", "# Expires = 2020-01-01", "# Expires = never",
    "Address = 10.10.0.7/24", "DNS = 1.1.1.1", "PrivateKey = x", "Unknown = 1",
]
WHOLE = [
    "", "\n", "# nothing\n", "[Peer]\n", "[Interface]\n", "PrivateKey = x\n", "[WireGuard]\n",
    f"[Peer]\nPublicKey = {KEY}\nAllowedIPs = 10.10.0.0/24\n", "[Interface\n", "[interface]\n[Peer]\n",
    f"[Interface]\nPublicKey = {KEY}\n", "\ufeff[Interface]\n", "[Interface]\nPrivateKey\u00a0= x\n",
]


def draw(random_, key):
    """The text of a file."""
    if random_.random() < 0.06:
        return random_.choice(WHOLE)
    lines = ["[Interface]"]
    if random_.random() > 0.03:
        lines.append(f"PrivateKey = {key}")
    if random_.random() > 0.3:
        lines.append("Address = 10.10.0.1/24, fd10::1/64")
    lines += random_.sample(OF_INTERFACE, random_.choice([0, 0, 1, 1, 2]))
    for peer in (KEY, PUBLIC_KEY)[:random_.choice([1, 1, 1, 2])]:
        lines.append("[Peer]")
        if random_.random() > 0.03:
            lines.append(f"PublicKey = {peer}")
        lines += random_.sample(OF_PEER, random_.choice([0, 1, 1, 2, 3]))
    return random_.choice(["\n", "\n", "\r\n"]).join(lines) + random_.choice(["\n", "\n", ""])


def one_by_one(key):
    """Each line alone in a file that is good without it; where the file has its key, in place of that."""
    endpoint = "Endpoint = 192.0.2.2:51820"
    for line in OF_INTERFACE:
        address = "" if line.startswith("Address") else "Address = 10.10.0.1/24, fd10::1/64\n"
        yield (f"[Interface]\nPrivateKey = {key}\n{address}{line}\n[Peer]\nPublicKey = {KEY}\n"
               f"AllowedIPs = 10.10.0.0/24\n{endpoint}\n")
    for line in OF_PEER:
        rest = [other for other in ("AllowedIPs = 10.10.0.0/24", endpoint)
                if other.split()[0] != line.split()[0]]
        yield (f"[Interface]\nPrivateKey = {key}\nAddress = 10.10.0.1/24, fd10::1/64\n[Peer]\n"
               f"PublicKey = {KEY}\n" + "\n".join([*rest, line]) + "\n")
    yield from WHOLE


def drawn(machine):
    """Files of their own for each machine."""
    def files(key):
        random_ = random.Random(f"{SEED} {machine}")
        for _ in range(FILES_A_MACHINE):
            yield draw(random_, key)
    return files


def agree(quick, files):
    before = quick.machine()
    disagreements = []
    for number, text in enumerate(files(quick.key)):
        quick.host.write(CONFIG, text)
        os.chmod(quick.host.path(CONFIG), 0o600)
        checked = quick.host.run(["sh", "-c", f"PATH={BIN}:$PATH {quick.paths['ferrule']} check "
                                  f"--json {CONFIG}"], check=False)
        findings = json.loads(checked.stdout)
        status, log = quick.run("ferrule", "up", check=False)
        if status == 0:
            # A hook that can't be read ends `down' as it would end wg-quick's: by what is up then.
            down, words = quick.run("ferrule", "down", check=False)
            assert down == 0 or "hook-syntax" in checked.stdout, words
        said = (f"file {number}:\n{text}\ncheck, {checked.returncode}: {checked.stdout}"
                f"{checked.stderr}\nup, {status}: {log}")
        if status and checked.returncode != 1:
            disagreements.append("`up' fails, and `check' finds no error in " + said)
        if not status and [f for f in findings if f["severity"] != "note"] and "Warning" not in log:
            disagreements.append("`check' finds what `up' is silent about in " + said)
        after = quick.machine()
        if after != before:
            disagreements.append(f"the machine is another one after {said}\n{before}\n{after}")
            before = after
    assert not disagreements, "\n\n".join(disagreements)


@behaviour(deadline_s=180)
def test_check_and_up_agree_on_each_line(scene):
    agree(Quick(scene), one_by_one)


@behaviour(deadline_s=180)
def test_check_and_up_agree_without_ipv6(scene):
    quick = Quick(scene)
    quick.host.run("sysctl -qw net.ipv6.conf.default.disable_ipv6=1")
    agree(quick, drawn("without ipv6"))


@behaviour(deadline_s=180)
def test_check_and_up_agree_on_a_kernel_without_ipv6(scene):
    quick = Quick(scene)
    without(quick, "ipv6")
    agree(quick, drawn("on a kernel without ipv6"))


@behaviour(deadline_s=180)
def test_check_and_up_agree_without_packet_filter(scene):
    quick = Quick(scene)
    without(quick, "netfilter")
    agree(quick, drawn("without packet filter"))


@behaviour(deadline_s=180)
def test_check_and_up_agree_without_resolver(scene):
    quick = Quick(scene)
    quick.script("resolvconf", "")
    os.unlink(quick.host.path(f"{BIN}/resolvconf"))
    agree(quick, drawn("without resolver"))
