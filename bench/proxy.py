"""`./dev bench --proxy`: what reaches the inside of a tunnel without root, beside a plain TUN interface and
beside wireproxy and onetun, where these are to be had.

        left                                                right
    ┌──────────────────────────┐                        ┌──────────────────┐
    │ client ── proxy, or wg0  │                        │ wg0  10.10.0.2   │
    │ eth0 192.0.2.1           ├── or a long path ──────┤ eth0 192.0.2.2   │
    └──────────────────────────┘                        └──────────────────┘

The right side is ferruled with a TUN interface for all of them. Everything on the left but `tun` runs as an
ordinary user.
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from lib import process
from lib.host import link
from lib.ordinary import Ordinary
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, Scene
from lib.traffic import must_ping
from lib.tunnel import new_private_key
from lib.wait import eventually

HERE = os.path.dirname(os.path.abspath(__file__))
STREAMS = ["/usr/bin/python3", os.path.join(HERE, "streams.py")]
INSIDE = "10.10.0.2"
SEND, TAKE, KEEP, CLOSE = 80, 81, 82, 83
FORWARDED = {port: 8000 + port for port in (SEND, TAKE, KEEP, CLOSE)}
TUN, NAMESPACE, LWIP, WIREPROXY, ONETUN = "tun", "ferrule proxy", "by lwip", "wireproxy", "onetun"

ROWS = [
    ("tcp1", "TCP, 1 stream with curl", "Gbit/s", 2, True),
    ("tcp100", "TCP, 100 streams, sum", "Gbit/s", 2, True),
    ("pause", "longest pause of one of them", "ms", 0, False),
    ("churn", "connections opened and closed", "/s", 0, True),
    ("up", "upload, 60 ms round trip, 1 % reordered", "Mbit/s", 1, True),
    ("idle", "idle connections, RSS of all processes", "MiB", 1, False),
    ("run", "`ferrule run`, start to first byte", "ms", 0, False),
]
LONG_PATH_MS, REORDERED = 30, 10            # each way; of 1000


class Course:
    """The drawing, with one contestant on the left."""

    def __init__(self, scene, options, name, is_long):
        self.options, self.name = options, name
        self.left, self.right = scene.host("left"), scene.host("right")
        there = "192.0.2.2"
        if is_long:
            there = self._lay_long_path(scene)
        else:
            link(self.left, self.right)
            self.left.address("eth0", "192.0.2.1/24")
            self.right.address("eth0", "192.0.2.2/24")
        self.server = scene.tunnel(self.right, RIGHT_INSIDE)
        self.processes = []
        if name == TUN:
            client = scene.tunnel(self.left, LEFT_INSIDE)
            client.peer(self.server, endpoint=f"{there}:51820")
            self.server.peer(client)
            self.processes = [client.daemon.pid]
        else:
            self._become_user(scene, there)
        self.right.spawn([*STREAMS, "serve"], log_name="server.log")
        eventually(lambda: f":{SEND} " in self.right.out("ss -Hltn"), "the server listens")
        if name == TUN:
            must_ping(self.left, INSIDE)
        elif name != "run":
            self._start()

    def _lay_long_path(self, scene):
        middle = scene.host("middle")
        for side, net, number, name in ((self.left, "192.0.2", 1, "eth0"),
                                        (self.right, "198.51.100", 2, "eth1")):
            link(side, middle, right_name=name)
            side.address("eth0", f"{net}.{number}/24")
            middle.address(name, f"{net}.9/24")
        middle.spawn([os.path.join(self.options.build_dir, "delayer"), "192.0.2.9:51820",
                      "192.0.2.1:51820", "198.51.100.9:51820", "198.51.100.2:51820",
                      str(LONG_PATH_MS), str(REORDERED)], log_name="delayer.log")
        return "192.0.2.9"

    def _become_user(self, scene, there):
        self.user = Ordinary(self.left, self.options.build_dir)
        key = self.key = new_private_key()
        peer = type("Peer", (), {"addresses": LEFT_INSIDE, "public_key": key.public,
                                 "private_key": key})
        scene.secrets.append(key)
        self.server.peer(peer)
        self.there = there
        self.conf = self.user.write("wg0.conf", f"""[Interface]
