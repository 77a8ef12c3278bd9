"""`ferrule logs`: what a daemon in the background has told, without journal and syslog too."""

import json
import os
import signal

from lib.daemon import connect_uapi, read_reply
from lib.registry import behaviour
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
