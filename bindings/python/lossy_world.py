#!/usr/bin/env python3
"""A simulated world through libferrule's C ABI: two tunnels, a clock of its own, and a network that loses
datagrams. An hour takes a second, and the same seed gives the same hour.

    python3 lossy_world.py [--library libferrule.so.1] [--seed N] [--loss PERCENT]
"""

import argparse
import ctypes
import random
import sys
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_size_t, c_uint8, c_uint16, c_uint32, c_uint64

NEVER = 2**63 - 1
SECOND = 10**9
BATCH = 64


class Address(ctypes.Structure):
    _fields_ = [("family", c_uint8), ("reserved", c_uint8), ("port", c_uint16), ("scope", c_uint32),
                ("address", c_uint8 * 16)]


class Sized(ctypes.Structure):
    """A struct of libferrule's: it begins with its size."""

    def __init__(self, **members):
        super().__init__(size=ctypes.sizeof(type(self)), **members)


class Time(Sized):
    _fields_ = [("size", c_size_t), ("boot_ns", c_int64), ("wall_seconds", c_int64), ("wall_nanoseconds", c_uint32)]


class Packet(Sized):
    _fields_ = [("size", c_size_t), ("data", POINTER(c_uint8)), ("length", c_size_t)]


class Incoming(Sized):
    _fields_ = [("size", c_size_t), ("data", POINTER(c_uint8)), ("length", c_size_t),
                ("sender", Address), ("to", Address), ("ecn", c_uint8)]


class Outgoing(Sized):
    _fields_ = [("size", c_size_t), ("data", POINTER(c_uint8)), ("length", c_size_t),
                ("to", Address), ("source", Address), ("peer", c_uint64), ("traffic_class", c_uint8)]


class Options(Sized):
    RANDOM = ctypes.CFUNCTYPE(c_int32, ctypes.c_void_p, POINTER(c_uint8), c_size_t)
    _fields_ = [("size", c_size_t), ("user", ctypes.c_void_p), ("log", ctypes.c_void_p), ("log_level", c_int32),
                ("random", RANDOM)]


def load(path):
    library = ctypes.CDLL(path)
    library.ferrule_error_text.restype = c_char_p
    library.ferrule_version.restype = c_char_p
    library.ferrule_deadline.restype = c_int64
    library.ferrule_tunnel_free.restype = None
    return library


class Host:
    """A tunnel, and what its owner does for it."""

    def __init__(self, library, seeded, number):
        self.library = library
        self.number = number
        self.arrived = 0

        def fill(_, out, length):
            ctypes.memmove(out, seeded.randbytes(length), length)
            return 0
        self.options = Options(random=Options.RANDOM(fill))
        self.tunnel = ctypes.c_void_p()
        self.call("tunnel_new", byref(self.options), byref(self.tunnel), handle=False)
        self.private_key = (c_uint8 * 32)(*seeded.randbytes(32))
        self.private_key[0] &= 248
        self.private_key[31] = self.private_key[31] & 127 | 64
        self.public_key = (c_uint8 * 32)()
        self.call("public_key", self.private_key, self.public_key, handle=False)

    def call(self, name, *arguments, handle=True):
        result = getattr(self.library, "ferrule_" + name)(*([self.tunnel] if handle else []), *arguments)
        if result < 0:
            raise RuntimeError(f"{name}: {self.library.ferrule_error_text(result).decode()}")
        return result

    def address(self):
        return Address(family=4, port=51820, address=(c_uint8 * 16)(192, 0, 2, self.number))

    def configure(self, time, peer):
        text = (f"set=1\nprivate_key={bytes(self.private_key).hex()}\npublic_key={bytes(peer.public_key).hex()}\n"
                f"endpoint=192.0.2.{peer.number}:51820\nallowed_ip=10.0.0.{peer.number}/32\n\n").encode()
        self.call("configure", byref(time), text, c_size_t(len(text)))
        self.call("up", byref(time))

    def deadline(self):
        return self.library.ferrule_deadline(self.tunnel)

    def take(self, kind, what):
        """All that the last call led to, as bytes."""
        items = (kind * BATCH)()
        items[0].size = ctypes.sizeof(kind)
        while count := self.call("take_" + what, items, c_size_t(BATCH)):
            for item in items[:count]:
                yield item, ctypes.string_at(item.data, item.length)


class World:
    def __init__(self, library, seed, loss):
        self.random = random.Random(seed)
        self.loss = loss
        self.boot_ns = SECOND
        self.hosts = [Host(library, self.random, number) for number in (1, 2)]
        for host in self.hosts:
            host.configure(self.time(), self.other(host))

    def time(self):
        return Time(boot_ns=self.boot_ns, wall_seconds=1_800_000_000 + self.boot_ns // SECOND,
                    wall_nanoseconds=self.boot_ns % SECOND)

    def other(self, host):
        return self.hosts[host is self.hosts[0]]

    def carry(self, host):
        """What a host has to send arrives at the other, unless it is lost, and leads to more."""
        datagrams = []
        for outgoing, data in host.take(Outgoing, "datagrams"):
            host.call("sent", byref(outgoing), 0)
            if self.random.random() >= self.loss:
                datagrams.append(data)
        for data in datagrams:
            other = self.other(host)
            buffer = (c_uint8 * len(data)).from_buffer_copy(data)
            incoming = Incoming(data=buffer, length=len(data), sender=host.address())
            other.call("decapsulate", byref(self.time()), byref(incoming), c_size_t(1))
            other.arrived += sum(1 for _ in other.take(Packet, "packets"))
            self.carry(other)

    def send(self, host):
        source, destination = host.number, self.other(host).number
        data = bytes([0x45, 0, 0, 100, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, source, 10, 0, 0, destination]) + bytes(80)
        packet = Packet(data=(c_uint8 * len(data)).from_buffer_copy(data), length=len(data))
        host.call("encapsulate", byref(self.time()), byref(packet), c_size_t(1))
        self.carry(host)

    def run_until(self, end_ns):
        """Time jumps from deadline to deadline."""
        while (next_ns := min(host.deadline() for host in self.hosts)) <= end_ns:
            self.boot_ns = max(self.boot_ns, next_ns)
            for host in self.hosts:
                if host.deadline() <= self.boot_ns:
                    host.call("tick", byref(self.time()))
                    self.carry(host)
        self.boot_ns = end_ns


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--library", default="libferrule.so.1")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--loss", type=float, default=10, metavar="PERCENT")
    options = parser.parse_args()
    library = load(options.library)
    world = World(library, options.seed, options.loss / 100)
    sent = 3600
    for second in range(sent):
        world.run_until((second + 2) * SECOND)
        world.send(world.hosts[second % 2])
    arrived = sum(host.arrived for host in world.hosts)
    print(f"libferrule {library.ferrule_version().decode()}: in an hour {arrived} of {sent} packets arrived, "
          f"with {options.loss:g} % of datagrams lost")
    for host in world.hosts:
        library.ferrule_tunnel_free(host.tunnel)
    return 0 if arrived >= sent * (0.97 - 1.2 * options.loss / 100) else 1


if __name__ == "__main__":
    sys.exit(main())
