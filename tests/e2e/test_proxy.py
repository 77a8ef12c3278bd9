"""`ferrule proxy`: programs of an ordinary user that reach the inside of a tunnel by SOCKS, HTTP and
forwards.

        left, outside                  left, the user's own namespace       right
    ┌─────────────────────────┐       ┌─────────────────────────┐      ┌─────────────────┐
    │ client ── 127.0.0.1:1080│       │ wg0                     │      │ wg0             │
    │           ferrule proxy ├───────┤   10.10.0.1, fd10::1    │      │   10.10.0.2     │
    │                         │       │   sockets only          │      │   fd10::2       │
    │     eth0   .1           ├───────┼─────────────────────────┼──────┤ .2   eth0       │
    └─────────────────────────┘       └─────────────────────────┘      └─────────────────┘
"""

import hashlib
import os
import signal
import socket
import struct
import threading
import time

from lib.process import status_text
from lib.registry import behaviour
from lib.wait import PATIENCE, eventually
from test_noroot import NOT_GO, Setting

NAMES = {"web.inner.example": ("10.10.0.2", "fd10::2"), "four.inner.example": ("10.10.0.2", None),
         "many.inner.example": ("10.10.0.2", None), "self.inner.example": ("10.10.0.1", None)}


class Server:
    """Something on the right that answers, for as long as the test lasts."""

    def __init__(self, host, address, port, serve, kind=socket.SOCK_STREAM):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = host.socket(family, kind)
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, port))
        self.serve = serve
        if kind == socket.SOCK_STREAM:
            self.sock.listen(64)
        target = self._accept if kind == socket.SOCK_STREAM else self._receive
        threading.Thread(target=target, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.sock.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def _receive(self):
        while True:
            try:
                data, source = self.sock.recvfrom(65536)
            except OSError:
                return
            answer = self.serve(data)
            if answer:
                self.sock.sendto(answer, source)


def echo(connection):
    with connection:
        while data := connection.recv(65536):
            connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)


def web(connection):
    with connection:
        head = b""
        while b"\r\n\r\n" not in head:
            chunk = connection.recv(65536)
            if not chunk:
                return
            head += chunk
        body = b"page of " + head.split(b"\r\n")[0]
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
                           % (len(body), body))


def dns_answer(query, tcp=False):
    """Answers A and AAAA of NAMES; says of "many" that the answer does not fit UDP."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind, = struct.unpack(">H", query[at + 1:at + 3])
    question = query[12:at + 5]
    addresses = NAMES.get(".".join(labels))
    if addresses is None:
        return query[:2] + struct.pack(">HHHHH", 0x8183, 1, 0, 0, 0) + question
    if labels[0] == "many" and not tcp:
        return query[:2] + struct.pack(">HHHHH", 0x8380, 1, 0, 0, 0) + question
    address = addresses[0] if kind == 1 else addresses[1] if kind == 28 else None
    if address is None:
        return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 0, 0, 0) + question
    data = socket.inet_pton(socket.AF_INET if kind == 1 else socket.AF_INET6, address)
    record = b"\xc0\x0c" + struct.pack(">HHIH", kind, 1, 60, len(data)) + data
    return query[:2] + struct.pack(">HHHHH", 0x8180, 1, 1, 0, 0) + question + record


def dns_over_tcp(connection):
    with connection:
        size, = struct.unpack(">H", connection.recv(2))
        answer = dns_answer(connection.recv(size), tcp=True)
        connection.sendall(struct.pack(">H", len(answer)) + answer)


class Proxied(Setting):
    def __init__(self, scene, *options, interface="DNS = 10.10.0.2", conf=None, env=None, under=(),
                 allowed="0.0.0.0/0, ::/0"):
        super().__init__(scene, allowed=allowed, interface=interface)
        Server(self.right, "10.10.0.2", 53, dns_answer, socket.SOCK_DGRAM)
        Server(self.right, "10.10.0.2", 53, dns_over_tcp)
        Server(self.right, "10.10.0.2", 7, echo)
        Server(self.right, "fd10::2", 7, echo)
        Server(self.right, "10.10.0.2", 80, web)
        Server(self.right, "10.10.0.2", 7, lambda data: data[::-1], socket.SOCK_DGRAM)
        if conf is not None:
            self.conf = self.user.write("proxy.conf", conf(self))
        reach = getattr(scene, "reach", None)       # see test_proxy_lwip.py
        options = [*options, *(["--reach", reach] if reach else [])]
        read, write = os.pipe()
        self.process = self.user.spawn(
            [*under, "ferrule", "proxy", "--ready-fd", str(write), *options, self.conf],
            log_name="proxy.log", pass_fds=(write,), env=env)
        os.close(write)
        with os.fdopen(read) as ready:
            assert ready.readline() == "\n", self.process.log()

    def connect(self, port=1080):
        sock = self.left.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.settimeout(20 * PATIENCE)
        sock.connect(("127.0.0.1", port))
        return sock

    def curl(self, *words, check=True):
        return self.user.run(["curl", "-sS", "--max-time", "20", *words], check=check)

    def end(self):
        assert self.process.stop() == 0, self.process.log()


def exactly(sock, size):
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        assert chunk, f"ended after {len(data)} of {size} bytes"
        data += chunk
    return data


def address_of(host):
    try:
        return b"\x01" + socket.inet_pton(socket.AF_INET, host)
    except OSError:
        pass
    try:
        return b"\x04" + socket.inet_pton(socket.AF_INET6, host)
    except OSError:
        return b"\x03" + bytes([len(host)]) + host.encode()


def request(sock, command, host, port):
    """The answer's code, address and port."""
    sock.sendall(b"\x05\x01\x00")
    assert exactly(sock, 2) == b"\x05\x00"
    sock.sendall(b"\x05" + bytes([command, 0]) + address_of(host) + struct.pack(">H", port))
    return read_answer(sock)


