"""What a flood of initiations costs a daemon's peers. Each runs on a Course and returns {row: value}.

        client, under attack                                     server
    wg0 10.10.0.1 ═══ established flow ═══════════════════ 10.10.0.2 wg0
        192.0.2.1:51820 ◄── handshakes of a crowd ──────── 172.16.0.0/12
                        ◄── initiations with a right mac1 ─ 100.64.0.0/10, spoofed
"""

import time

from crowd import Crowd
from lib.flood import Flood

RATES = (60_000, 130_000)
CLOSED_PORT = 9
MEMBERS, MEMBERS_AFTER = 160, 20
BEGIN_PER_SECOND = 40
ATTEMPTS = 3                        # the first gets the cookie, the second has it; one to spare
NORMAL_WITHIN_S = 1.5


def _flood(course, rate, port=51820):
    """Initiations from everywhere at the client's daemon."""
    return Flood(course.build_dir, course.server, "initiations", f"192.0.2.1:{port}",
                 key=course.tunnels[0].public_key, rate=rate)


def _throughput(course):
    return course.iperf()["sum_received"]["bits_per_second"]


def established_flow(course, rate):
    """Its throughput under a flood in percent of what it is without; and of what it is when the same
    flood goes to a port where nobody listens, which costs the machine as much to make and carry."""
    calm = _throughput(course)
    with _flood(course, rate, CLOSED_PORT):
        elsewhere = _throughput(course)
    with _flood(course, rate) as flood:
        flooded = _throughput(course)
    return {"sent": flood.sent / flood.seconds / 1000, "flow": 100 * flooded / calm,
            "flow_elsewhere": 100 * flooded / elsewhere}


def handshakes(course, rate):
    """Peers that shake hands during a flood, and soon after it."""
    crowd = Crowd(course, MEMBERS + MEMBERS_AFTER, tunnel=course.tunnels[0])
    with crowd:
        with _flood(course, rate):
            during = crowd.meet(MEMBERS, rate=BEGIN_PER_SECOND, attempts=ATTEMPTS)
        time.sleep(NORMAL_WITHIN_S)
        after = crowd.meet(MEMBERS_AFTER, first=MEMBERS, rate=BEGIN_PER_SECOND, attempts=1)
    return {"met": 100 * during.met / MEMBERS, "after": 100 * after.met / MEMBERS_AFTER}


def under_flood(course, rate):
    course.client.run("ip route replace default via 192.0.2.2")
    _throughput(course)             # memory that traffic needs is not the flood's
    before = course.largest("VmHWM")
    values = established_flow(course, rate) | handshakes(course, rate)
    values["memory"] = course.largest("VmHWM") - before
    return {f"{name}{rate // 1000}k": value for name, value in values.items()}


def _rows(rate):
    name, suffix = f"{rate:,}/s", f"{rate // 1000}k"
    return [
        (f"sent{suffix}", f"initiations sent, of {name}", "1000/s", 1, True),
        (f"met{suffix}", f"handshakes that succeed at {name}", "%", 1, True),
        (f"flow{suffix}", f"TCP flow at {name}, of itself without", "%", 0, True),
        (f"flow_elsewhere{suffix}", "the same, of itself beside that flood", "%", 0, True),
        (f"memory{suffix}", f"growth of peak RSS at {name}", "MiB", 1, False),
        (f"after{suffix}", f"first tries answered {NORMAL_WITHIN_S:g} s after {name}", "%", 0, True),
    ]


def _measurement(rate):
    def measure(course):
        return under_flood(course, rate)
    measure.__name__ = f"under_flood of {rate}/s"
    return measure, {row for row, *_ in _rows(rate)}


ROWS = [row for rate in RATES for row in _rows(rate)]
MEASUREMENTS = [_measurement(rate) for rate in RATES]
