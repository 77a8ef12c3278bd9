"""A program started on a host. It is ended by its pid, never by its name."""

import os
import signal
import subprocess

from .wait import PATIENCE, eventually


class Process:
    def __init__(self, argv, log_path, env=None, pass_fds=()):
        self.argv = argv
        self.log_path = log_path
        with open(log_path, "ab") as log:
            self.popen = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          env=env, pass_fds=pass_fds, start_new_session=True)
        self.pid = self.popen.pid

    def running(self):
        return self.popen.poll() is None

    def send_signal(self, number):
        if self.running():
            os.kill(self.pid, number)

    def wait(self, timeout_s=10):
        """The exit status, once it has ended."""
        return self.popen.wait(timeout_s * PATIENCE)

    def stop(self, number=signal.SIGTERM, timeout_s=10):
        self.send_signal(number)
        return self.wait(timeout_s)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()


def alive(pid):
    """Whether `pid` runs. A zombie, which only waits to be collected, does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_gone(pid, timeout_s=10):
    eventually(lambda: not alive(pid), f"process {pid} ends", timeout_s)


def status_text(pid, name):
    """A line of /proc/PID/status, as `status_text(pid, "CapEff")`."""
    with open(f"/proc/{pid}/status") as status:
        for line in status:
            key, _, value = line.partition(":")
            if key == name:
                return value.strip()
    raise KeyError(name)


def status_field(pid, name):
    """The number in it, without its unit, as `status_field(pid, "VmRSS")`."""
    return int(status_text(pid, name).split()[0])


def context_switches(pid):
    """How often all threads of `pid` went to sleep of their own accord."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        total += status_field(f"{pid}/task/{thread}", "voluntary_ctxt_switches")
    return total


def cpu_seconds(pid, thread=None):
    """User and system time of `pid` so far; of those of its threads that live and are named so."""
    if thread is None:
        return _cpu_seconds(f"/proc/{pid}/stat")
    tasks = os.listdir(f"/proc/{pid}/task")
    return sum(_cpu_seconds(f"/proc/{pid}/task/{task}/stat", thread) for task in tasks)


def _cpu_seconds(path, name=None):
    with open(path) as stat:
        head, _, rest = stat.read().rpartition(")")
    if name and not head.endswith(f"({name}"):
        return 0
    fields = rest.split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
