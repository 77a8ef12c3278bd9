"""`ferrule logs`: what a daemon in the background has told, without journal and syslog too."""

import json
import os
import signal

from lib.daemon import connect_uapi, read_reply
from lib.registry import Skip, behaviour
from lib.wait import eventually

from test_json import must_be
from test_quick import Quick
from test_quick_kill_switch import daemons

NO_LOG = "wireguard-go keeps no log"


def up(scene, **env):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up", env=env)
    return quick


def logs(quick, *words, check=True):
    return quick.host.run([quick.paths["ferrule"], "logs", *words], check=check)


def complain(quick, line=1):
    """A request that the daemon refuses for a line of it, and says so."""
    with connect_uapi(quick.host, "wg0") as connection:
        connection.sendall(b"set=1\n" + b"fwmark=0\n" * (line - 1) + b"nonsense=1\n\n")
        read_reply(connection)


@behaviour(unlike_go=NO_LOG)
def test_a_daemon_in_the_background_can_be_read(scene):
    quick = up(scene)
    assert "begins" in logs(quick, "wg0").stdout
    complain(quick, 7)
    eventually(lambda: "line 8" in logs(quick, "wg0").stdout, "the complaint is read")
    line = logs(quick, "-n", "1").stdout
    assert " wg0: " in line and line.count("\n") == 1, line
    for line in logs(quick, "--json").stdout.splitlines():
        must_be("logs", json.loads(line))
    quick.run("ferrule", "down")
    assert "line 8" in logs(quick, "wg0").stdout, "it outlives the daemon"


@behaviour(unlike_go=NO_LOG)
def test_logs_go_on_as_more_is_told(scene):
    quick = up(scene)
    follower = quick.host.spawn([quick.paths["ferrule"], "logs", "wg0", "-f"], log_name="logs.log")
    eventually(lambda: "begins" in follower.log(), "it has what was told")
    for number in range(20):
        complain(quick, number + 1)
    eventually(lambda: "line 21:" in follower.log(), "it has what is told")
    told = [line for line in follower.log().splitlines() if " line " in line]
    assert [f"line {i + 2}:" in line for i, line in enumerate(told)] == [True] * 20, told
    quick.run("ferrule", "down")
    quick.run("ferrule", "up")
    eventually(lambda: follower.log().count("begins") == 2, "it follows the next daemon")
    follower.stop(signal.SIGINT)
    quick.run("ferrule", "down")


# The sandbox lets no file be opened any more; the log makes room all the same.

@behaviour(deadline_s=120, unlike_go=NO_LOG)
def test_a_log_is_bounded(scene):
    quick = up(scene)
    for number in range(6000):
        complain(quick, number % 100 + 1)
    eventually(lambda: "line 101:" in logs(quick, "wg0", "-n", "1").stdout, "the last line is there")
    sizes = [os.stat(quick.host.path(f"/run/ferrule/{name}")).st_size
             for name in quick.host.out("ls /run/ferrule").split() if ".log" in name]
    assert len(sizes) == 2 and all(size <= 256 << 10 for size in sizes), sizes
    numbers = [int(line.split(" line ")[1].split(":")[0]) for line in
               logs(quick, "wg0", "-n", "2000").stdout.splitlines()]
    assert numbers == [i % 100 + 2 for i in range(2000)], numbers
    assert daemons(quick.host), "it lives"
    quick.run("ferrule", "down")


@behaviour
def test_without_a_log_it_says_where_there_may_be_one(scene):
    quick = Quick(scene)
    result = logs(quick, "wg7", check=False)
    assert result.returncode == 1 and "journalctl" in result.stderr, result


# --- beside a journal: systemd's, alone on a machine that has no systemd ----------------------------

JOURNALD = "/lib/systemd/systemd-journald"
# What the journal wants of a machine, and a /dev of its own with the socket that it is told by.
MACHINE = """
set -e
mkdir -p /run/dev/net /run/systemd/journal /run/log/journal
for device in null zero full random urandom tty kmsg net/tun; do
  touch /run/dev/$device
  mount --bind /dev/$device /run/dev/$device
done
ln -s /run/systemd/journal/dev-log /run/dev/log
mount --rbind /run/dev /dev
mount -t tmpfs tmpfs /var/log
mount -t cgroup2 cgroup2 /sys/fs/cgroup
"""


class Journal:
    def __init__(self, quick):
        if not os.path.exists(JOURNALD):
            raise Skip("systemd-journald is not installed")
        self.host = quick.host
        self.host.run(["sh", "-c", MACHINE])
        self.process = self.host.spawn([JOURNALD], log_name="journald.log")
        eventually(lambda: self.host.run("logger -t trial here", check=False).returncode == 0
                   and self.messages("trial"), "the journal takes what it is told")

    def messages(self, name="ferruled"):
        told = self.host.run(f"journalctl -q --no-pager -o json -t {name}", check=False).stdout
        return [json.loads(line)["MESSAGE"] for line in told.splitlines()]


@behaviour(unlike_go=NO_LOG)
def test_the_journal_has_what_a_daemon_in_the_background_tells(scene):
    quick = Quick(scene)
    journal = Journal(quick)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    complain(quick, 7)
    eventually(lambda: any("line 8" in line for line in journal.messages()), "the complaint is there")
    quick.run("ferrule", "down")
    kept = [json.loads(line) for line in logs(quick, "wg0", "--json").stdout.splitlines()]
    kept = [f"{line['interface']}: {line['message']}" for line in kept]
    eventually(lambda: journal.messages() == kept, "both have the same")


@behaviour(unlike_go=NO_LOG)
def test_a_journal_that_stands_still_is_not_waited_for(scene):
    quick = Quick(scene)
    journal = Journal(quick)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    eventually(journal.messages, "it has the first lines")
    os.kill(journal.process.pid, signal.SIGSTOP)
    for number in range(1500):
        complain(quick, number % 50 + 1)
    assert "line 51:" in logs(quick, "-n", "1").stdout
    os.kill(journal.process.pid, signal.SIGCONT)

    def tells_of_lost_lines():
        complain(quick)
        return any("lines that the log did not take: " in line for line in journal.messages())
    eventually(tells_of_lost_lines, "it is told what it has missed")
    quick.run("ferrule", "down")


@behaviour(unlike_go=NO_LOG)
def test_the_journal_has_what_a_daemon_in_the_foreground_tells(scene):
    quick = Quick(scene)
    journal = Journal(quick)
    daemon = quick.host.spawn(["systemd-cat", "-t", "ferruled", scene.subject.path, "--foreground", "wg0"],
                              log_name="daemon.log", env={"LOG_LEVEL": "verbose"})
    eventually(lambda: quick.host.exists("/run/wireguard/wg0.sock"), "it is up")
    complain(quick, 7)
    eventually(lambda: any("line 8" in line for line in journal.messages()), "the complaint is there")
    result = logs(quick, "wg0", check=False)
    assert result.returncode == 1 and "journalctl -t ferruled" in result.stderr, result
    daemon.stop(signal.SIGTERM)
