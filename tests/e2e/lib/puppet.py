"""A WireGuard peer in Python that does as it is told, right or wrong."""

import socket
import struct
import time

from . import noise, packets
from .tunnel import new_private_key
from .wait import PATIENCE


class Puppet:
    """A peer of `tunnel`, at a UDP socket on `host`. It has a Tunnel's public_key and addresses,
    so that a Tunnel can take it as a peer."""

    def __init__(self, host, tunnel, to, addresses, *, bind=None, port=51820, private_key=None,
                 psk=bytes(32)):
        self.host = host
        self.addresses = addresses
        self.private_key = private_key or new_private_key()
        self.peer_public = tunnel.public_key
        self.to = (to, tunnel.port)
        self.psk = psk
        self.socket = host.udp(bind or ("::" if ":" in to else "0.0.0.0"), port)
        self.session = None

    @property
    def public_key(self):
        return self.private_key.public

    @property
    def inside4(self):
        return next(a.split("/")[0] for a in self.addresses if ":" not in a)

    @property
    def inside6(self):
        return next(a.split("/")[0] for a in self.addresses if ":" in a)

    def new_handshake(self):
        return noise.Handshake(self.private_key, self.peer_public, self.psk)

    def send(self, datagram):
        self.socket.sendto(datagram, self.to)

    def receive(self, timeout_s=5):
        """The next datagram; None if none comes."""
        self.socket.settimeout(timeout_s * PATIENCE)
        try:
            return self.socket.recvfrom(65536)[0]
        except (TimeoutError, ConnectionRefusedError):
            return None

    def receive_kind(self, kind, timeout_s=5):
        """The next datagram of a message type; others are put aside."""
        deadline = time.monotonic() + timeout_s * PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            datagram = self.receive(left / PATIENCE)
            if datagram and datagram[0] == kind:
                return datagram
        return None

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recvfrom(65536)
        except BlockingIOError:
            pass
        self.socket.setblocking(True)

    def connect(self):
        """Shakes hands as initiator and confirms with a keepalive. The session is kept."""
        handshake = self.new_handshake()
        self.send(handshake.initiation())
        response = self.receive_kind(noise.RESPONSE)
        assert response, "no response to a good initiation"
        handshake.finish(response)
        self.session = noise.Session(handshake)
        self.keepalive()
        return self.session

    def accept(self, timeout_s=10):
        """Waits for an initiation and answers it. The session is kept."""
        initiation = self.receive_kind(noise.INITIATION, timeout_s)
        assert initiation, "no initiation came"
        handshake = self.new_handshake()
        self.send(handshake.accept(initiation))
        self.session = noise.Session(handshake)
        return self.session

    def keepalive(self):
        self.send(self.session.message(b""))

    def inject(self, plaintext, **options):
        """Sends `plaintext` as transport data, whatever it is."""
        self.send(self.session.message(plaintext, **options))

    def receive_inner(self, timeout_s=5):
        """The next decrypted packet that is not a keepalive, as it came, padding and all."""
        deadline = time.monotonic() + timeout_s * PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            message = self.receive_kind(noise.TRANSPORT, left / PATIENCE)
            if message and struct.unpack("<I", message[4:8])[0] == self.session.local_index:
                plaintext = self.session.open(message)
                if plaintext:
                    return plaintext
        return None

    def pings(self, tunnel, timeout_s=3):
        """Whether an echo request through the session is answered through it."""
        request = packets.echo_request(self.inside4, tunnel.inside4)
        self.inject(request)
        deadline = time.monotonic() + timeout_s * PATIENCE
        while (left := deadline - time.monotonic()) > 0:
            inner = self.receive_inner(left / PATIENCE)
            reply = packets.parse(inner) if inner else None
            if reply and reply.protocol == packets.ICMP and reply.icmp == (0, 0):
                return True
        return False

    def close(self):
        self.socket.close()

    def set_outer_tos(self, tos):
        self.socket.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, tos)