PrivateKey = {key}
Address = 10.10.0.1/32
ListenPort = 51820

[Peer]
PublicKey = {self.server.public_key}
AllowedIPs = 0.0.0.0/0
Endpoint = {there}:51820
""")

    def _start(self):
        if self.name == ONETUN:
            key = self.user.write("key", str(self.key))
            words = [self.options.onetun, "--endpoint-addr", f"{self.there}:51820",
                     "--endpoint-public-key", str(self.server.public_key), "--private-key-file", key,
                     "--source-peer-ip", "10.10.0.1", "--keep-alive", "25",
                     *(f"127.0.0.1:{here}:{INSIDE}:{port}" for port, here in FORWARDED.items())]
        elif self.name == WIREPROXY:
            conf = self.user.write("wireproxy.conf", f"WGConfig = {self.conf}\n[Socks5]\n"
                                   "BindAddress = 127.0.0.1:1080\n")
            words = [self.options.wireproxy, "-c", conf]
        else:
            reach = "lwip" if self.name == LWIP else "namespace"
            words = ["ferrule", "proxy", self.conf, "--socks", "1080", "--reach", reach]
        started = self.user.spawn(words, log_name="proxy.log")
        port = FORWARDED[SEND] if self.name == ONETUN else 1080
        eventually(lambda: f":{port} " in self.left.out("ss -Hltn"), f"{self.name} listens")
        self.processes = family(started.pid)
        eventually(lambda: self.client(["churn", "1", "0.1"])["rate"] > 0, "a connection is made")

    @property
    def way(self):
        if self.name == TUN:
            return f"direct:{INSIDE}"
        if self.name == ONETUN:
            return "ports:" + ",".join(f"{port}={here}" for port, here in FORWARDED.items())
        return f"socks:127.0.0.1:1080:{INSIDE}"

    def client(self, words, seconds=0.0):
        result = self.left.run([*STREAMS, *words, self.way], timeout_s=seconds + 60)
        return json.loads(result.stdout.splitlines()[-1])

    def curl(self, port, *words):
        """Bytes a second that curl has sent or got by when its time was up."""
        proxy = [] if self.name in (TUN, ONETUN) else ["-x", "socks5://127.0.0.1:1080"]
        host = f"127.0.0.1:{FORWARDED[port]}" if self.name == ONETUN else f"{INSIDE}:{port}"
        what = "%{speed_upload}" if words else "%{speed_download}"
        result = self.left.run(["curl", "-s", "-o", "/dev/null", "-w", what, "-m",
                                f"{self.options.seconds:g}", *proxy, *words, f"http://{host}/"],
                               check=False, timeout_s=self.options.seconds + 30)
        return float(result.stdout)

    def rss_mib(self):
        return sum(process.status_field(pid, "VmRSS") for pid in self.processes) / 1024


def family(pid):
    """A process and its children."""
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [pid, *(child for each in file.read().split() for child in family(int(each)))]


# --- measurements -------------------------------------------------------------------------------

def one_stream(course):
    return {"tcp1": course.curl(SEND) * 8 / 1e9}


def many_streams(course):
    seconds = course.options.seconds
    result = course.client(["many", "100", f"{seconds:g}"], seconds)
    return {"tcp100": result["rate"] * 8 / 1e9, "pause": result["pause"] * 1000}


def churn(course):
    seconds = course.options.seconds
    return {"churn": course.client(["churn", "8", f"{seconds:g}"], seconds)["rate"]}


def idle(course):
    """Of the processes on the left, with so many connections."""
    with subprocess.Popen(course.left.argv([*STREAMS, "idle", str(course.options.idle),
                                            course.way])[1], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as client:
        opened = json.loads(client.stdout.readline() or '{"open": 0}')["open"]
        rss = course.rss_mib()
        client.stdin.close()
        client.wait(60)
    if opened < course.options.idle:
        raise AssertionError(f"no more than {opened} connections could be made")
    return {"idle": rss}


def upload(course):
    """curl reads zeros; the first seconds, in which the window grows, count too."""
    zeros = ["-T", "/dev/zero", "-H", "Expect:"]
    return {"up": course.curl(TAKE, *zeros) * 8 / 1e6}


def first_byte(course):
    ask = f"exec 3<>/dev/tcp/{INSIDE}/{CLOSE}; read -rN1 -u3; printf %s $EPOCHREALTIME"
    times = []
    for _ in range(5):
        started = time.time()       # the clock that a shell has, too
        came = course.user.run(["ferrule", "run", course.conf, "--", "bash", "-c", ask]).stdout
        times.append((float(came) - started) * 1000)
    return {"run": statistics.median(times)}


SHORT = [(one_stream, {"tcp1"}), (many_streams, {"tcp100", "pause"}), (churn, {"churn"}),
         (idle, {"idle"})]


def measure_once(name, options):
    wanted = set(options.only or [row for row, *_ in ROWS])
    values = {}
    courses = [(False, SHORT), (True, [(upload, {"up"})])]
    if name == NAMESPACE:
        courses.append((False, [(first_byte, {"run"})]))
    for is_long, measurements in courses:
        chosen = [measurement for measurement, rows in measurements if rows & wanted]
        is_run = bool(chosen) and chosen[0] is first_byte
        if not chosen:
            continue
        with tempfile.TemporaryDirectory(prefix="ferrule-bench-") as log_dir:
            implementation = options.implementation
            scene = Scene(log_dir, implementation, implementation)
            try:
                course = Course(scene, options, "run" if is_run else name, is_long)
                for measurement in chosen:
                    values.update(attempt(measurement, course))
            except (AssertionError, subprocess.SubprocessError) as error:
                tell(f"{name}: {error}")
            finally:
                for host in scene.hosts:
                    host.close()
    return {row: value for row, value in values.items() if row in wanted}


def attempt(measurement, course):
    try:
        return measurement(course)
    except (AssertionError, OSError, ValueError, subprocess.SubprocessError) as error:
        tell(f"{course.name}: {measurement.__name__}: {error}")
        return {}


def tell(text):
    print(text, file=sys.stderr, flush=True)


def raise_limit(connections):
    """A connection takes two descriptors of a proxy, or three by lwIP. To be called while we may."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    most = max(3 * connections + 1000, allowed)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    except ValueError:
        tell(f"a process may have {allowed} descriptors here: --idle {(allowed - 1000) // 3} is what all "
             f"can hold, and --idle {(allowed - 200) // 2} what a namespace can")


