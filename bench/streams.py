"""Both ends of what the proxy's bench measures, as a program of its own on a host.

    streams.py serve                     answers until it is ended: port 80 sends for ever, 81 takes all,
                                         82 greets and keeps, 83 greets and closes
    streams.py many COUNT SECONDS WAY    that many downloads at once
    streams.py churn WORKERS SECONDS WAY connections that are opened, greeted and closed
    streams.py idle COUNT WAY            connections that are kept until standard input ends

WAY is `direct:HOST`, `socks:ADDRESS:PORT:HOST`, or `ports:80=8080,82=8082` of loopback.
"""

import json
import resource
import selectors
import socket
import struct
import sys
import threading
import time

SEND, TAKE, KEEP, CLOSE = 80, 81, 82, 83
IDLE_PATIENCE_S = 60                    # for all of them
BLOCK = bytes(1 << 20)
HEAD = b"HTTP/1.0 200 OK\r\n\r\n"
REQUEST = b"GET / HTTP/1.0\r\n\r\n"


def raise_limit():
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


# --- the server ---------------------------------------------------------------------------------

def send_for_ever(sock):
    sock.recv(65536)
    sock.sendall(HEAD)
    while True:
        sock.sendall(BLOCK)


def take_all(sock):
    room = bytearray(1 << 20)
    while sock.recv_into(room):
        pass
    sock.sendall(HEAD)


def in_threads(port, serve):
    def attend(sock):
        with sock:
            try:
                serve(sock)
            except OSError:
                pass
    listener = listen(port)
    while True:
        sock, _ = listener.accept()
        threading.Thread(target=attend, args=(sock,), daemon=True).start()


def listen(port):
    listener = socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True,
                                    backlog=4096)
    return listener


def greet_and_close():
    listener = listen(CLOSE)
    while True:
        sock, _ = listener.accept()
        sock.send(b"x")
        sock.close()


def greet_and_keep():
    listener, kept = listen(KEEP), set()
    waiting = selectors.DefaultSelector()
    waiting.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            sock = key.fileobj
            if sock is listener:
                sock, _ = listener.accept()
                sock.send(b"x")
                kept.add(sock)
                waiting.register(sock, selectors.EVENT_READ)
                continue
            waiting.unregister(sock)
            kept.discard(sock)
            sock.close()


def serve():
    for target, words in ((in_threads, (SEND, send_for_ever)), (in_threads, (TAKE, take_all)),
                          (greet_and_close, ()), (greet_and_keep, ())):
        threading.Thread(target=target, args=words, daemon=True).start()
    threading.Event().wait()


# --- clients ------------------------------------------------------------------------------------

class Way:
    """How a client comes to the server."""

    def __init__(self, text):
        kind, _, rest = text.partition(":")
        self.kind = kind
        if kind == "direct":
            self.host = rest
        elif kind == "socks":
            address, port, self.host = rest.split(":")
            self.proxy = (address, int(port))
        else:
            self.ports = dict(map(int, pair.split("=")) for pair in rest.split(","))

    def open(self, port, timeout_s=20):
        """A connection to that port of the server's, made."""
        if self.kind == "direct":
            sock = socket.create_connection((self.host, port), timeout_s)
        elif self.kind == "ports":
            sock = socket.create_connection(("127.0.0.1", self.ports[port]), timeout_s)
        else:
            sock = socket.create_connection(self.proxy, timeout_s)
            sock.sendall(b"\x05\x01\x00")
            exactly(sock, 2)
            sock.sendall(b"\x05\x01\x00\x01" + socket.inet_aton(self.host) + struct.pack(">H", port))
            answer = exactly(sock, 10)
            if answer[1] != 0:
                raise OSError(f"SOCKS says {answer[1]}")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock


def exactly(sock, size):
    data = b""
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise OSError("the connection has ended")
        data += chunk
    return data


def many(count, seconds, way):
    """Of `count` downloads: bytes a second, the least of one of them, and the longest pause of any."""
    waiting = selectors.DefaultSelector()
    for _ in range(count):
        sock = way.open(SEND)
        sock.sendall(REQUEST)
        sock.setblocking(False)
        waiting.register(sock, selectors.EVENT_READ, {"bytes": 0, "last": None, "pause": 0.0})
    room = bytearray(1 << 18)
    started = time.monotonic()
    now = started
    while now < started + seconds:
        for key, _ in waiting.select(0.1):
            got = key.fileobj.recv_into(room)
            now = time.monotonic()
            stream = key.data
            stream["pause"] = max(stream["pause"], now - (stream["last"] or started))
            stream["last"] = now
            stream["bytes"] += got
        now = time.monotonic()
    streams = [key.data for key in waiting.get_map().values()]
    pause = max(max(stream["pause"], now - (stream["last"] or started)) for stream in streams)
    total = sum(stream["bytes"] for stream in streams)
    return {"rate": total / seconds, "least": min(s["bytes"] for s in streams) / seconds,
            "pause": pause}


def churn(workers, seconds, way):
    """Connections a second that were opened, greeted and closed."""
    counts = [0] * workers
    end = time.monotonic() + seconds

    def work(number):
        while time.monotonic() < end:
            with way.open(CLOSE) as sock:
                if sock.recv(1) == b"x":
                    counts[number] += 1
    threads = [threading.Thread(target=work, args=(i,)) for i in range(workers)]
    started = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {"rate": sum(counts) / (time.monotonic() - started)}


def idle(count, way):
    """Opens them, or as many as can be had, says how many, and keeps them until standard input ends."""
    socks = []
    end = time.monotonic() + IDLE_PATIENCE_S
    try:
        while len(socks) < count and time.monotonic() < end:
            sock = way.open(KEEP)
            exactly(sock, 1)
            socks.append(sock)
    except OSError as error:
        print(f"after {len(socks)} connections: {error}", file=sys.stderr)
    print(json.dumps({"open": len(socks)}), flush=True)
    sys.stdin.read()
    return {"closed": len(socks)}


def main():
    raise_limit()
    words = sys.argv[1:]
    if words[0] == "serve":
        return serve()
    way = Way(words[-1])
    if words[0] == "many":
        result = many(int(words[1]), float(words[2]), way)
    elif words[0] == "churn":
        result = churn(int(words[1]), float(words[2]), way)
    else:
        result = idle(int(words[1]), way)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
