#!/usr/bin/env python3
"""A tunnel between two machines that exist for a few seconds: what `./dev demo` shows.

The machines are network namespaces with a cable between them. This computer's own network is not
touched, and everything is gone when the program ends, however it ends.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from lib import sandbox, traffic                                # noqa: E402
from lib.daemon import Implementation                           # noqa: E402
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, Scene          # noqa: E402
from lib.tunnel import Key                                      # noqa: E402

TRANSFER_BYTES = 32 << 20

DRAWING = """
        left                                    right
    +---------------+                      +---------------+
    | wg0           |       tunnel         | wg0           |
    |   10.10.0.1   | - - - - - - - - - -  |   10.10.0.2   |
    |   fd10::1     |                      |   fd10::2     |
    |     eth0      +----------------------+     eth0      |
    |   192.0.2.1   |        cable         |   192.0.2.2   |
    +---------------+                      +---------------+
"""


class Narrator:
    def __init__(self):
        self.step_number = 0

    def step(self, text):
        self.step_number += 1
        print(f"\n{self.step_number}. {text}", flush=True)

    @staticmethod
    def shell(command, output=""):
        print(f"     $ {command}")
        for line in output.splitlines():
            print(f"       {line}".rstrip())
        sys.stdout.flush()

    @staticmethod
    def fact(text):
        print(f"     {text}", flush=True)


class KeyTool:
    """`ferrule`, or `wg` where it is not built."""

    def __init__(self, build_dir):
        ferrule = os.path.join(build_dir, "ferrule")
        self.path = ferrule if os.path.exists(ferrule) else shutil.which("wg")
        self.name = os.path.basename(self.path)

    def new_key(self):
        private = subprocess.check_output([self.path, "genkey"], text=True)
        public = subprocess.check_output([self.path, "pubkey"], input=private, text=True).strip()
        key = Key.parse(private)
        assert str(key.public) == public, f"{self.name} pubkey is wrong"
        return key


def find_daemon(build_dir):
    path = os.path.join(build_dir, "ferruled")
    return Implementation("ferrule", path) if os.path.exists(path) else None


def start_side(scene, daemon, host, addresses, key):
    """A daemon, with its key, its addresses, and its interface up."""
    tunnel = scene.tunnel(host, addresses, daemon, private_key=key)
    Narrator.shell(f"{os.path.basename(daemon.path)} -f wg0      # on {host.name}")
    Narrator.shell(f"wg set wg0 listen-port {tunnel.port} private-key {host.name}.key")
    for address in addresses:
        Narrator.shell(f"ip address add {address} dev wg0")
    Narrator.shell("ip link set wg0 up")
    return tunnel


def show_ping(tunnel, address):
    output = tunnel.host.out(f"ping -n -i 0.2 -c 3 {address}")
    Narrator.shell(f"ping -c 3 {address}      # on {tunnel.host.name}",
                   "\n".join(output.splitlines()[1:]))


def play(scene, daemon, key_tool):
    tell = Narrator()
    print("Two machines, a cable between them, and a WireGuard tunnel through it.")
    print(DRAWING, end="")
    left_host, right_host = scene.linked_hosts()

    tell.step(f"Each side makes a key pair ({key_tool.name} genkey, {key_tool.name} pubkey).")
    keys = [key_tool.new_key() for _ in range(2)]
    for name, key in zip(("left", "right"), keys):
        tell.fact(f"{name:5} public key {key.public}")

    tell.step("Each side starts a daemon, which makes the interface wg0.")
    left = start_side(scene, daemon, left_host, LEFT_INSIDE, keys[0])
    right = start_side(scene, daemon, right_host, RIGHT_INSIDE, keys[1])

    tell.step("They learn of each other, by public key. Only left knows where right is.")
    left.peer(right, endpoint="192.0.2.2:51820")
    tell.shell("wg set wg0 peer RIGHT endpoint 192.0.2.2:51820 allowed-ips 10.10.0.2/32,fd10::2/128")
    right.peer(left)
    tell.shell("wg set wg0 peer LEFT allowed-ips 10.10.0.1/32,fd10::1/128")

    tell.step("The first packet makes the two shake hands, and waits for it. It is not lost.")
    show_ping(left, right.inside4)

    tell.step("IPv6 goes through the same tunnel; right has learned where left is.")
    show_ping(right, left.inside6)

    tell.step(f"{TRANSFER_BYTES >> 20} MiB by TCP, with a checksum over what arrived.")
    started = time.monotonic()
    digest = traffic.tcp_transfer(left.host, right.host, right.inside4, TRANSFER_BYTES)
    seconds = time.monotonic() - started
    tell.fact(f"sent and received: sha256 {digest}")
    tell.fact(f"{seconds:.2f} s, {TRANSFER_BYTES * 8 / seconds / 1e6:.0f} Mbit/s")

    tell.step("What both sides say of it.")
    for tunnel in (left, right):
        tell.shell(f"wg show wg0      # on {tunnel.host.name}", tunnel.wg("show"))

    assert left.status(right).latest_handshake and right.status(left).latest_handshake
    scene.finish()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--daemon", help="another daemon of the kind, such as wireguard-go")
    return parser.parse_args()


def main():
    options = parse_options()
    build_dir = os.path.abspath(options.build_dir)
    daemon = (Implementation(os.path.basename(options.daemon), shutil.which(options.daemon))
              if options.daemon else find_daemon(build_dir))
    if reason := sandbox.missing():
        print(f"The demo {reason}.\nRun it as root: sudo ./dev demo")
        return 1
    if daemon is None or daemon.path is None:
        print(f"No daemon in {build_dir}. Build it first: ./dev build")
        return 1
    sandbox.enter()
    with tempfile.TemporaryDirectory(prefix="ferrule-demo-") as log_dir:
        scene = Scene(log_dir, daemon, daemon)
        try:
            play(scene, daemon, KeyTool(build_dir))
        except Exception as error:
            for name, text in scene.logs():
                print(f"--- {name}\n{text[-2000:]}")
            print(f"\nThe demo failed: {error}")
            return 1
    print(f"\nProven: two machines talked through {os.path.basename(daemon.path)}, over IPv4 and "
          "IPv6,\nauthenticated by their keys alone, and every byte arrived as it was sent.\n"
          "The machines, the cable and the daemons are gone; nothing is left behind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