def contestants(options):
    found = [TUN, NAMESPACE]
    probe = subprocess.run([os.path.join(options.build_dir, "ferrule"), "proxy", "--reach", "lwip", "none"],
                           capture_output=True, text=True)
    if "not built in" in probe.stderr:
        tell("the reach lwip is left out: it was not built in (./dev lwip)")
    else:
        found.append(LWIP)
    for name in (WIREPROXY, ONETUN):
        path = getattr(options, name) or shutil.which(name)
        if path and os.access(path, os.X_OK):
            setattr(options, name, os.path.abspath(path))
            found.append(name)
        else:
            tell(f"{name} is left out: there is no such program (--{name} PATH)")
    return found


def compare(options):
    """{contestant: {row: [value of each round]}}"""
    names = contestants(options)
    results = {name: {} for name in names}
    for number in range(options.rounds):
        for name in names:
            started = time.monotonic()
            for row, value in measure_once(name, options).items():
                results[name].setdefault(row, []).append(value)
            tell(f"round {number + 1} of {options.rounds}: {name}, "
                 f"{time.monotonic() - started:.0f} s")
    return results


def table(results, align):
    names = list(results)
    middles = {name: {row: statistics.median(values) for row, values in rows.items()}
               for name, rows in results.items()}
    pairs = [(NAMESPACE, other) for other in names if other != NAMESPACE]
    lines = [["", "", *names, *(f"{name} / {other}" for name, other in pairs)]]
    for row, title, unit, digits, _ in ROWS:
        if not any(row in values for values in middles.values()):
            continue
        cells = [f"{middles[name][row]:.{digits}f}" if row in middles[name] else "-" for name in names]
        ratios = [f"{middles[name][row] / middles[other][row]:.2f}"
                  if row in middles[name] and middles[other].get(row) else "-"
                  for name, other in pairs]
        lines.append([title, unit, *cells, *ratios])
    return align(lines)