def read_answer(sock):
    version, code, _, kind = exactly(sock, 4)
    assert version == 5
    address = exactly(sock, 4 if kind == 1 else 16)
    port, = struct.unpack(">H", exactly(sock, 2))
    return code, socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, address), port


@behaviour(**NOT_GO)
def test_SOCKS_and_HTTP_reach_inside(scene):
    proxied = Proxied(scene, "--socks", "1080", "--http", "8080")
    for proxy in ("socks5h://127.0.0.1:1080", "socks5://127.0.0.1:1080", "socks4a://127.0.0.1:1080",
                  "socks4://127.0.0.1:1080", "http://127.0.0.1:8080"):
        host = "web.inner.example" if proxy[5:7] in ("h:", "a:") or proxy[:4] == "http" \
            else "10.10.0.2"
        result = proxied.curl("-x", proxy, f"http://{host}/page")
        assert result.stdout == "page of GET /page HTTP/1.1", (proxy, result)
    result = proxied.curl("-p", "-x", "http://127.0.0.1:8080", "http://web.inner.example/page")
    assert result.stdout == "page of GET /page HTTP/1.1", result
    proxied.end()


@behaviour(**NOT_GO)
def test_SOCKS_codes_tell_what_went_wrong(scene):
    proxied = Proxied(scene, "--socks", "1080")
    for host, port, expected in (("10.10.0.2", 1, 5), ("10.10.0.2", 7, 0), ("fd10::2", 7, 0),
                                 ("nobody.inner.example", 7, 4), ("many.inner.example", 7, 0),
                                 ("web.inner.example", 7, 0), ("bad name", 7, 4)):
        with proxied.connect() as sock:
            code, _, _ = request(sock, 1, host, port)
            assert code == expected, f"{host}:{port}: {code}"
    with proxied.connect() as sock:
        assert request(sock, 9, "10.10.0.2", 7)[0] == 7
    proxied.end()


@behaviour(**NOT_GO)
def test_names_of_a_proxy_do_not_leak(scene):
    proxied = Proxied(scene, "--socks", "1080", interface="DNS = 10.10.0.2, inner.example")
    outside = proxied.left.udp("0.0.0.0", 53)
    outside.setblocking(False)
    with proxied.connect() as sock:
        assert request(sock, 1, "web", 7)[0] == 0, "a search domain"
    try:
        outside.recvfrom(4096)
        raise AssertionError("a name leaked")
    except BlockingIOError:
        pass
    proxied.end()


