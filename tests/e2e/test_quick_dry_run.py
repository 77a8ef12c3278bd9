"""`up --dry-run` and `reload --dry-run`: the steps that would be taken, told, and none of them taken.

    left                                        right
    wg0, by ferrule                             wg0
    192.0.2.1 ───────────────────────────────── 192.0.2.2
"""

import json

from lib.registry import behaviour

from test_quick import BIN, CONFIG, Quick, failures, files, read, same
from test_quick_reload import EVERYTHING


def state(quick):
    """The machine, and what else the tools leave on it."""
    kept = quick.host.out("sh -c 'ls -A /run/ferrule /var/lib/ferrule /run/test; sysctl -n "
                          "net.ipv4.conf.all.src_valid_mark'")
    device = quick.host.run("wg showconf wg0", check=False).stdout
    return f"{quick.machine()}\n{kept}\n{device}\n{read(quick.host, CONFIG)}"


def steps(log):
    """Without what a daemon says at its start."""
    return "\n".join(line for line in log.splitlines() if line.startswith(("[#] ", "Warning: ")))


def told(quick, verb):
    """(status, log) of a dry run, which changes nothing."""
    before = state(quick)
    status, log = quick.run("ferrule", f"{verb} --dry-run", check=False)
    same(state(quick), before, ("before", "after a dry run"))
    return status, log


@behaviour(deadline_s=180)
def test_a_dry_run_tells_the_steps_of_up(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    quick.host.run("mkdir -p /run/ferrule")
    quick.host.run("sysctl -qw net.ipv4.conf.all.src_valid_mark=0")
    for name, text in files(quick):
        quick.write(text)
        status, log = told(quick, "up")
        assert status == 0 and not quick.host.exists("/run/hook"), log
        real = quick.run("ferrule", "up")[1]
        quick.run("ferrule", "down")
        same(f"{name}\n{steps(log)}", f"{name}\n{steps(real)}", ("up", "up --dry-run"))


@behaviour
def test_a_dry_run_tells_of_names_that_will_be_followed(scene):
    quick = Quick(scene)
    quick.host.run("mkdir -p /run/ferrule")
    quick.write(quick.config(endpoint="nowhere.invalid:1"))
    status, log = told(quick, "up")
    assert status == 0 and f"[#] ferrule resolve --follow {CONFIG} &" in log, log


@behaviour(deadline_s=90)
def test_a_dry_run_fails_where_up_is_known_to_fail(scene):
    quick = Quick(scene)
    quick.host.run("mkdir -p /run/ferrule")
    only_running_tells = "the command ended", "resolvconf ended", "/24: File exists", "MTU 10"
    for message, text, obstacle in failures(quick):
        if any(words in message for words in only_running_tells):
            continue
        if obstacle:
            quick.host.run(obstacle.format("add"))
        quick.write(text)
        status, log = told(quick, "up")
        assert status == 1, f"{message}:\n{log}"
        if obstacle:
            quick.host.run(obstacle.format("del"))
    quick.write(quick.config())
    with quick.host.udp(port=7000):
        assert told(quick, "up")[0] == 1
    quick.run("ferrule", "up")
    assert told(quick, "up")[0] == 1, "it is up already"
    quick.run("ferrule", "down")


@behaviour(deadline_s=240)
def test_a_dry_run_tells_the_steps_of_a_reload(scene):
    quick = Quick(scene)
    quick.host.run("ip route add default via 192.0.2.2")
    quick.host.run("ip -6 route add default via 2001:db8::2")
    quick.host.sysctl(net__ipv4__conf__all__promote_secondaries=0)
    texts = [(name, text) for name, text in files(quick) if name != "hooks"]
    texts.append(("one address less", quick.config(address="Address = 10.10.0.7/24, fd10::1/64")))
    texts.append(("another mark", quick.config("FwMark = 0x99", peer=EVERYTHING)))
    quick.write(texts[-1][1])
    quick.run("ferrule", "up")
    quick.host.run("rm -f /run/ferrule/*.follow.lock")
    for name, text in texts + texts[::-2]:
        quick.write(text)
        quick.run("ferrule", "reload --json")     # so that a lock for followers is there
        quick.write(texts[-2][1])
        quick.run("ferrule", "reload")
        quick.write(text)
        status, log = told(quick, "reload")
        real = quick.run("ferrule", "reload")[1]
        assert status == 0, log
        same("\n".join([name, *sorted(log.splitlines())]),
             "\n".join([name, *sorted(real.splitlines())]), ("reload", "reload --dry-run"))
    quick.run("ferrule", "down")


@behaviour
def test_a_dry_reload_speaks_json(scene):
    quick = Quick(scene)
    quick.write(quick.config())
    quick.run("ferrule", "up")
    quick.run("ferrule", "reload")
    quick.write(quick.config("MTU = 1300\nFwMark = 7"))
    line = told(quick, "reload --json")[1].splitlines()[-1]
    assert json.loads(line)["changes"][0]["change"] == "fwmark", line
    assert f"{BIN}" not in line and json.loads(line)["steps"], line
    quick.run("ferrule", "down")
