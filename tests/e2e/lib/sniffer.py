"""Frames as they pass an interface."""

import array
import fcntl
import select
import socket
import struct
import time

from . import packets
from .wait import PATIENCE, eventually

ETH_P_ALL = 3
SIOCETHTOOL = 0x8946
ETHTOOL_STXCSUM = 0x17
ARPHRD_ETHER = 1


class Sniffer:
    """Everything IP that passes `interface` on `host`, in and out, until the context ends.

    On a tunnel's interface, consecutive packets of one flow may pass as one: the daemon merges what
    it delivers. Whoever counts packets must count them at a socket.
    """

    def __init__(self, host, interface="eth0"):
        with host.inside():
            self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
            self.socket.bind((interface, ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.setblocking(False)
        self.seen = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def packets(self, keep=lambda packet: True):
        """All packets so far for which `keep` is true."""
        while True:
            try:
                frame, (_, _, _, hardware, _) = self.socket.recvfrom(65536)
            except BlockingIOError:
                break
            packet = packets.parse(frame[14:] if hardware == ARPHRD_ETHER else frame)
            if packet:
                self.seen.append(packet)
        return [packet for packet in self.seen if keep(packet)]

    def udp(self, source=None, destination=None, kind=None, port=None):
        """UDP packets so far: by address, by WireGuard message type, by either port."""
        return self.packets(lambda p: p.is_udp
                            and (source is None or p.source == source)
                            and (destination is None or p.destination == destination)
                            and (kind is None or p.payload[:1] == bytes([kind]))
                            and (port is None or port in (p.source_port, p.destination_port)))

    def wait_udp(self, timeout_s=10, count=1, **which):
        """The UDP packets of that kind, once there are `count`."""
        def enough():
            found = self.udp(**which)
            return found if len(found) >= count else None
        return eventually(enough, f"{count} UDP packet(s) pass with {which}", timeout_s)

    def wait(self, keep, what, timeout_s=10):
        return eventually(lambda: self.packets(keep), what, timeout_s)

    def quiet_for(self, seconds, keep):
        """Waits until nothing that `keep` wants has passed for a while, at most 10 s."""
        deadline = time.monotonic() + 10 * PATIENCE
        while time.monotonic() < deadline:
            before = len(self.packets(keep))
            select.select([], [], [], seconds)
            if len(self.packets(keep)) == before:
                return
        raise AssertionError("it never became quiet")


def compute_checksums_in_software(host, interface="eth0"):
    """Makes a veth put whole checksums into its frames, so that they can be verified."""
    value = array.array("B", struct.pack("II", ETHTOOL_STXCSUM, 0))
    request = struct.pack("16sP", interface.encode(), value.buffer_info()[0])
    with host.socket() as sock:
        fcntl.ioctl(sock, SIOCETHTOOL, request)
