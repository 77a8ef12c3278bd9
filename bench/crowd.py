"""A daemon with many peers, all of them played by one program (crowd/main.cc).

        client                                   server
    wg1 10.20.0.0/16 ═══╗                 198.18.0.0/16: a member an address
        192.0.2.1 ──────╨──────────────── 192.0.2.2
"""

import dataclasses
import json
import os

from lib import process
from lib.tunnel import Tunnel
from lib.wait import eventually

# How programs are told to be quiet; and to stay root, those that would want a user to become.
ENVIRONMENT = {"LOG_LEVEL": "error", "WG_LOG_LEVEL": "error", "WG_SUDO": "1"}
INTERFACE, PORT = "wg1", 51900
MEETING_PATIENCE_S = 60


@dataclasses.dataclass(frozen=True)
class Meeting:
    met: int
    initiations: int
    cookies: int
    seconds: float
    cpu_seconds: float              # of the daemon

    @property
    def cpu_per_handshake(self):
        return self.cpu_seconds / self.met


class Crowd:
    """`count` peers on the course's server, of `tunnel` on its client, or of a further daemon there."""

    def __init__(self, course, count, tunnel=None):
        self.client, self.server, self.count = course.client, course.server, count
        self.program = os.path.join(course.build_dir, "crowd")
        self.client.run("ip route replace 198.18.0.0/16 via 192.0.2.2")
        self.server.run("ip route replace local 198.18.0.0/16 dev lo")
        self.is_own = tunnel is None
        self.tunnel = tunnel or Tunnel(
            self.client, course.daemons[0].implementation, ("10.21.0.1/32",), INTERFACE, PORT,
            daemon_options={"env": ENVIRONMENT})
        self.client.run(f"ip route replace 10.20.0.0/16 dev {self.tunnel.name}")
        members = self.client.run([self.program, "keys", count]).stdout
        reply = self.tunnel.uapi(f"set=1\n{members}\n")
        assert "errno=0" in reply, f"the daemon refuses {count} peers: {reply}"
        self.meeting = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.meeting:
            self.meeting.stop()
        if self.is_own:
            self.tunnel.daemon.stop()

    def cpu_seconds(self):
        return process.cpu_seconds(self.tunnel.daemon.pid)

    def peak_memory(self):
        return process.status_field(self.tunnel.daemon.pid, "VmHWM") / 1024

    def meet(self, count=None, **pace):
        """Members shake hands with the daemon, as initiators: all, or so many from `first` on."""
        count = count or self.count
        if self.meeting:
            self.meeting.stop()
        before = self.cpu_seconds()
        options = [word for name, value in pace.items() for word in (f"--{name}", value)]
        self.meeting = self.server.spawn(
            [self.program, "meet", count, "--to", f"192.0.2.1:{self.tunnel.port}",
             "--key", self.tunnel.public_key, *options], log_name="crowd.log")
        report = eventually(self._report, f"{count} peers have met the daemon",
                            MEETING_PATIENCE_S)
        return Meeting(report["met"], report["initiations"], report["cookies"], report["seconds"],
                       self.cpu_seconds() - before)

    def _report(self):
        assert self.meeting.running(), self.meeting.log().strip()
        lines = [line for line in self.meeting.log().splitlines() if line.startswith("{")]
        return json.loads(lines[-1]) if lines else None

    def traffic(self, seconds):
        """Packets to all members in turn: how many arrive a second, and the daemon's CPU time for
        each in microseconds."""
        before = self.cpu_seconds()
        sent = json.loads(self.client.out([self.program, "send", self.count, f"{seconds:g}"],
                                          timeout_s=seconds + 30))
        spent = self.cpu_seconds() - before
        self.meeting.stop()
        arrived = json.loads(self.meeting.log().splitlines()[-1])["packets"]
        assert arrived, f"none of {sent['packets']} packets arrived"
        return arrived / sent["seconds"], spent / arrived * 1e6
