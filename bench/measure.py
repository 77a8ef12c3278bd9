"""The measurements. Each runs on a Course and returns {row: value}."""

import json
import math
import os
import re
import shutil
import signal
import statistics
import sys
import time

from crowd import ENVIRONMENT, Crowd
from lib import process
from lib.daemon import Daemon
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE
from lib.traffic import must_ping
from lib.wait import eventually

CROWD_SIZES = (1, 100, 10_000)
MEETING_WINDOW = 100                # handshakes at once: no daemon is under load by that
PINGER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "pinger.py")
IPERF_PORT = 5201
ECHO_PORT = 7007
MAX_LOSS = 0.01
UDP_TRIALS = 7
UDP_TRIAL_SECONDS = 0.4             # of --seconds
UDP_SOCKET_BUFFER = "4M"


class Course:
    """Two hosts with a veth between them, and two daemons of one implementation on it; or no
    daemons, for plain veth.

        client  eth0 192.0.2.1 ──────── 192.0.2.2 eth0  server
                wg0  10.10.0.1 ════════ 10.10.0.2 wg0
    """

    def __init__(self, scene, implementation, build_dir, seconds):
        self.build_dir = build_dir
        self.seconds = seconds
        self.loaded = False
        self.client, self.server = scene.linked_hosts()
        self.daemons, self.tunnels = [], []
        self.address = "192.0.2.2"
        if implementation:
            env = {"env": ENVIRONMENT}
            left = scene.tunnel(self.client, LEFT_INSIDE, implementation, daemon_options=env)
            right = scene.tunnel(self.server, RIGHT_INSIDE, implementation, daemon_options=env)
            left.peer(right, endpoint="192.0.2.2:51820")
            right.peer(left)
            self.tunnels = [left, right]
            self.daemons = [left.daemon, right.daemon]
            self.address = right.inside4
        must_ping(self.client, self.address)

    def cpu_seconds(self):
        return sum(process.cpu_seconds(daemon.pid) for daemon in self.daemons)

    def largest(self, field):
        """The larger of both daemons' VmRSS or VmHWM, in MiB."""
        return max(process.status_field(d.pid, field) for d in self.daemons) / 1024

    def iperf(self, *options, seconds=None, background=False):
        """One run of iperf3 with a server of its own; its report, or the running client."""
        self.loaded = True
        server = self.server.spawn(["iperf3", "-s", "-1", "-p", str(IPERF_PORT)],
                                   log_name="iperf-server.log")
        eventually(lambda: _listens(self.server, IPERF_PORT), "the iperf3 server listens",
                   every_s=0.005)
        seconds = seconds or self.seconds
        command = ["iperf3", "-J", "-c", self.address, "-p", str(IPERF_PORT), "-t", f"{seconds:g}",
                   *options]
        if background:
            return server, self.client.spawn(command, log_name="iperf-client.log")
        report = json.loads(self.client.run(command, timeout_s=seconds + 30, check=False).stdout)
        if "error" in report:
            raise AssertionError(f"iperf3: {report['error']}")
        server.wait(10)
        return report["end"]


def _listens(host, port):
    with host.inside(), open("/proc/thread-self/net/tcp") as v4, \
            open("/proc/thread-self/net/tcp6") as v6:
        lines = v4.read().splitlines() + v6.read().splitlines()
    return any(f":{port:04X} " in line and line.split()[3] == "0A" for line in lines)


# --- throughput -----------------------------------------------------------------------------

def tcp_one_stream(course):
    before = course.cpu_seconds()
    received = course.iperf()["sum_received"]
    values = {"tcp1": received["bits_per_second"] / 1e9}
    if course.daemons:
        values["cpu"] = (course.cpu_seconds() - before) / (received["bytes"] / 1e9)
    return values


