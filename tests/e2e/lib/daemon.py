"""A WireGuard daemon on a host: started, asked over its UAPI socket, and watched."""

import dataclasses
import os
import re
import signal
import socket
import struct

from .wait import PATIENCE, eventually

SOCKET_DIR = "/run/wireguard"
SANITIZER_REPORT = re.compile(r"ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error:")


@dataclasses.dataclass(frozen=True)
class Implementation:
    """A program that speaks wireguard-go's command line and environment."""
    name: str
    path: str

    @property
    def is_ferrule(self):
        return self.name == "ferrule"


class Daemon:
    """`IMPLEMENTATION -f INTERFACE`, running on `host`."""

    def __init__(self, host, implementation, interface="wg0", env=None, arguments=("-f",),
                 pass_fds=(), through=(), wait=True):
        self.host = host
        self.implementation = implementation
        self.interface = interface
        self.socket_path = f"{SOCKET_DIR}/{interface}.sock"
        self.expected_status = 0
        self.label = f"{host.name}-{interface}"
        self.process = host.spawn(
            [*through, implementation.path, *arguments, interface], log_name=f"{self.label}.log",
            env=environment(host, self.label, env), pass_fds=pass_fds)
        self.pid = self.process.pid
        if wait:
            self.wait_ready()

    def wait_ready(self, timeout_s=10):
        def answers():
            if not self.process.running():
                raise AssertionError(f"daemon ended with {self.process.popen.returncode}: "
                                     f"{self.process.log().strip()[-500:]}")
            return answers_uapi(self.host, self.interface)
        eventually(answers, f"{self.label} answers UAPI", timeout_s, every_s=0.001)
        return self

    def running(self):
        return self.process.running()

    def log(self):
        return self.process.log()

    def uapi(self, request, timeout_s=20):
        """Sends a request, and returns the reply with its errno line."""
        with self.connect(timeout_s) as connection:
            connection.sendall(request.encode() if isinstance(request, str) else request)
            return read_reply(connection)

    def connect(self, timeout_s=20):
        return connect_uapi(self.host, self.interface, timeout_s)

    def stats(self):
        """Drop and event counters, as {name: count}; only ferruled has them."""
        counters, _, _ = self.uapi("stats=1\n\n").partition("public_key=")
        return {name: int(value) for name, value in parse_lines(counters) if name != "errno"}

    def peer_stats(self, public_key):
        """The same of one peer."""
        for part in self.uapi("stats=1\n\n").split("public_key=")[1:]:
            key, _, counters = part.partition("\n")
            if key == bytes(public_key).hex():
                return {name: int(value) for name, value in parse_lines(counters)}
        return None

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns its exit status."""
        return self.process.stop(number)

    def kill(self):
        self.expected_status = -signal.SIGKILL
        self.stop(signal.SIGKILL)

    def finish(self):
        """At the end of a test: a daemon that still runs must end cleanly, and have no complaint."""
        was_running = self.process.running()
        status = self.stop()
        if status != self.expected_status:
            when = "when asked to end" if was_running else "on its own"
            raise AssertionError(f"{self.label} ended {when} with status {status}")


def environment(host, label, extra=None):
    """What a daemon gets: a talkative log, and sanitizer reports in files beside it."""
    reports = os.path.join(host.log_dir, f"{label}.sanitizer")
    return {
        "LOG_LEVEL": "verbose",
        "ASAN_OPTIONS": f"log_path={reports}:detect_leaks=1:abort_on_error=0",
        "UBSAN_OPTIONS": f"log_path={reports}:print_stacktrace=1:halt_on_error=0",
        "TSAN_OPTIONS": f"log_path={reports}:halt_on_error=0:second_deadlock_stack=1",
        **(extra or {}),
    }


def sanitizer_reports(log_dir):
    """Every report that a sanitizer has left, as text."""
    reports = []
    for name in sorted(os.listdir(log_dir)):
        with open(os.path.join(log_dir, name), errors="replace") as file:
            text = file.read()
        if (".sanitizer." in name and text) or SANITIZER_REPORT.search(text):
            reports.append(f"{name}:\n{text}")
    return reports


def connect_uapi(host, interface, timeout_s=20):
    connection = socket.socket(socket.AF_UNIX)
    # Connecting waits for a place in the listener's queue only while the socket blocks.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO,
                          struct.pack("ll", int(timeout_s * PATIENCE), 0))
    connection.connect(host.path(f"{SOCKET_DIR}/{interface}.sock"))
    connection.settimeout(timeout_s * PATIENCE)
    return connection


def answers_uapi(host, interface):
    """Whether something answers a get request on the interface's socket."""
    try:
        with connect_uapi(host, interface, 2) as connection:
            connection.sendall(b"get=1\n\n")
            return "errno=0\n" in read_reply(connection)
    except OSError:
        return False


def read_reply(connection):
    """Reads up to the empty line that ends a reply, or to the end of the stream."""
    reply = b""
    while not reply.endswith(b"\n\n"):
        chunk = connection.recv(65536)
        if not chunk:
            break
        reply += chunk
    return reply.decode()


def parse_lines(reply):
    return [tuple(line.split("=", 1)) for line in reply.splitlines() if "=" in line]


def reply_errno(reply):
    """The number in a reply's errno line."""
    return int(dict(parse_lines(reply))["errno"])