@behaviour(**NOT_GO)
def test_UDP_ASSOCIATE_carries_datagrams(scene):
    proxied = Proxied(scene, "--socks", "1080")
    control = proxied.connect()
    code, address, port = request(control, 3, "0.0.0.0", 0)
    assert code == 0 and address == "127.0.0.1", (code, address, port)
    with proxied.left.udp("127.0.0.1") as sock:
        for host in ("10.10.0.2", "four.inner.example"):
            header = b"\0\0\0" + address_of(host) + struct.pack(">H", 7)
            for size in (1, 1200, 4000):
                payload = os.urandom(size)
                sock.sendto(header + payload, (address, port))
                answer = sock.recv(65536)
                expected = b"\0\0\0" + address_of("10.10.0.2") + struct.pack(">H", 7)
                assert answer == expected + payload[::-1], (host, size, answer[:20])
        sock.settimeout(0.3)
        for bad in (b"", b"\0\0\1" + header[3:] + b"fragment", b"\0\0\0\x09abc", b"\0\0\0\x01abc"):
            sock.sendto(bad, (address, port))
        with proxied.left.udp("127.0.0.1") as stranger:
            stranger.sendto(header + b"x", (address, port))
        try:
            raise AssertionError(f"an answer to what is no datagram: {sock.recv(100)}")
        except TimeoutError:
            pass
    control.close()
    eventually(lambda: proxied.left.is_udp_closed(port), "the association ends with its connection")
    proxied.end()


@behaviour(**NOT_GO)
def test_BIND_waits_for_a_caller_of_inside(scene):
    proxied = Proxied(scene, "--socks", "1080")
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0, "which the peer learns our endpoint from"
    with proxied.connect() as control:
        code, address, port = request(control, 2, "10.10.0.2", 0)
        assert (code, address) == (0, "10.10.0.1"), (code, address)
        caller = proxied.right.socket(socket.AF_INET, socket.SOCK_STREAM)
        caller.settimeout(10 * PATIENCE)
        caller.connect((address, port))
        assert read_answer(control)[:2] == (0, "10.10.0.2")
        caller.sendall(b"from inside")
        assert exactly(control, 11) == b"from inside"
    proxied.end()


@behaviour(**NOT_GO)
def test_streams_arrive_whole_and_half_closed(scene):
    proxied = Proxied(scene, "--socks", "1080")
    data = os.urandom(8 << 20)
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        sender = threading.Thread(target=lambda: (sock.sendall(data),
                                                  sock.shutdown(socket.SHUT_WR)))
        sender.start()
        received = b"".join(iter(lambda: sock.recv(1 << 20), b""))
        sender.join()
        assert hashlib.sha256(received).digest() == hashlib.sha256(data).digest(), len(received)
    proxied.end()


@behaviour(**NOT_GO)
def test_a_slow_reader_costs_a_bounded_memory(scene):
    proxied = Proxied(scene, "--socks", "1080")

    def flood(connection):
        with connection:
            try:
                for _ in range(1024):
                    connection.sendall(bytes(65536))
            except OSError:
                pass
    Server(proxied.right, "10.10.0.2", 9, flood)
    socks = [proxied.connect() for _ in range(8)]
    for sock in socks:
        assert request(sock, 1, "10.10.0.2", 9)[0] == 0
    time.sleep(2)
    rss = int(status_text(proxied.process.pid, "VmRSS").split()[0])
    scene.note(f"{rss // 1024} MiB with 8 stalled readers")
    assert rss < 64 << 10, f"{rss} KiB"
    total = 0
    while chunk := socks[0].recv(1 << 20):
        total += len(chunk)
    assert total == 1024 * 65536, "something was lost"
    for sock in socks:
        sock.close()
    proxied.end()


