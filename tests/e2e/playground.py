#!/usr/bin/env python3
"""A machine to try things on, with a tunnel to a second one: what `./dev run` opens a shell in.

Both are network namespaces, with an /etc/wireguard of their own and the fresh ferrule and ferruled first
in PATH. The second one is the tunnel's other end. All of it goes when the shell ends.
"""

import argparse
import os
import shlex
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True

from lib import sandbox                                         # noqa: E402
from lib.daemon import Implementation                           # noqa: E402
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, Scene          # noqa: E402
from lib.tunnel import new_private_key                          # noqa: E402

FOLDER = "/etc/wireguard"

FILE = """[Interface]
PrivateKey = {private}
ListenPort = 51820
Address = {addresses}

[Peer]
# Name = {peer}
PublicKey = {public}
Endpoint = {endpoint}
AllowedIPs = {allowed}
"""

WELCOME = """
You are on "here"; "there" is the other end of the tunnel {interface}.

  ferrule show                what goes on            ping 10.10.0.2    through the tunnel to "there"
  ferrule top                 the same, live          there COMMAND     runs a command on "there"
  ferrule doctor {interface:12} looks for what is wrong
  exit                        ends everything
"""


def files(keys):
    """The two ends' files."""
    sides = [("here", keys[0], LEFT_INSIDE, "192.0.2.1"), ("there", keys[1], RIGHT_INSIDE, "192.0.2.2")]
    for own, (name, other, addresses, outside) in zip(sides, reversed(sides)):
        yield FILE.format(private=own[1], addresses=", ".join(own[2]), peer=name, public=other.public,
                          endpoint=f"{outside}:51820",
                          allowed=", ".join(a.replace("/24", "/32").replace("/64", "/128")
                                            for a in addresses))


def install(host, build_dir, name, text):
    """Puts a file into the host's own /etc/wireguard, and brings its tunnel up."""
    host.run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", FOLDER])
    path = f"{FOLDER}/{name}.conf"
    host.write(path, text)
    os.chmod(host.path(path), 0o600)
    result = host.run([os.path.join(build_dir, "ferrule"), "up", name], env=environment(build_dir),
                      check=False)
    print((result.stdout + result.stderr).rstrip())


def environment(build_dir):
    return {"PATH": f"{build_dir}:{os.environ['PATH']}"}


def shell(host, build_dir, command, there):
    """A shell on the host, or one command; its exit status."""
    init = tempfile.NamedTemporaryFile("w", suffix=".bashrc")
    init.write(f"PS1='here:\\w# '\nthere() {{ {shlex.join(there.argv('env')[1])} \"$@\"; }}\n")
    init.flush()
    words = ["bash", "-c", f". {init.name}; {command}"] if command else ["bash", "--rcfile", init.name]
    pid = os.spawnvpe(os.P_NOWAIT, "nsenter", host.argv(words)[1],
                      {**os.environ, **environment(build_dir)})
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev run", description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", metavar="FILE",
                        help="a tunnel's file to bring up here, in place of a tunnel to \"there\"")
    parser.add_argument("-c", dest="command", metavar="COMMAND", help="runs this, and no shell")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"),
                        help=argparse.SUPPRESS)
    return parser.parse_args()


def main():
    options = parse_options()
    build_dir = os.path.abspath(options.build_dir)
    if reason := sandbox.missing():
        print(f"This {reason}.")
        return 1
    sandbox.enter()
    daemon = Implementation("ferrule", os.path.join(build_dir, "ferruled"))
    with tempfile.TemporaryDirectory(prefix="ferrule-run-") as log_dir:
        scene = Scene(log_dir, daemon, daemon)
        here, there = scene.linked_hosts()
        texts = list(files([new_private_key() for _ in range(2)]))
        install(there, build_dir, "wg0", texts[1])
        name = "wg0"
        if options.file:
            name = os.path.basename(options.file).removesuffix(".conf")
            with open(options.file, encoding="utf-8") as file:
                texts[0] = file.read()
        install(here, build_dir, name, texts[0])
        if not options.command:
            print(WELCOME.format(interface=name))
        status = shell(here, build_dir, options.command, there)
        for host in scene.hosts:
            host.close()
    return status


if __name__ == "__main__":
    sys.exit(main())
