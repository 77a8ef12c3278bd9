"""What very many peers cost. Each measurement runs on a Course of its own and returns {row: value}.

        client, under test                               server
    wg0 10.10.0.1 ═══════════ a flow ═══════════════ 10.10.0.2 wg0
    wg0 10.32.0.0/12 ════════ peers ════════════════ 172.16.0.0/12, a crowd, or nobody
"""

import contextlib
import json
import os
import statistics
import subprocess
import sys
import time

import crowd
from crowd import Crowd
from lib import process
from lib.wait import eventually
from measure import ECHO_PORT, MEETING_WINDOW, PINGER

SINGLES = 100                       # changes of one peer each
KEEPALIVE_S = 25
REKEY_S = 120
INNOCENTS, INNOCENTS_PER_SECOND = 50, 10
FEWEST_TO_WEIGH = 1000              # a daemon's memory moves by itself
LONGEST_PART_S = 300
MOST_AT_ONCE = 100_000              # of peers that return, that have keepalives or that do not answer


# --- means -------------------------------------------------------------------------------------

def strangers(course, count, *options):
    """Requests for peers that never answer."""
    return crowd.lines(course, count, "--strangers", *options)


def add_strangers(course, count):
    crowd.lay_ways(course, course.tunnels[0])
    crowd.request(course.tunnels[0], strangers(course, count), f"{count} peers")


def resident_bytes(course):
    return process.status_field(course.daemons[0].pid, "VmRSS") * 1024


def throughput(course):
    return course.iperf()["sum_received"]["bits_per_second"]


def get_all(course):
    """Seconds until a get has come, whole."""
    started = time.perf_counter()
    end = b""
    with course.daemons[0].connect(crowd.PATIENCE_S) as connection:
        connection.sendall(b"get=1\n\n")
        while end != b"\n\n":
            chunk = connection.recv(1 << 20)
            assert chunk, "the daemon hung up"
            end = (end + chunk)[-2:]
    return time.perf_counter() - started


@contextlib.contextmanager
def pings(course):
    """Round trips through the tunnel while something else goes on, in a dict that is full afterwards."""
    found = {}
    echo = course.server.spawn([sys.executable, PINGER, "echo", course.address, str(ECHO_PORT)],
                               log_name="echo.log")
    eventually(lambda: "ready" in echo.log(), "the echo server is ready")
    pinger = course.client.spawn([sys.executable, PINGER, "ping", course.address, str(ECHO_PORT),
                                  "3600", "1"], log_name="ping.log")
    try:
        time.sleep(0.3)             # until it is under way, so that it sees the beginning
        yield found
        time.sleep(0.1)
    finally:
        pinger.stop()
        echo.stop()
    report = json.loads(pinger.log())
    found["p50_us"] = statistics.median(report["round_trips_us"])
    found["longest_ms"] = max(report["round_trips_us"]) / 1000
    if report["lost"]:
        found["longest_ms"] = float("inf")


def timed(act):
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


# --- measurements ------------------------------------------------------------------------------

def memory(course, count):
    """Of peers that never spoke: a key, a preshared key, an endpoint and two prefixes each."""
    if count < FEWEST_TO_WEIGH:
        return {}
    before = resident_bytes(course)
    add_strangers(course, count)
    return {"silent": (resident_bytes(course) - before) / count}


def configuration(course, count):
    """All peers set by one request, got, and removed by one request, beside a ping."""
    tunnel = course.tunnels[0]
    crowd.lay_ways(course, tunnel)
    added, removed = strangers(course, count), strangers(course, count, "--remove")
    values = {}
    with pings(course) as calm:
        time.sleep(2)
    values["stall_calm"] = calm["longest_ms"]
    for row, act in (("set", lambda: crowd.request(tunnel, added, "peers")),
                     ("get", lambda: get_all(course)),
                     ("remove", lambda: crowd.request(tunnel, removed, "a removal"))):
        with pings(course) as found:
            values[row] = timed(act)
        values[f"stall_{row}"] = found["longest_ms"]
    return values


def one_peer(course, count):
    """A peer is added, changed and removed, again and again, among all the others."""
    tunnel = course.tunnels[0]
    add_strangers(course, count)
    added = strangers(course, 1, "--first", count)
    removed = strangers(course, 1, "--first", count, "--remove")
    changed = added.replace("endpoint=172.", "endpoint=173.")
    times = []
    for text in (added, changed, removed) * SINGLES:
        times.append(1000 * timed(lambda text=text: crowd.request(tunnel, text, "a peer")))
    return {"one": statistics.median(times), "one_worst": max(times)}


def idle_peers(course, count):
    """A flow and round trips, in percent of those before the peers came and after they went."""
    tunnel = course.tunnels[0]

    def look():
        with pings(course) as found:
            time.sleep(course.seconds)
        return throughput(course), found["p50_us"]

    flow_before, ping_before = look()
    add_strangers(course, count)
    flow, ping = look()
    crowd.request(tunnel, strangers(course, count, "--remove"), "a removal")
    flow_after, ping_after = look()
    return {"idle_flow": 200 * flow / (flow_before + flow_after),
            "idle_ping": 200 * ping / (ping_before + ping_after)}


