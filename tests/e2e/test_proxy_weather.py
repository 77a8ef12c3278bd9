"""`ferrule proxy` and `ferrule run` when things fail around them: name servers, names of peers,
descriptors, networks. The drawing is that of test_proxy.py.
"""

import os
import socket
import struct

from lib.process import status_text
from lib.registry import behaviour
from lib.sniffer import Sniffer
from lib.wait import PATIENCE, eventually
from test_noroot import NOT_GO, Setting
from test_proxy import Proxied, Server, dns_answer, dns_over_tcp, exactly, request

QUERY = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\3web\5inner\7example\0\0\1\0\1"
NOBODY = "10.10.0.77"           # of inside, and not there


def ask_by_tcp(proxied, port):
    with proxied.connect(port) as sock:
        sock.sendall(struct.pack(">H", len(QUERY)) + QUERY)
        size, = struct.unpack(">H", exactly(sock, 2))
        return exactly(sock, size)


@behaviour(**NOT_GO)
def test_the_DNS_of_a_proxy_asks_the_next_server(scene):
    proxied = Proxied(scene, "--dns", "5353", interface=f"DNS = {NOBODY}, 10.10.0.2")
    with proxied.left.udp("127.0.0.1") as sock:
        sock.sendto(QUERY, ("127.0.0.1", 5353))
        assert sock.recv(512) == dns_answer(QUERY)
    assert ask_by_tcp(proxied, 5353) == dns_answer(QUERY, tcp=True)
    proxied.end()


# Nothing but the tunnel's own datagrams leaves by the machine's network, whatever is asked for.

def strangers(sniffer):
    """Packets that are not the tunnel's, nor what IPv6 does on any link."""
    return [f"{p.source} > {p.destination}" for p in sniffer.packets(
        lambda p: not (p.is_udp and 51820 in (p.source_port, p.destination_port))
        and not p.destination.startswith("ff02:"))]


@behaviour(**NOT_GO)
def test_no_name_and_no_packet_leaves_beside_the_tunnel(scene):
    setting = Setting(scene, interface="DNS = 10.10.0.2, inner.example")
    Server(setting.right, "10.10.0.2", 53, dns_answer, socket.SOCK_DGRAM)
    Server(setting.right, "10.10.0.2", 53, dns_over_tcp)
    setting.left.run("ip route add default via 192.0.2.2")
    ask = ("import socket\n"
           "for name in ('web', 'web.inner.example', 'nobody.example', 'many.inner.example'):\n"
           "    try: print(socket.getaddrinfo(name, 80)[0][4][0])\n"
           "    except OSError: print('-')\n"
           "for family, to in ((2, '192.0.2.2'), (2, '198.51.100.1'), (10, '2001:db8::2')):\n"
           "    s = socket.socket(family, 2)\n"
           "    try: s.sendto(b'x', (to, 53))\n"
           "    except OSError: pass\n")
    with Sniffer(setting.left) as sniffer:
        found = setting.out(["/usr/bin/python3", "-c", ask], env={"RES_OPTIONS": "timeout:2"})
        assert found.split()[2] == "-" and "-" not in found.split()[:2], found
        assert sniffer.udp(port=51820), "nothing passed at all"
        assert not strangers(sniffer), strangers(sniffer)


@behaviour(**NOT_GO)
def test_nothing_of_a_proxy_leaves_beside_the_tunnel(scene):
    proxied = Proxied(scene, "--socks", "1080", "--http", "8080", "--dns", "5353",
                      interface="DNS = 10.10.0.2, inner.example")
    proxied.left.run("ip route add default via 192.0.2.2")
    with Sniffer(proxied.left) as sniffer:
        for host in ("web", "web.inner.example", "nobody.example", "198.51.100.1"):
            with proxied.connect() as sock:
                sock.settimeout(3 * PATIENCE)
                try:
                    request(sock, 1, host, 7)
                except TimeoutError:
                    pass
        proxied.curl("-x", "http://127.0.0.1:8080", "http://web.inner.example/")
        with proxied.left.udp("127.0.0.1") as sock:
            sock.sendto(QUERY, ("127.0.0.1", 5353))
            assert sock.recv(512)
        assert not strangers(sniffer), strangers(sniffer)
    proxied.end()


@behaviour(**NOT_GO)
def test_without_DNS_in_the_file_nobody_is_asked(scene):
    proxied = Proxied(scene, "--socks", "1080", interface="")
    with Sniffer(proxied.left) as sniffer, proxied.connect() as sock:
        assert request(sock, 1, "web.inner.example", 7)[0] == 4
        assert not strangers(sniffer), strangers(sniffer)
    proxied.end()


# A peer whose name has moved is found again.

def name_right(setting, address):
    setting.left.write("/run/hosts", f"127.0.0.1 localhost\n{address} right.test\n")
    if "/etc/hosts" not in setting.left.out("cat /proc/self/mounts"):
        setting.left.run("mount --bind /run/hosts /etc/hosts")


def by_name(setting):
    with open(setting.left.path(f"{setting.user.home}/wg0.conf")) as file:
        text = file.read()
    name_right(setting, "192.0.2.77")
    return text.replace("192.0.2.2:51820", "right.test:51820")


