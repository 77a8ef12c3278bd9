#!/usr/bin/env python3
"""Round trips of small UDP datagrams, one at a time.

    pinger.py echo ADDRESS PORT                       answers until it is ended
    pinger.py ping ADDRESS PORT SECONDS INTERVAL_MS   prints the round trips in microseconds, when the
                                                      time is over or SIGTERM comes
"""

import json
import signal
import socket
import sys
import time

PAYLOAD_BYTES = 64
LOST_AFTER_S = 0.5


def family_of(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def echo(address, port):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.bind((address, port))
    print("ready", flush=True)
    while True:
        data, sender = sock.recvfrom(2048)
        sock.sendto(data, sender)


def ping(address, port, seconds, interval_s):
    sock = socket.socket(family_of(address), socket.SOCK_DGRAM)
    sock.connect((address, port))
    sock.settimeout(LOST_AFTER_S)
    round_trips, lost = [], 0
    end = time.monotonic() + seconds
    is_over = []
    signal.signal(signal.SIGTERM, lambda *_: is_over.append(True))
    next_send = time.monotonic()
    while not is_over and (now := time.monotonic()) < end:
        time.sleep(max(0.0, next_send - now))
        next_send = max(next_send + interval_s, time.monotonic())
        number = (len(round_trips) + lost).to_bytes(8, "big")
        sent = time.perf_counter_ns()
        sock.send(number + bytes(PAYLOAD_BYTES - 8))
        try:
            while sock.recv(2048)[:8] != number:
                pass
        except TimeoutError:
            lost += 1
            continue
        round_trips.append((time.perf_counter_ns() - sent) / 1000)
    print(json.dumps({"round_trips_us": round_trips, "lost": lost}))


if __name__ == "__main__":
    if sys.argv[1] == "echo":
        echo(sys.argv[2], int(sys.argv[3]))
    else:
        ping(sys.argv[2], int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]) / 1000)