@behaviour(**NOT_GO)
def test_a_reset_is_passed_on(scene):
    proxied = Proxied(scene, "--socks", "1080")

    def reset(connection):
        connection.recv(1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()
    Server(proxied.right, "10.10.0.2", 9, reset)
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 9)[0] == 0
        sock.sendall(b"x")
        try:
            raise AssertionError(f"ended well: {sock.recv(1)}")
        except ConnectionResetError:
            pass
    proxied.end()


@behaviour(**NOT_GO)
def test_forwards_lead_both_ways(scene):
    proxied = Proxied(scene, "-L", "2007:10.10.0.2:7", "-L", "2007:four.inner.example:7/udp",
                      "-R", "3007:127.0.0.1:3008", "--dns", "5353")
    with proxied.connect(2007) as sock:
        sock.sendall(b"there and back")
        assert exactly(sock, 14) == b"there and back"
    with proxied.left.udp("127.0.0.1") as sock:
        sock.settimeout(1)

        def answered():
            sock.sendto(b"abc", ("127.0.0.1", 2007))
            return sock.recv(100) == b"cba"

        def soon():
            try:
                return answered()
            except TimeoutError:
                return False
        eventually(soon, "a datagram comes back")      # the first is lost while the name is found
    Server(proxied.left, "127.0.0.1", 3008, echo)
    with proxied.right.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(10 * PATIENCE)
        sock.connect(("10.10.0.1", 3007))
        sock.sendall(b"from inside")
        assert exactly(sock, 11) == b"from inside"
    query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0\3web\5inner\7example\0\0\1\0\1"
    with proxied.left.udp("127.0.0.1") as sock:
        sock.sendto(query, ("127.0.0.1", 5353))
        assert sock.recv(512) == dns_answer(query)
    proxied.end()


@behaviour(**NOT_GO)
def test_stdio_is_a_connection(scene):
    setting = Setting(scene)
    Server(setting.right, "10.10.0.2", 7, echo)
    text = "x" * 100000 + "\n"
    result = setting.user.run(["ferrule", "proxy", setting.conf, "--stdio", "10.10.0.2:7"],
                              input=text)
    assert result.stdout == text, len(result.stdout)
    result = setting.user.run(["ferrule", "proxy", setting.conf, "--stdio", "10.10.0.2:1"],
                              input=text, check=False)
    assert result.returncode == 1 and "refused" in result.stderr, result


@behaviour(**NOT_GO)
def test_other_addresses_than_loopback_need_a_password(scene):
    setting = Setting(scene)
    proxy = ["ferrule", "proxy", setting.conf]
    result = setting.user.run([*proxy, "--socks", "0.0.0.0:1080"], check=False)
    assert result.returncode == 1 and "--insecure" in result.stderr, result
    line = setting.user.out(["ferrule", "proxy", "--hash-password", "ada"], input="love lace\n")
    assert line.startswith("ada:$argon2id$"), line
    path = setting.user.write("users", line + "\n")
    setting.user.spawn([*proxy, "--socks", "0.0.0.0:1080", "--http", "8080", "--password-file",
                        path], log_name="proxy.log")
    Server(setting.right, "10.10.0.2", 80, web)

    def fetch(proxy_url):
        return setting.user.run(["curl", "-sS", "-x", proxy_url, "http://10.10.0.2/"], check=False)
    eventually(lambda: fetch("http://127.0.0.1:8080").returncode == 0, "it listens")
    assert fetch("http://127.0.0.1:8080").stdout.startswith("A password")
    for scheme, port in (("socks5", 1080), ("http", 8080)):
        good = fetch(f"{scheme}://ada:love%20lace@127.0.0.1:{port}")
        assert good.stdout.startswith("page of"), good
        bad = fetch(f"{scheme}://ada:lovelace@127.0.0.1:{port}")
        assert not bad.stdout.startswith("page of"), bad
    assert fetch("socks5://127.0.0.1:1080").returncode != 0