def system_calls(course):
    """Counted by the kernel while one TCP stream runs, for what both daemons carry."""
    if not course.daemons or not shutil.which("perf"):
        return {}
    pids = ",".join(str(daemon.pid) for daemon in course.daemons)
    # Not on a host: its /sys has no tracefs.
    counter = process.Process(["perf", "stat", "-x", ",", "-e", "raw_syscalls:sys_enter",
                               "-p", pids], os.path.join(course.client.log_dir, "perf.log"))
    try:
        received = course.iperf()["sum_received"]
    finally:
        counter.stop(signal.SIGINT)
    count = re.search(r"^(\d+),", counter.log(), re.MULTILINE)
    assert count, f"perf: {counter.log().strip()}"
    return {"syscalls": int(count[1]) / (received["bytes"] / 1e6)}


def tcp_four_streams(course):
    return {"tcp4": course.iperf("-P", "4")["sum_received"]["bits_per_second"] / 1e9}


def tcp_reverse(course):
    return {"reverse": course.iperf("-R")["sum_received"]["bits_per_second"] / 1e9}


def tcp_both_ways(course):
    end = course.iperf("--bidir")
    total = (end["sum_received"]["bits_per_second"]
             + end["sum_received_bidir_reverse"]["bits_per_second"])
    return {"both": total / 1e9}


# --- datagrams ------------------------------------------------------------------------------

def _udp_trial(course, size, packets_per_second):
    """(sent, received) packets a second when that many are offered; 0 means as many as go."""
    bits = int(packets_per_second * size * 8)
    end = course.iperf("-u", "-l", str(size), "-b", str(bits), "-w", UDP_SOCKET_BUFFER,
                       seconds=max(1, round(course.seconds * UDP_TRIAL_SECONDS)))["sum"]
    sent = end["packets"] / end["seconds"]
    return sent, sent * (1 - end["lost_packets"] / end["packets"])


def highest_rate(trial, trials=UDP_TRIALS):
    """The most packets a second that arrive while at most 1 % of those sent are lost.

    The first trial offers all that the sender has. Then the rate is searched for between what is
    known to pass and what is known not to, by halving the ratio of the two; the number of trials
    is fixed.
    """
    sent, received = trial(0)
    if received >= sent * (1 - MAX_LOSS):
        return received
    passes, fails, best = received / 8, sent, 0.0
    guess = received
    for _ in range(trials - 1):
        sent, received = trial(guess)
        if received >= sent * (1 - MAX_LOSS):
            passes, best = max(passes, guess), max(best, received)
        else:
            fails = min(fails, guess)
        guess = math.sqrt(passes * fails)
    return best


def udp_large(course):
    return {"udp1372": highest_rate(lambda rate: _udp_trial(course, 1372, rate)) / 1000}


def udp_small(course):
    return {"udp64": highest_rate(lambda rate: _udp_trial(course, 64, rate)) / 1000}


# --- round trips ----------------------------------------------------------------------------

def _round_trips(course, interval_ms):
    echo = course.server.spawn([sys.executable, PINGER, "echo", course.address, str(ECHO_PORT)],
                               log_name="echo.log")
    try:
        eventually(lambda: "ready" in echo.log(), "the echo server is ready")
        output = course.client.out([sys.executable, PINGER, "ping", course.address,
                                    str(ECHO_PORT), f"{course.seconds:g}", str(interval_ms)])
    finally:
        echo.stop()
    times = sorted(json.loads(output)["round_trips_us"])
    assert times, "no datagram came back"
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


def round_trip_idle(course):
    p50, p99 = _round_trips(course, interval_ms=2)
    return {"rtt50": p50, "rtt99": p99}


def round_trip_loaded(course):
    server, client = course.iperf(seconds=course.seconds + 2, background=True)
    try:
        eventually(lambda: client.running(), "the load runs")
        p50, p99 = _round_trips(course, interval_ms=2)
    finally:
        client.stop()
        server.stop()
    return {"load50": p50, "load99": p99}


# --- many peers -----------------------------------------------------------------------------