def live_peers(course, count):
    """They have sessions, which each renews every two minutes. What that costs, and a flow beside it."""
    calm = throughput(course)       # which touches what a flow needs, too
    before = resident_bytes(course)
    with Crowd(course, count, tunnel=course.tunnels[0]) as peers:
        meeting = peers.meet(window=MEETING_WINDOW, rekey=REKEY_S)
        assert meeting.met == count, f"{meeting.met} of {count} peers have met the daemon"
        values = {}
        if count >= FEWEST_TO_WEIGH:
            values = {"live": (resident_bytes(course) - before) / count,
                      "met_rate": 1 / meeting.cpu_per_handshake}
        used, crowd_used = peers.cpu_seconds(), process.cpu_seconds(peers.process.pid)
        took = timed(lambda: time.sleep(course.seconds))
        values["rekey_cpu"] = 100 * (peers.cpu_seconds() - used) / took
        values["rekey_crowd"] = 100 * (process.cpu_seconds(peers.process.pid) - crowd_used) / took
        flow = throughput(course)
        seen = peers.part()
        values["rekey_flow"] = 200 * flow / (calm + throughput(course))
        if seen["renewals"]:
            values["renewed"] = 100 * seen["renewed"] / seen["renewals"]
    return values


def keepalives(course, count):
    """Some of the peers have sessions and persistent keepalives; nothing else goes on."""
    live = min(count, MOST_AT_ONCE)
    with Crowd(course, live, tunnel=course.tunnels[0]) as peers:
        if count > live:
            crowd.request(peers.tunnel, strangers(course, count - live, "--first", live), "the rest")
        peers.meet(window=MEETING_WINDOW)
        keys = [line for line in crowd.lines(course, live).splitlines()
                if line.startswith("public_key=")]
        crowd.request(peers.tunnel, "".join(
            f"{key}\npersistent_keepalive_interval={KEEPALIVE_S}\n" for key in keys), "keepalives")
        time.sleep(1)               # the first are sent at once
        used = peers.cpu_seconds()
        took = timed(lambda: time.sleep(KEEPALIVE_S))
        return {"keepalive_cpu": 100 * (peers.cpu_seconds() - used) / took}


def all_return(course, count):
    """All peers shake hands at once with a daemon that has just started, and again one after the other."""
    with Crowd(course, min(count, MOST_AT_ONCE), tunnel=course.tunnels[0]) as peers:
        at_once = peers.meet()
        in_turn = peers.meet(window=MEETING_WINDOW)
        return {"return": at_once.seconds, "return_ratio": at_once.seconds / max(in_turn.seconds, 1e-3),
                "return_lost": peers.count - at_once.met}


def unanswered(course, count):
    """Packets go to peers that do not answer, one after the other. Others shake hands meanwhile."""
    count = min(count, MOST_AT_ONCE)
    add_strangers(course, count)
    with Crowd(course, 2 * INNOCENTS, tunnel=course.tunnels[0], first=count) as innocents:
        calm = innocents.meet(INNOCENTS, rate=INNOCENTS_PER_SECOND)
        traffic = course.client.spawn([crowd.program(course), "send", count, "3600"],
                                      log_name="send.log")
        try:
            time.sleep(1)
            meeting = innocents.meet(INNOCENTS, rate=INNOCENTS_PER_SECOND, first=count + INNOCENTS)
        finally:
            traffic.stop()
        assert meeting.met == INNOCENTS, f"{meeting.met} of {INNOCENTS} have met the daemon"
    return {"innocent_calm": calm.longest_ms, "innocent": meeting.median_ms,
            "innocent_worst": meeting.longest_ms}


def turns(course, count):
    """By control_bench, which needs no network: in CPU time, so that others' work does not show."""
    rows = {"turn_unanswered": "unanswered_peers", "turn_up": "interface_comes_up",
            "turn_added": "peers_are_added", "turn_removed": "peers_are_removed"}
    beside = "data_beside_handshakes/8000" if count >= MOST_AT_ONCE else "nothing"
    found = parts(course, "control_bench",
                  f"^(({'|'.join(rows.values())})/{count}|{beside})/")
    values = {row: found[name]["longest_ms"] for row, name in rows.items() if name in found}
    for row, name in (("hold_added", "peers_are_added"), ("hold_removed", "peers_are_removed"),
                      ("hold_handshakes", "data_beside_handshakes")):
        if name in found:
            values[row] = found[name]["longest_hold_us"] / 1000
    return values


def lookups(course, count):
    """By allowed_ips_bench, and dpdk_bench where that is: among as many prefixes as there are peers."""
    programs = ["allowed_ips_bench"]
    if os.path.exists(os.path.join(course.build_dir, "dpdk_bench")):
        programs.append("dpdk_bench")
    return {f"lookup_{name}": each["ns_each"] for program in programs
            for name, each in parts(course, program, f"/{count}/").items()}