@behaviour(deadline_s=90, **NOT_GO)
def test_a_peers_name_that_moves_is_followed(scene):
    proxied = Proxied(scene, "--socks", "1080", conf=by_name)
    children = open(f"/proc/{proxied.process.pid}/task/{proxied.process.pid}/children").read()
    helpers = 1 if getattr(scene, "reach", None) == "lwip" else 2
    assert len(children.split()) == helpers + 1, "one follows names"
    with proxied.connect() as sock:
        name_right(proxied, "192.0.2.2")
        sock.settimeout(60 * PATIENCE)
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
    for child in children.split():
        assert int(status_text(child, "CapEff"), 16) == 0
    proxied.end()
    eventually(lambda: not any(_runs(child) for child in children.split()), "all of them end")


def _runs(pid):
    try:
        return status_text(pid, "State")[0] not in "ZX"
    except FileNotFoundError:
        return False


# What is asked for at an address of the proxy itself would come back to it, and go round where its ports lead to each
# other, with a descriptor more each time: it is refused.

@behaviour(**NOT_GO)
def test_a_name_of_the_proxy_itself_is_refused(scene):
    proxied = Proxied(scene, "--socks", "1080", "-R", "1080:127.0.0.1:1080")
    for host in ("self.inner.example", "10.10.0.1", "127.0.0.1", "fd10::1", "::1"):
        with proxied.connect() as sock:
            assert request(sock, 1, host, 1080)[0] == 5, host
    proxied.end()


@behaviour(**NOT_GO)
def test_nothing_goes_round(scene):
    proxied = Proxied(scene, "-L", "2000:10.10.0.1:3000", "-R", "3000:127.0.0.1:2000",
                      "-L", "2000:10.10.0.1:3000/udp", "-R", "3000:127.0.0.1:2000/udp", "--socks", "1080")
    pid = proxied.process.pid
    before = len(os.listdir(f"/proc/{pid}/fd"))
    with proxied.connect(2000) as sock, proxied.left.udp("127.0.0.1") as datagrams:
        datagrams.sendto(b"round", ("127.0.0.1", 2000))
        try:
            assert sock.recv(1) == b""
        except ConnectionResetError:
            pass
    eventually(lambda: len(os.listdir(f"/proc/{pid}/fd")) <= before, "all of it has ended")
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
    proxied.end()


# What is not to be reached is told as SOCKS tells it.

@behaviour(deadline_s=90, **NOT_GO)
def test_hosts_that_are_not_there_are_told_by_their_codes(scene):
    proxied = Proxied(scene, "--socks", "1080", allowed="10.10.0.0/24")
    network_unreachable, host_unreachable = 3, 4
    with proxied.connect() as sock:
        assert request(sock, 1, "198.51.100.1", 7)[0] == network_unreachable
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        proxied.server.daemon.kill()
        sock.settimeout(45 * PATIENCE)
        with proxied.connect() as other:
            other.settimeout(45 * PATIENCE)
            assert request(other, 1, "10.10.0.2", 7)[0] == host_unreachable
    proxied.end()


# Either side may say all that it has first, and go on listening.

@behaviour(**NOT_GO)
def test_a_host_that_has_said_all_goes_on_listening(scene):
    proxied = Proxied(scene, "--socks", "1080")
    heard_all = []

    def greet_and_listen(connection):
        with connection:
            connection.sendall(b"greeting")
            connection.shutdown(socket.SHUT_WR)
            data = b""
            while chunk := connection.recv(65536):
                data += chunk
            heard_all.append(data)
    Server(proxied.right, "10.10.0.2", 9, greet_and_listen)
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 9)[0] == 0
        assert exactly(sock, 8) == b"greeting" and sock.recv(1) == b""
        text = bytes(range(256)) * 4096
        sock.sendall(text)
        sock.shutdown(socket.SHUT_WR)
        eventually(lambda: heard_all, "the host has heard the end")
    assert heard_all == [text]
    proxied.end()


# Descriptors run out: who comes waits, which is said once.

@behaviour(**NOT_GO)
def test_without_descriptors_clients_wait(scene):
    proxied = Proxied(scene, "--socks", "1080", under=["prlimit", "--nofile=48:48"])
    socks = [proxied.connect() for _ in range(60)]
    eventually(lambda: "new ones wait" in proxied.process.log(), "it says so")
    for sock in socks:
        sock.close()
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        sock.sendall(b"abc")
        assert exactly(sock, 3) == b"abc"
    assert proxied.process.log().count("new ones wait") == 1, proxied.process.log()
    proxied.end()


# The machine gets another address: what flows through the tunnel does not notice.

@behaviour(deadline_s=90, **NOT_GO)
def test_streams_outlive_a_new_address(scene):
    proxied = Proxied(scene, "--socks", "1080")
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        for number in (7, 8, 9):
            proxied.left.run("ip addr flush dev eth0")
            proxied.left.run(f"ip addr add 192.0.2.{number}/24 dev eth0")
            sock.sendall(b"still here")
            assert exactly(sock, 10) == b"still here"
    proxied.end()
