#!/usr/bin/env python3
"""Pictures of the tool at work for the documentation: what `./dev pictures` makes.

A server in a network namespace has five peers by name. Three are there, with traffic; one was never seen;
one has a packet filter of its own in the way, and asks the doctor. What tmux then has on its screen is drawn.
"""

import argparse
import math
import os
import shlex
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from lib import host as hosts, sandbox, svg                     # noqa: E402
from lib.daemon import Implementation                           # noqa: E402
from lib.scene import Scene                                     # noqa: E402
from lib.traffic import must_ping                               # noqa: E402
from lib.tunnel import new_private_key                          # noqa: E402

COLUMNS, ROWS = 100, 16
WATCHED_S = 40                  # how long `top` watches before it is drawn
PACKET_BYTES = 1200

# A peer's name, and the packets a second that come from it and go to it.
PEERS = {"alice-laptop": (900, 4200), "bob-phone": (120, 700), "nas": (2600, 300),
         "carol-tablet": None, "dave-laptop": None}
FILTERED = "dave-laptop"

INTERFACE = """[Interface]
PrivateKey = {private}
ListenPort = 51820
Address = 10.10.0.{number}/24
"""
PEER = """
[Peer]
# Name = {name}
PublicKey = {public}
AllowedIPs = {allowed}
"""


class Screen:
    """A program on a terminal of tmux."""

    def __init__(self, host, command, build_dir):
        _, argv = host.argv(["env", f"PATH={build_dir}:{os.environ['PATH']}", "bash", "-c", command])
        self.tmux("new-session", "-d", "-x", COLUMNS, "-y", ROWS, shlex.join(argv))

    @staticmethod
    def tmux(*words):
        return subprocess.check_output(
            ["tmux", "-S", f"/run/ferrule-pictures.{os.getpid()}", "-u", "-f", "/dev/null", *map(str, words)],
            text=True, env={**os.environ, "LANG": "C.UTF-8", "TERM": "xterm-256color"})

    def draw(self, path, title):
        lines = self.tmux("capture-pane", "-e", "-p").splitlines()
        with open(path, "w", encoding="utf-8") as file:
            file.write(svg.draw(lines, title, COLUMNS))
        self.tmux("kill-server")
        print(path)


def install(host, build_dir, text):
    """Gives a host its /etc/wireguard, and brings wg0 up."""
    host.run("mount -t tmpfs -o mode=755 tmpfs /etc/wireguard")
    host.write("/etc/wireguard/wg0.conf", text)
    os.chmod(host.path("/etc/wireguard/wg0.conf"), 0o600)
    host.run([os.path.join(build_dir, "ferrule"), "up", "wg0"],
             env={"PATH": f"{build_dir}:{os.environ['PATH']}"})


def build(scene, build_dir):
    """The server and the peers that are there: {name: host}."""
    keys = {name: new_private_key() for name in ["server", *PEERS]}
    server, clients = scene.host("server"), {}
    text = INTERFACE.format(private=keys["server"], number=1)
    for number, name in enumerate(PEERS, 2):
        text += PEER.format(name=name, public=keys[name].public, allowed=f"10.10.0.{number}/32")
        client = clients[name] = scene.host(name)
        hosts.link(server, client, f"eth{number}")
        server.address(f"eth{number}", f"192.0.2.{number * 4 + 1}/30")
        client.address("eth0", f"192.0.2.{number * 4 + 2}/30")
    install(server, build_dir, text)
    for number, name in enumerate(PEERS, 2):
        if PEERS[name] or name == FILTERED:
            install(clients[name], build_dir, INTERFACE.format(private=keys[name], number=number)
                    + PEER.format(name="server", public=keys["server"].public, allowed="10.10.0.0/24")
                    + f"Endpoint = 192.0.2.{number * 4 + 1}:51820\n")
            must_ping(clients[name], "10.10.0.1")
    return server, clients


def send(sender, receiver, address, rate, phase, over):
    """Datagrams at a rate that swells and falls, until it is over."""
    port = 7000 + phase
    taker, giver = receiver.udp(address, port), sender.udp()
    payload = bytes(PACKET_BYTES)
    while not over.wait(0.02):
        swell = 1 + 0.6 * math.sin(time.monotonic() / 4 + phase)
        for _ in range(round(rate * swell / 50)):
            giver.sendto(payload, (address, port))
    taker.close()
    giver.close()


def picture_of_top(server, clients, build_dir, path):
    over, threads = threading.Event(), []
    for number, (name, rates) in enumerate(PEERS.items(), 2):
        if rates:
            inside = f"10.10.0.{number}"
            ways = [(clients[name], server, "10.10.0.1"), (server, clients[name], inside)]
            threads += [threading.Thread(target=send, args=(*way, rate, number, over))
                        for way, rate in zip(ways, rates)]
    for thread in threads:
        thread.start()
    screen = Screen(server, "exec ferrule top", build_dir)
    time.sleep(WATCHED_S)
    screen.draw(path, "ferrule top")
    over.set()
    for thread in threads:
        thread.join()


def picture_of_doctor(client, build_dir, path):
    client.nft("table inet firewall { chain input { type filter hook input priority 0; "
               "ip saddr 192.0.2.0/24 udp sport 51820 drop; }; }")
    screen = Screen(client, "echo '$ ferrule doctor wg0'; ferrule doctor wg0; sleep infinity", build_dir)
    time.sleep(WATCHED_S)
    screen.draw(path, "ferrule doctor")


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev pictures", description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--out", default=os.path.join(ROOT, "docs", "pictures"))
    return parser.parse_args()


def main():
    options = parse_options()
    build_dir, out = os.path.abspath(options.build_dir), os.path.abspath(options.out)
    if reason := sandbox.missing():
        print(f"This {reason}.")
        return 1
    sandbox.enter()
    os.makedirs(out, exist_ok=True)
    daemon = Implementation("ferrule", os.path.join(build_dir, "ferruled"))
    with tempfile.TemporaryDirectory(prefix="ferrule-pictures-") as log_dir:
        server, clients = build(Scene(log_dir, daemon, daemon), build_dir)
        picture_of_top(server, clients, build_dir, os.path.join(out, "top.svg"))
        picture_of_doctor(clients[FILTERED], build_dir, os.path.join(out, "doctor.svg"))
    return 0


if __name__ == "__main__":
    sys.exit(main())
