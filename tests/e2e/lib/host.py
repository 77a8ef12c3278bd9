"""A host: a network namespace with a /run of its own, as a second machine would have, and a
/var/lib/ferrule.

Every host may call its interface wg0: sockets in /run/wireguard are the host's own. An anchor
process holds the namespaces; commands enter them by its pid.
"""

import contextlib
import ctypes
import os
import shlex
import signal
import socket
import subprocess

from .process import Process
from .wait import PATIENCE

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)

_ANCHOR = """
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /var/lib/ferrule
mount -t tmpfs -o mode=700 tmpfs /var/lib/ferrule
mount -t sysfs sysfs /sys 2>/dev/null
ip link set lo up
sysctl -qw net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.rp_filter=0
sysctl -qw net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0 2>/dev/null
echo ready
exec sleep infinity
"""


class CommandFailed(AssertionError):
    def __init__(self, argv, result):
        self.result = result
        super().__init__(f"`{shlex.join(argv)}` ended with {result.returncode}: "
                         f"{(result.stderr or result.stdout).strip()}")


class Host:
    def __init__(self, name, log_dir):
        self.name = name
        self.log_dir = log_dir
        self.processes = []
        self.anchor = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c", _ANCHOR],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.anchor.stdout.readline().strip() != "ready":
            raise AssertionError(f"host {name} did not start")
        self.pid = self.anchor.pid

    def close(self):
        """Ends what still runs here; the namespaces end with the last of it."""
        for process in self.processes:
            process.stop(signal.SIGKILL)
        self.anchor.kill()
        self.anchor.wait()

    def argv(self, command):
        """A command's words, and those that run it here."""
        words = shlex.split(command) if isinstance(command, str) else [str(w) for w in command]
        return words, ["nsenter", f"--target={self.pid}", "--net", "--mount", "--"] + words

    def run(self, command, *, input=None, check=True, timeout_s=30, env=None):
        """Runs a command here to its end. `check` fails the test if it fails."""
        words, argv = self.argv(command)
        result = subprocess.run(argv, input=input, stdin=subprocess.DEVNULL if input is None
                                else None, capture_output=True, text=True,
                                timeout=timeout_s * PATIENCE, env=_merged(env))
        if check and result.returncode != 0:
            raise CommandFailed(words, result)
        return result

    def out(self, command, **options):
        """What a command prints."""
        return self.run(command, **options).stdout.strip()

    def lines(self, commands):
        """One command a line, as in a shell script."""
        for line in commands.strip().splitlines():
            if line.strip():
                self.run(line)

    def spawn(self, command, *, log_name, env=None, pass_fds=()):
        """Starts a program that runs beside the test."""
        _, argv = self.argv(command)
        process = Process(argv, self._new_log(log_name), _merged(env), pass_fds)
        self.processes.append(process)
        return process

    def _new_log(self, name):
        """A path in the log folder that no process has used before: NAME, or NAME with a number."""
        stem, extension = os.path.splitext(name)
        number, path = 1, os.path.join(self.log_dir, name)
        while os.path.exists(path):
            number += 1
            path = os.path.join(self.log_dir, f"{stem}-{number}{extension}")
        return path

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes within belong to this host."""
        home = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(f"/proc/{self.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter_network(there)
            yield self
        finally:
            _enter_network(home)
            os.close(there)
            os.close(home)

    def socket(self, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        with self.inside():
            return socket.socket(family, kind, protocol)

    def udp(self, address="0.0.0.0", port=0, *, device=None, share=None):
        """A UDP socket, bound, with a receive timeout: to a device too, or with an option (SO_REUSEPORT)."""
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = self.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        if share is not None:
            sock.setsockopt(socket.SOL_SOCKET, share, 1)
        sock.bind((address, port))
        sock.settimeout(5 * PATIENCE)
        return sock

    def path(self, path):
        """A path of this host, as seen from the test."""
        return f"/proc/{self.pid}/root{path}"

    def write(self, path, text):
        os.makedirs(os.path.dirname(self.path(path)), exist_ok=True)
        with open(self.path(path), "w") as file:
            file.write(text)

    def exists(self, path):
        return os.path.lexists(self.path(path))

    def has_link(self, name):
        return self.run(["ip", "link", "show", "dev", name], check=False).returncode == 0

    def udp_ports(self):
        """The port of every UDP socket here; one that serves both families counts once."""
        with self.inside():
            tables = [open(f"/proc/thread-self/net/{name}").read() for name in ("udp", "udp6")]
        return [int(line.split()[1].rpartition(":")[2], 16)
                for table in tables for line in table.splitlines()[1:]]

    def is_udp_closed(self, port):
        """Whether what comes to a port is refused, as nobody takes it: somebody may hold it even so."""
        with self.udp("127.0.0.1") as sock:
            sock.connect(("127.0.0.1", port))
            try:
                sock.send(b"")
                sock.send(b"")
            except ConnectionRefusedError:
                return True
        return False

    def address(self, interface, *addresses):
        for address in addresses:
            self.run(f"ip addr add {address} dev {interface}")

    def sysctl(self, **values):
        """host.sysctl(net__ipv4__ip_forward=1)"""
        for name, value in values.items():
            self.run(["sysctl", "-qw", f"{name.replace('__', '.')}={value}"])

    def nft(self, rules):
        self.run(["nft", "-f", "-"], input=rules)


def link(left, right, left_name="eth0", right_name="eth0", mtu=1500):
    """A cable between two hosts."""
    left.run(f"ip link add {left_name} mtu {mtu} type veth "
             f"peer name {right_name} mtu {mtu} netns {right.pid}")
    left.run(f"ip link set {left_name} up")
    right.run(f"ip link set {right_name} up")


def _merged(env):
    return None if env is None else {**os.environ, **env}


def _enter_network(fd):
    if _libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
