"""A daemon with many peers, all of them played by one program (crowd/main.cc).

        client                                   server
    wg1 10.32.0.0/12 ═══╗                 172.16.0.0/12: a member an address
        192.0.2.1 ──────╨──────────────── 192.0.2.2
"""

import dataclasses
import json
import os

from lib import daemon, process
from lib.tunnel import Tunnel
from lib.wait import eventually

# How programs are told to be quiet; and to stay root, those that would want a user to become.
ENVIRONMENT = {"LOG_LEVEL": "error", "WG_LOG_LEVEL": "error", "WG_SUDO": "1"}
INTERFACE, PORT = "wg1", 51900
PATIENCE_S, PATIENCE_A_MEMBER_S = 60, 1 / 1000


@dataclasses.dataclass(frozen=True)
class Meeting:
    met: int
    initiations: int
    cookies: int
    seconds: float
    median_ms: float                # of a handshake
    longest_ms: float
    cpu_seconds: float              # of the daemon

    @property
    def cpu_per_handshake(self):
        return self.cpu_seconds / self.met


class Crowd:
    """`count` peers on the course's server, of `tunnel` on its client, or of a further daemon there: those
    from number `first` on. They are told to it unless it knows them."""

    def __init__(self, course, count, tunnel=None, first=0, known=False):
        self.client, self.server, self.count, self.first = course.client, course.server, count, first
        self.program = program(course)
        self.is_own = tunnel is None
        self.tunnel = tunnel or Tunnel(
            self.client, course.daemons[0].implementation, ("10.21.0.1/32",), INTERFACE, PORT,
            daemon_options={"env": ENVIRONMENT})
        lay_ways(course, self.tunnel)
        if not known:
            request(self.tunnel, lines(course, count, "--first", first), f"{count} peers")
        self.process = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.part()
        if self.is_own:
            self.tunnel.daemon.stop()

    def cpu_seconds(self):
        return process.cpu_seconds(self.tunnel.daemon.pid)

    def peak_memory(self):
        return process.status_field(self.tunnel.daemon.pid, "VmHWM") / 1024

    def meet(self, count=None, **options):
        """Members shake hands with the daemon, as initiators: all, or so many from `first` on. Then they
        live as the options `rekey` and `keepalive` say."""
        count = count or self.count
        self.part()
        before = self.cpu_seconds()
        options = {"first": self.first} | options
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        self.process = self.server.spawn(
            [self.program, "meet", count, "--to", f"192.0.2.1:{self.tunnel.port}",
             "--key", self.tunnel.public_key, *words], log_name="crowd.log")
        report = eventually(self._report, f"{count} peers have met the daemon",
                            PATIENCE_S + count * PATIENCE_A_MEMBER_S)
        return Meeting(*(report[field.name] for field in dataclasses.fields(Meeting)[:-1]),
                       self.cpu_seconds() - before)

    def _report(self):
        assert self.process.running(), self.process.log().strip()
        reports = self._reports()
        return reports[-1] if reports else None

    def _reports(self):
        return [json.loads(line) for line in self.process.log().splitlines() if line[:1] == "{"]

    def part(self):
        """They go. What they have seen since they met: the fields of Meeting::Counted (crowd/meeting.h)."""
        if self.process is None:
            return None
        self.process.stop()
        reports, self.process = self._reports(), None
        return reports[-1] if len(reports) > 1 else None

    def traffic(self, seconds):
        """Packets to all members in turn: how many arrive a second, and the daemon's CPU time for
        each in microseconds. Then they part."""
        before = self.cpu_seconds()
        sent = json.loads(self.client.out([self.program, "send", self.count, f"{seconds:g}"],
                                          timeout_s=seconds + 30))
        spent = self.cpu_seconds() - before
        arrived = self.part()["packets"]
        assert arrived, f"none of {sent['packets']} packets arrived"
        return arrived / sent["seconds"], spent / arrived * 1e6


def program(course):
    return os.path.join(course.build_dir, "crowd")


def lay_ways(course, tunnel):
    """To members, outside the tunnel and within."""
    course.client.run("ip route replace 172.16.0.0/12 via 192.0.2.2")
    course.server.run("ip route replace local 172.16.0.0/12 dev lo")
    course.client.run(f"ip route replace 10.32.0.0/12 dev {tunnel.name}")


def lines(course, count, *options):
    """What the daemon must be told of so many members, or of strangers (--strangers), as UAPI has it."""
    return course.client.run([program(course), "keys", count, *options],
                             timeout_s=PATIENCE_S + count * PATIENCE_A_MEMBER_S).stdout


def request(tunnel, text, what):
    """Sets it, however long it is."""
    reply = tunnel.daemon.uapi(f"set=1\n{text}\n", timeout_s=PATIENCE_S)
    assert daemon.reply_errno(reply) == 0, f"the daemon refuses {what}: {reply}"