def many_peers(course):
    """Datagrams to one peer after the other; handshakes and memory with the largest crowd."""
    values = {}
    if not course.daemons:
        return values
    for count in CROWD_SIZES:
        with Crowd(course, count) as crowd:
            meeting = crowd.meet(window=MEETING_WINDOW)
            rate, cpu_us = crowd.traffic(course.seconds)
            values[f"peers{count}"] = rate / 1000
            values[f"peers{count}cpu"] = cpu_us
            memory = crowd.peak_memory()
    return values | {"handshakes": 1 / meeting.cpu_per_handshake, "rss_peers": memory}


# --- size and start -------------------------------------------------------------------------

def idle_memory(course):
    return {"rss_idle": course.largest("VmRSS")} if course.daemons else {}


def peak_memory(course):
    """Of the course's whole life, which has seen load by now."""
    if not course.daemons:
        return {}
    if not course.loaded:
        course.iperf()
    return {"rss_peak": course.largest("VmHWM")}


def start_up(course):
    """From the start of the program until UAPI answers, on the client's host."""
    if not course.daemons:
        return {}
    times = []
    for _ in range(3):
        started = time.monotonic()
        daemon = Daemon(course.client, course.daemons[0].implementation, "wg9",
                        env=ENVIRONMENT)
        times.append((time.monotonic() - started) * 1000)
        daemon.stop()
    return {"start": statistics.median(times)}


# (row, title, unit, digits, whether more is better)
ROWS = [
    ("tcp1", "TCP, 1 stream", "Gbit/s", 2, True),
    ("tcp4", "TCP, 4 streams", "Gbit/s", 2, True),
    ("reverse", "TCP, reverse", "Gbit/s", 2, True),
    ("both", "TCP, both ways, sum", "Gbit/s", 2, True),
    ("udp1372", "UDP, 1372 bytes, loss <= 1 %", "kpackets/s", 1, True),
    ("udp64", "UDP, 64 bytes, loss <= 1 %", "kpackets/s", 1, True),
    ("rtt50", "round trip, idle, p50", "us", 0, False),
    ("rtt99", "round trip, idle, p99", "us", 0, False),
    ("load50", "round trip, under load, p50", "us", 0, False),
    ("load99", "round trip, under load, p99", "us", 0, False),
    ("cpu", "CPU of both daemons", "s/GB", 2, False),
    ("syscalls", "system calls of both daemons", "per MB", 1, False),
    *((f"peers{count}", f"UDP, 64 bytes, peers in turn: {count}", "kpackets/s", 1, True)
      for count in CROWD_SIZES),
    *((f"peers{count}cpu", f"CPU of such a packet, peers in turn: {count}", "us", 2, False)
      for count in CROWD_SIZES),
    ("handshakes", "handshakes as responder", "per CPU s", 0, True),
    ("rss_idle", "RSS, idle", "MiB", 1, False),
    ("rss_peak", "RSS, peak under load", "MiB", 1, False),
    ("rss_peers", f"RSS, peak with {CROWD_SIZES[-1]} peers", "MiB", 1, False),
    ("start", "start until UAPI answers", "ms", 0, False),
]

# In the order in which they run; what each can fill in.
MEASUREMENTS = [
    (idle_memory, {"rss_idle"}),
    (start_up, {"start"}),
    (round_trip_idle, {"rtt50", "rtt99"}),
    (tcp_one_stream, {"tcp1", "cpu"}),
    (system_calls, {"syscalls"}),
    (tcp_four_streams, {"tcp4"}),
    (tcp_reverse, {"reverse"}),
    (tcp_both_ways, {"both"}),
    (udp_large, {"udp1372"}),
    (udp_small, {"udp64"}),
    (round_trip_loaded, {"load50", "load99"}),
    (peak_memory, {"rss_peak"}),
    (many_peers, {"handshakes", "rss_peers", *(f"peers{count}" for count in CROWD_SIZES),
                  *(f"peers{count}cpu" for count in CROWD_SIZES)}),
]