@behaviour(**NOT_GO)
def test_health_and_metrics_are_told(scene):
    proxied = Proxied(scene, "--socks", "1080", "--health", "9090")
    eventually(lambda: "ready:" in proxied.curl("http://127.0.0.1:9090/readyz").stdout
               and "not ready" not in proxied.curl("http://127.0.0.1:9090/readyz").stdout,
               "a handshake")
    proxied.curl("-x", "socks5h://127.0.0.1:1080", "http://web.inner.example/")
    text = proxied.curl("http://127.0.0.1:9090/metrics").stdout
    assert "ferrule_proxy_dials_total 1\n" in text, text
    assert "ferrule_tunnel_last_handshake_seconds 1" in text, text
    assert "404" in proxied.curl("-w", "%{http_code}", "http://127.0.0.1:9090/").stdout
    proxied.end()


# Nobody speaks, or speaks nonsense: that costs nobody else anything.

@behaviour(**NOT_GO)
def test_odd_clients_are_turned_away(scene):
    proxied = Proxied(scene, "--socks", "1080", "--http", "8080")
    silent = [proxied.connect(port) for port in (1080, 8080) for _ in range(20)]
    for port in (1080, 8080):
        for words in (b"\x06", b"\x05\x00", b"\x05\x01\x02", b"\x04\x03\0\0\0\0\0\0\0",
                      b"GET / HTTP/1.1\r\n\r\n", b"CONNECT a:99999 HTTP/1.1\r\n\r\n",
                      b"\0" * 5000, b"G" * 40000, os.urandom(3000)):
            with proxied.connect(port) as sock:
                sock.settimeout(5 * PATIENCE)
                try:
                    sock.sendall(words)
                    sock.shutdown(socket.SHUT_WR)
                    while sock.recv(4096):
                        pass
                except (ConnectionResetError, BrokenPipeError):
                    pass
    result = proxied.curl("-x", "socks5h://127.0.0.1:1080", "http://web.inner.example/")
    assert result.stdout.startswith("page of"), result
    for sock in silent:
        sock.close()
    proxied.end()


@behaviour(**NOT_GO)
def test_it_ends_with_its_daemon_and_leaves_nothing(scene):
    proxied = Proxied(scene, "--socks", "1080")
    children = open(f"/proc/{proxied.process.pid}/task/{proxied.process.pid}/children").read()
    daemon = next(int(pid) for pid in children.split()
                  if open(f"/proc/{pid}/comm").read().strip() == "ferruled")
    os.kill(daemon, signal.SIGKILL)
    assert proxied.process.wait() == 1
    assert "ferruled is gone" in proxied.process.log()
    assert os.listdir(proxied.left.path(proxied.user.home)) == ["wg0.conf"]


@behaviour(**NOT_GO)
def test_a_proxy_and_its_helpers_are_in_sandboxes(scene):
    proxied = Proxied(scene, "--socks", "1080")
    pid = proxied.process.pid
    eventually(lambda: status_text(pid, "Seccomp") == "2", "the proxy has a filter")
    children = open(f"/proc/{pid}/task/{pid}/children").read().split()
    assert len(children) == 2, children
    for child in children:
        assert status_text(child, "Seccomp") == "2", open(f"/proc/{child}/comm").read()
        assert int(status_text(child, "CapEff"), 16) == 0
    proxied.end()


# wireproxy's files are taken as they are.

def wireproxys(setting):
    return f"""# a comment
WGConfig = {setting.user.home}/wg0.conf

[Resolve]
ResolveStrategy = ipv4

[Socks5]
BindAddress = 127.0.0.1:25344
Username = $PROXY_USER
Password = secret ; not very

[http]
BindAddress = 127.0.0.1:25345

[TCPClientTunnel]
BindAddress = 127.0.0.1:25565
Target = web.inner.example:7

[TCPServerTunnel]
ListenPort = 3422
Target = localhost:25566

[UDPProxyTunnel]
BindAddress = 127.0.0.1:25567
Target = 10.10.0.2:7
InactivityTimeout = 30
"""


