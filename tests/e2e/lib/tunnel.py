"""A WireGuard interface on a host: its daemon, its keys, and `wg` to configure it."""

import base64
import dataclasses
import os

from . import noise
from .daemon import Daemon
from .wait import eventually


class Key(bytes):
    """32 bytes that print as `wg` writes them."""

    def __str__(self):
        return base64.b64encode(self).decode()

    @classmethod
    def parse(cls, text):
        return cls(base64.b64decode(text.strip(), validate=True))

    @property
    def public(self):
        return Key(noise.public_key(self))


def new_private_key():
    key = bytearray(os.urandom(32))
    key[0] &= 248
    key[31] = key[31] & 127 | 64
    return Key(key)


def new_preshared_key():
    return Key(os.urandom(32))


@dataclasses.dataclass(frozen=True)
class PeerStatus:
    """A peer's line of `wg show dump`."""
    public_key: str
    preshared_key: str
    endpoint: str
    allowed_ips: str
    latest_handshake: int
    rx_bytes: int
    tx_bytes: int
    keepalive: str


class Tunnel:
    """Interface `name` on `host`, up, with `addresses` and a private key."""

    def __init__(self, host, implementation, addresses, name="wg0", port=51820, private_key=None,
                 daemon_options=None):
        self.host = host
        self.name = name
        self.port = port
        self.addresses = addresses
        self.private_key = private_key or new_private_key()
        self.implementation = implementation
        self.daemon = None
        self.start(**(daemon_options or {}))

    @property
    def public_key(self):
        return self.private_key.public

    @property
    def inside4(self):
        return next(a.split("/")[0] for a in self.addresses if ":" not in a)

    @property
    def inside6(self):
        return next(a.split("/")[0] for a in self.addresses if ":" in a)

    def start(self, **daemon_options):
        """Starts the daemon and brings the interface up, without peers."""
        self.known = set()
        self.daemon = Daemon(self.host, self.implementation, self.name, **daemon_options)
        self.set(f"listen-port {self.port} private-key /dev/stdin", input=f"{self.private_key}\n")
        self.host.address(self.name, *self.addresses)
        self.host.run(f"ip link set {self.name} up")

    def wg(self, verb, words="", **options):
        return self.host.out(f"wg {verb} {self.name} {words}", **options)

    def set(self, words, **options):
        return self.wg("set", words, **options)

    def peer(self, other, *, endpoint=None, allowed=None, keepalive=None, psk=None):
        """Adds or changes a peer: another Tunnel, or anything with public_key and addresses. A new
        peer is allowed its addresses, unless told otherwise."""
        words = f"peer {other.public_key}"
        if allowed is None and other.public_key not in self.known:
            allowed = [_single(a) for a in other.addresses]
        self.known.add(other.public_key)
        if endpoint:
            words += f" endpoint {endpoint}"
        if keepalive is not None:
            words += f" persistent-keepalive {keepalive}"
        words += f" allowed-ips {','.join(allowed)}" if allowed else ""
        if psk is not None:
            words += " preshared-key /dev/stdin"
        self.set(words, input=f"{psk}\n" if psk is not None else None)

    def remove(self, other):
        self.set(f"peer {other.public_key} remove")
        self.known.discard(other.public_key)

    def peers(self):
        lines = self.wg("show", "dump").splitlines()[1:]
        statuses = []
        for line in lines:
            f = line.split("\t")
            statuses.append(PeerStatus(f[0], f[1], f[2], f[3], int(f[4]), int(f[5]), int(f[6]), f[7]))
        return statuses

    def status(self, other):
        """What `wg show` says of a peer."""
        key = str(other.public_key)
        return next(status for status in self.peers() if status.public_key == key)

    def uapi(self, request):
        return self.daemon.uapi(request)

    def mtu(self, value):
        self.host.run(f"ip link set {self.name} mtu {value}")

    def route(self, *destinations):
        for destination in destinations:
            self.host.run(f"ip route add {destination} dev {self.name}")

    def wait_handshake(self, other, newer_than=0, timeout_s=15):
        """Until `wg show` tells of a handshake with `other` after `newer_than` (seconds)."""
        eventually(lambda: self.status(other).latest_handshake > newer_than,
                   f"{self.host.name} shakes hands", timeout_s)


def _single(address):
    host = address.split("/")[0]
    return f"{host}/{128 if ':' in host else 32}"