def parts(course, program, wanted):
    """{name of a benchmark: its counters} of those whose names match."""
    output = subprocess.run([os.path.join(course.build_dir, program), "--benchmark_format=json",
                             f"--benchmark_filter={wanted}"], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True, check=True, timeout=300).stdout
    reports = json.loads(output or '{"benchmarks": []}')["benchmarks"]
    return {report["name"].split("/")[0]: report for report in reports}


# (row, title, unit, digits, the most or least that is aimed at with the most peers, or None)
ROWS = [
    ("silent", "memory of a peer that never spoke", "bytes", 0, ("<=", 512)),
    ("live", "memory of a peer with a session", "bytes", 0, ("<=", 3072)),
    ("set", "set all in one request", "s", 2, ("<=", 2)),
    ("get", "get all", "s", 2, ("<=", 2)),
    ("remove", "remove all in one request", "s", 2, ("<=", 2)),
    ("stall_calm", "longest round trip: nothing else", "ms", 1, None),
    ("stall_set", "longest round trip: during the set", "ms", 1, ("<=", 2)),
    ("stall_get", "longest round trip: during the get", "ms", 1, ("<=", 2)),
    ("stall_remove", "longest round trip: during the removal", "ms", 1, ("<=", 2)),
    ("hold_added", "longest hold of the tables: peers added", "ms", 2, ("<=", 2)),
    ("hold_removed", "longest hold of the tables: peers removed", "ms", 2, ("<=", 2)),
    ("one", "one peer added, changed or removed", "ms", 2, ("<=", 0.3)),
    ("one_worst", "the same, at worst", "ms", 2, ("<=", 2)),
    ("lookup_together", "allowed IPs: look-up of a packet in a batch", "ns", 0, ("<=", 40)),
    ("lookup_alone", "allowed IPs: look-up of a packet alone", "ns", 0, None),
    ("lookup_together_v4", "the same in a batch, IPv4 alone", "ns", 0, None),
    ("lookup_dpdk_v4", "by DPDK (DIR-24-8), IPv4", "ns", 0, None),
    ("lookup_together_v6", "the same in a batch, IPv6 alone", "ns", 0, None),
    ("lookup_dpdk_v6", "by DPDK (trie), IPv6", "ns", 0, None),
    ("idle_flow", "TCP flow, of itself without the peers", "%", 0, (">=", 98)),
    ("idle_ping", "round trip p50, of itself without the peers", "%", 0, ("<=", 102)),
    ("met_rate", "handshakes as responder", "per CPU s", 0, None),
    ("rekey_cpu", "all renew every 120 s: CPU", "% of a core", 0, ("<=", 60)),
    ("rekey_crowd", "the same: CPU of the crowd", "% of a core", 0, None),
    ("rekey_flow", "the same: TCP flow, of itself without", "%", 0, (">=", 85)),
    ("renewed", "the same: renewals that succeed at once", "%", 1, None),
    ("keepalive_cpu", f"keepalives of up to {MOST_AT_ONCE:,} peers: CPU", "% of a core", 1, ("<=", 5)),
    ("return", f"up to {MOST_AT_ONCE:,} return at once: last one up", "s", 2, None),
    ("return_ratio", "the same, of one after the other", "x", 2, ("<=", 1.3)),
    ("return_lost", "the same: given up", "peers", 0, ("<=", 0)),
    ("innocent_calm", "handshake, longest: nothing else", "ms", 1, None),
    ("innocent", f"handshake beside {MOST_AT_ONCE:,} unanswered: p50", "ms", 1, None),
    ("innocent_worst", "the same, longest", "ms", 1, ("<=", 20)),
    ("turn_unanswered", "longest turn: unanswered peers", "ms", 2, ("<=", 2)),
    ("turn_up", "longest turn: the interface comes up", "ms", 2, ("<=", 2)),
    ("turn_added", "longest turn: peers are added", "ms", 2, ("<=", 2)),
    ("turn_removed", "longest turn: peers are removed", "ms", 2, ("<=", 2)),
    ("hold_handshakes", "longest hold of the tables: 8,000 handshakes/s", "ms", 2, ("<=", 2)),
]

# By name; what each can fill in.
MEASUREMENTS = {
    "memory": memory, "configuration": configuration, "one": one_peer, "lookups": lookups,
    "turns": turns, "idle": idle_peers, "live": live_peers, "keepalives": keepalives,
    "return": all_return, "unanswered": unanswered,
}
SIZES = (1, 1000, 10_000, 100_000, 1_000_000)


def goal_text(goal):
    return f"{goal[0]} {goal[1]:,}" if goal else ""


def reaches(goal, value):
    return not goal or (value <= goal[1] if goal[0] == "<=" else value >= goal[1])