@behaviour(**NOT_GO)
def test_files_of_wireproxy_are_taken(scene):
    proxied = Proxied(scene, conf=wireproxys, env={"PROXY_USER": "ada"})
    result = proxied.curl("-x", "socks5h://ada:secret@127.0.0.1:25344", "http://web.inner.example/")
    assert result.stdout.startswith("page of"), result
    assert proxied.curl("-x", "socks5h://ada:bad@127.0.0.1:25344", "http://web.inner.example/",
                        check=False).returncode != 0
    assert proxied.curl("-x", "http://127.0.0.1:25345", "http://10.10.0.2/").stdout
    with proxied.connect(25565) as sock:
        sock.sendall(b"abc")
        assert exactly(sock, 3) == b"abc"
    Server(proxied.left, "127.0.0.1", 25566, echo)
    with proxied.right.socket(socket.AF_INET, socket.SOCK_STREAM) as sock:
        sock.settimeout(10 * PATIENCE)
        sock.connect(("10.10.0.1", 3422))
        sock.sendall(b"abc")
        assert exactly(sock, 3) == b"abc"
    with proxied.left.udp("127.0.0.1") as sock:
        sock.sendto(b"abc", ("127.0.0.1", 25567))
        assert sock.recv(100) == b"cba"
    proxied.end()


def inline(setting):
    with open(setting.left.path(f"{setting.user.home}/wg0.conf")) as file:
        text = file.read()
    text = text.replace(f"PrivateKey = {setting.peer.private_key}", "PrivateKey = $KEY")
    text = text.replace("AllowedIPs = 0.0.0.0/0, ::/0\n", "")      # which there means all
    return text + "CheckAlive = 1.1.1.1\n[Socks5]\nBindAddress = 127.0.0.1:1080\n"


@behaviour(**NOT_GO)
def test_a_file_of_wireproxy_may_have_it_all(scene):
    setting = Setting(scene, interface="DNS = 10.10.0.2\nCheckAliveInterval = 3")
    text = inline(setting).replace("CheckAlive = 1.1.1.1\n", "")
    path = setting.user.write("all.ini", text)
    Server(setting.right, "10.10.0.2", 80, web)
    setting.user.spawn(["ferrule", "proxy", path], log_name="proxy.log",
                       env={"KEY": str(setting.peer.private_key)})
    fetch = ["curl", "-sS", "-x", "socks5://127.0.0.1:1080", "http://10.10.0.2/"]
    eventually(lambda: setting.user.run(fetch, check=False).stdout.startswith("page of"), "a page")


# Networks go and come back, and what flows through the tunnel waits for them.

@behaviour(deadline_s=180, **NOT_GO)
def test_streams_outlive_a_minute_without_a_network(scene):
    proxied = Proxied(scene, "--socks", "1080")
    with proxied.connect() as sock:
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        sock.sendall(b"x")                  # the server, too, knows that it is connected
        assert exactly(sock, 1) == b"x"
        proxied.left.run("ip link set eth0 down")
        sock.sendall(b"sent while nothing goes")
        time.sleep(60)
        proxied.left.run("ip link set eth0 up")
        back = time.monotonic()
        sock.settimeout(80 * PATIENCE)
        assert exactly(sock, 23) == b"sent while nothing goes"
        scene.note(f"{time.monotonic() - back:.1f} s after the network came back")
    with proxied.connect() as sock:
        assert request(sock, 1, "web.inner.example", 7)[0] == 0, "new connections are made"
    proxied.end()


@behaviour(deadline_s=120, **NOT_GO)
def test_idle_connections_cost_little(scene):
    proxied = Proxied(scene, "--socks", "1080")
    before = int(status_text(proxied.process.pid, "VmRSS").split()[0])
    socks = []
    for _ in range(400):
        sock = proxied.connect()
        assert request(sock, 1, "10.10.0.2", 7)[0] == 0
        socks.append(sock)
    after = int(status_text(proxied.process.pid, "VmRSS").split()[0])
    scene.note(f"{(after - before) * 1024 // len(socks)} bytes an idle connection, "
               f"{before // 1024} MiB before")
    assert (after - before) < 4 * len(socks), f"{after - before} KiB for {len(socks)}"
    for sock in (socks[0], socks[-1]):
        sock.sendall(b"abc")
        assert exactly(sock, 3) == b"abc"
    for sock in socks:
        sock.close()
    proxied.end()
