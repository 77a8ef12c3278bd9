#!/usr/bin/env python3
"""What the tool's commands take beside `wg show`, on a tunnel with many peers that are known by name.

    python3 bench/commands.py                       2000 peers, 5 rounds
    python3 bench/commands.py --peers 200 show      some commands

Figures are the least of some rounds, from the start of a program to its end: what else is at work on the
machine only ever adds to them, and least to the CPU time. `doctor`, `ping` and `test` wait for packets, and are left out. What changes the file
or the device does so on copies that nobody needs. The exit status is 1 when a command takes longer than --limit.
"""

import argparse
import os
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "e2e")]
sys.dont_write_bytecode = True

from lib import sandbox                                         # noqa: E402
from lib.daemon import Implementation                           # noqa: E402
from lib.scene import Scene                                     # noqa: E402
from lib.tunnel import new_private_key                          # noqa: E402

FOLDER = "/etc/wireguard"
REFERENCE = "wg show"

TIMED = """
import resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.run(sys.argv[1], shell=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
took = time.perf_counter() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
sys.stderr.buffer.write(done.stderr[-500:])
print(1000 * took, 1000 * (used.ru_utime + used.ru_stime))
sys.exit(done.returncode)
"""

# What is measured, and what makes and ends what it needs, unmeasured.
COMMANDS = {
    "wg show wg0 dump": (),
    "ferrule --version": (),
    "ferrule help": (),
    "ferrule show": (),
    "ferrule show wg0 dump": (),
    "ferrule show wg0 --json": (),
    "ferrule status": (),
    "ferrule status --json": (),
    "ferrule metrics --once": (),
    "ferrule peer list wg0": (),
    "ferrule peer list wg0 --json": (),
    "ferrule peer show wg0 peer-19": (),
    "ferrule peer rename wg0 peer-7 seven": ("", "ferrule peer rename wg0 seven peer-7"),
    "ferrule peer disable wg0 peer-8": ("", "ferrule peer enable wg0 peer-8"),
    "ferrule peer enable wg0 peer-9": ("ferrule peer disable wg0 peer-9", ""),
    "ferrule peer add wg0 new --endpoint 192.0.2.1": ("", "ferrule peer remove wg0 new"),
    "ferrule peer rekey wg0 peer-10 --endpoint 192.0.2.1": (),
    "ferrule peer remove wg0 newer": ("ferrule peer add wg0 newer --endpoint 192.0.2.1", ""),
    "ferrule peer expire wg0": (),
    "ferrule peer adopt wg0": (),
    "ferrule complete -- peer show wg0 peer-19": (),
    "ferrule check wg0": (),
    "ferrule explain 10.10.7.9": (),
    "ferrule export wg0": (),
    "ferrule export wg0 --to networkmanager": (),
    "ferrule export wg0 --to networkd": (),
    "ferrule import /etc/wireguard/wg0.conf --as -": (),
    "ferrule strip wg0": (),
    "ferrule showconf wg0": (),
    "ferrule syncconf wg0 /run/stripped.conf": ("sh -c 'ferrule strip wg0 >/run/stripped.conf'", ""),
    "ferrule save wg0": (),
    "ferrule resolve wg0": (),
    "ferrule reload wg0": (),
    "ferrule reload wg0 --dry-run": (),
    "ferrule up wg1": ("", "ferrule down wg1"),
    "ferrule up wg1 --dry-run": (),
    "ferrule down wg1": ("ferrule up wg1", ""),
}


def conf(interface, network, port, count):
    text = (f"[Interface]\nPrivateKey = {new_private_key()}\nListenPort = {port}\n"
            f"Address = 10.{network}.0.1/16\n")
    for i in range(count):
        text += (f"\n[Peer]\n# Name = peer-{i}\nPublicKey = {new_private_key().public}\n"
                 f"AllowedIPs = 10.{network}.{(i + 2) // 250}.{(i + 2) % 250 + 1}/32\n")
    return f"{FOLDER}/{interface}.conf", text


class Machine:
    """A host with /etc/wireguard/wg0.conf, which is up, and wg1.conf, which is not."""

    def __init__(self, scene, options):
        self.host = scene.host("machine")
        self.env = {"PATH": f"{options.build_dir}:{os.environ['PATH']}"}
        self.host.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", FOLDER])
        for interface, network, port in (("wg0", 10, 51820), ("wg1", 11, 51821)):
            path, text = conf(interface, network, port, options.peers)
            self.host.write(path, text)
            os.chmod(self.host.path(path), 0o600)
        self.run("ferrule up wg0")

    def run(self, command, check=True):
        """The milliseconds that a command took, by the clock and of CPU time, and its result. What enters the
        namespaces is not counted."""
        result = self.host.run([sys.executable, "-c", TIMED, f"exec {command}"], check=check, env=self.env)
        wall, cpu = map(float, result.stdout.split())
        return wall, cpu, result

    def measure(self, command, around, rounds):
        """The least of both times; None where this tool has no such command."""
        prepare, restore = around or ("", "")
        times = []
        for _ in range(rounds):
            if prepare:
                self.run(prepare)
            wall, cpu, result = self.run(command, check=False)
            if result.returncode == 2:
                return None
            assert result.returncode in (0, 1, 3), (command, result)
            times.append((wall, cpu))
            if restore:
                self.run(restore)
        return tuple(min(column) for column in zip(*times))


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--peers", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--limit", type=float, default=100, help="ms; 0: none")
    parser.add_argument("words", nargs="*", help="only commands with one of these words in them")
    return parser.parse_args()


def measure_all(machine, options):
    """Prints a line a command, the reference first. Returns those that are too slow."""
    reference = machine.measure(REFERENCE, (), options.rounds)
    print(f"{'':52}   ms   CPU, ms  / {REFERENCE}")
    print(f"{REFERENCE:50} {reference[0]:7.1f} {reference[1]:7.1f}")
    wanted = {command: around for command, around in COMMANDS.items()
              if not options.words or any(word in command for word in options.words)}
    slow = []
    for command, around in wanted.items():
        took = machine.measure(command, around, options.rounds)
        if took is None:
            print(f"{command:50}       - (there is no such command)")
            continue
        wall, cpu = took
        is_slow = options.limit and wall > options.limit
        slow += [command] if is_slow else []
        print(f"{command:50} {wall:7.1f} {cpu:7.1f} {wall / reference[0]:7.2f}{'  too slow' if is_slow else ''}",
              flush=True)
    return slow


def main():
    options = parse_options()
    options.build_dir = os.path.abspath(options.build_dir)
    if reason := sandbox.missing():
        print(f"This {reason}.")
        return 2
    sandbox.enter()
    daemon = Implementation("ferrule", os.path.join(options.build_dir, "ferruled"))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="ferrule-bench-") as log_dir:
        slow = measure_all(Machine(Scene(log_dir, daemon, daemon), options), options)
    print(f"{options.peers} peers, the least of {options.rounds} rounds, "
          f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
