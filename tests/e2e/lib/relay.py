"""A long path: a relay between two hosts that hands each datagram on after a while.

    left 192.0.2.1 ──── .9:51820 │ relay │ .9:51820 ──── 198.51.100.2 right

To each side the relay is where the other one is. Datagrams keep their order, and none is lost.
"""

import collections
import contextlib
import os
import select
import threading
import time

from .host import link

LEFT, RIGHT = "192.0.2.{}", "198.51.100.{}"
PORT = 51820


class Relay:
    """Runs beside the test, between the hosts `left` and `right`, until it is closed. Each of them
    sends to `left_at` or `right_at`, and comes from port 51820."""

    left_at, right_at = f"{LEFT.format(9)}:{PORT}", f"{RIGHT.format(9)}:{PORT}"

    def __init__(self, scene, left, right, delay_s):
        self.delay_s = delay_s
        host = scene.host("relay")
        for side, addresses, number, name in ((left, LEFT, 1, "eth0"), (right, RIGHT, 2, "eth1")):
            link(side, host, right_name=name)
            side.address("eth0", addresses.format(number) + "/24")
            host.address(name, addresses.format(9) + "/24")
        to_left, to_right = host.udp(LEFT.format(9), PORT), host.udp(RIGHT.format(9), PORT)
        self.ways = {to_left: (to_right, (RIGHT.format(2), PORT)),
                     to_right: (to_left, (LEFT.format(1), PORT))}
        self.came = []              # each message: (when, whether from the left, its type)
        self.stop_at, self.stop = os.pipe()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def close(self):
        os.write(self.stop, b"x")
        self.thread.join()
        for descriptor in (self.stop, self.stop_at):
            os.close(descriptor)
        for sock in self.ways:
            sock.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _run(self):
        under_way = collections.deque()         # (when it is due, datagram, socket, destination)
        while True:
            left_s = max(0, under_way[0][0] - time.monotonic()) if under_way else None
            ready, _, _ = select.select([self.stop_at, *self.ways], [], [], left_s)
            if self.stop_at in ready:
                return
            for sock in ready:
                datagram = sock.recv(65536)
                now = time.monotonic()
                self.came.append((now, sock is next(iter(self.ways)), datagram[0]))
                under_way.append((now + self.delay_s, datagram, *self.ways[sock]))
            while under_way and under_way[0][0] <= time.monotonic():
                _, datagram, sock, destination = under_way.popleft()
                with contextlib.suppress(ConnectionRefusedError):
                    sock.sendto(datagram, destination)
