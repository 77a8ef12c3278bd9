"""Pings, transfers and echo servers inside tunnels."""

import contextlib
import hashlib
import random
import socket
import threading

from .wait import PATIENCE, eventually

SO_RCVBUFFORCE = 33        # Python's socket module has no name for it


def ping(host, address, *, size=56, count=1, wait_s=2.0, options=""):
    """Whether all of `count` echo requests are answered."""
    result = host.run(f"ping -n -q -i 0.02 -c {count} -W {wait_s * PATIENCE:g} -s {size} "
                      f"{options} {address}", check=False)
    return result.returncode == 0 and f"{count} received" in result.stdout


def must_ping(host, address, **options):
    assert ping(host, address, **options), f"{host.name} can't ping {address} {options or ''}"


def wait_ping(host, address, timeout_s=15, **options):
    eventually(lambda: ping(host, address, wait_s=0.5, **options),
               f"{host.name} pings {address}", timeout_s)


def must_not_ping(host, address, wait_s=0.7, **options):
    assert not ping(host, address, wait_s=wait_s, **options), \
        f"{host.name} can ping {address}, and must not"


def pattern(size, seed=1):
    return random.Random(seed).randbytes(size)


def tcp_transfer(sender, receiver, address, size=4 << 20, timeout_s=30):
    """Sends `size` bytes by TCP to `address` on `receiver`; they must arrive as they were."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    data = pattern(size)
    listener = receiver.socket(family, socket.SOCK_STREAM)
    with listener:
        listener.bind((address, 0))
        listener.listen()
        listener.settimeout(timeout_s * PATIENCE)
        port = listener.getsockname()[1]
        sending = threading.Thread(target=_send_all,
                                   args=(sender, family, (address, port), data, timeout_s))
        sending.start()
        try:
            digest, received = _receive_all(listener, timeout_s)
        finally:
            sending.join()
    assert received == size, f"{received} of {size} bytes arrived at {address}"
    assert digest == hashlib.sha256(data).hexdigest(), f"the data arrived changed at {address}"
    return digest


def _send_all(sender, family, destination, data, timeout_s):
    with sender.socket(family, socket.SOCK_STREAM) as connection, \
            contextlib.suppress(OSError):
        connection.settimeout(timeout_s * PATIENCE)
        connection.connect(destination)
        connection.sendall(data)


def _receive_all(listener, timeout_s):
    connection, _ = listener.accept()
    digest, received = hashlib.sha256(), 0
    with connection:
        connection.settimeout(timeout_s * PATIENCE)
        while chunk := connection.recv(1 << 16):
            digest.update(chunk)
            received += len(chunk)
    return digest.hexdigest(), received


def ordered_burst(sender, receiver, address, packets, size=1300, port=5202):
    """Sends numbered datagrams as fast as one socket can; returns the numbers that arrived."""
    receiving = receiver.udp(address, port)
    receiving.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
    receiving.settimeout(1.0)
    with receiving, sender.udp("::" if ":" in address else "0.0.0.0") as sending:
        for number in range(packets):
            sending.sendto(number.to_bytes(8, "big") + bytes(size - 8), (address, port))
        numbers = []
        with contextlib.suppress(TimeoutError):
            while True:
                numbers.append(int.from_bytes(receiving.recv(65536)[:8], "big"))
    return numbers


@contextlib.contextmanager
def udp_echo(host, address, port=7):
    """Answers every datagram to `address`, for as long as the context lasts."""
    sock = host.udp(address, port)
    sock.settimeout(0.1)
    stop = threading.Event()

    def answer():
        while not stop.is_set():
            with contextlib.suppress(OSError):
                data, sender = sock.recvfrom(65536)
                sock.sendto(data, sender)

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield sock.getsockname()
    finally:
        stop.set()
        thread.join()
        sock.close()


class Flow:
    """A steady UDP flow from one host to another, with what was lost and what came late."""

    def __init__(self, sender, receiver, address, interval_s=0.005, port=5201):
        self.receiving = receiver.udp(address, port)
        self.sending = sender.udp("::" if ":" in address else "0.0.0.0")
        self.receiving.settimeout(0.2)
        self.destination = (address, port)
        self.interval_s = interval_s
        self.sent = 0
        self.received = []
        self.stopping = threading.Event()
        self.threads = [threading.Thread(target=self._send), threading.Thread(target=self._receive)]

    def _send(self):
        while not self.stopping.wait(self.interval_s):
            with contextlib.suppress(OSError):
                self.sending.sendto(self.sent.to_bytes(8, "big") * 32, self.destination)
            self.sent += 1

    def _receive(self):
        while True:
            try:
                data = self.receiving.recv(65536)
            except TimeoutError:
                if self.stopping.is_set():
                    return
                continue
            self.received.append(int.from_bytes(data[:8], "big"))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join()
        self.sending.close()
        self.receiving.close()

    @property
    def lost(self):
        return self.sent - len(set(self.received))

    @property
    def repeated(self):
        return len(self.received) - len(set(self.received))

    @property
    def out_of_order(self):
        return sum(1 for a, b in zip(self.received, self.received[1:]) if b < a)
