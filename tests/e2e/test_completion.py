"""Somebody at a bash, a zsh and a fish types the start of a word and Tab.

What then stands on the line is what the command is run with: a `ferrule` that writes down its words stands
before the real one, and hands on what the shell itself asks of it, `ferrule complete`.
"""

import os
import shutil

from lib.registry import Skip, behaviour
from lib.terminal import Terminal
from lib.tunnel import new_private_key
from lib.wait import eventually

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
COMPLETIONS = os.path.join(ROOT, "packaging", "completions")
PROMPT = "ready> "
TAB, ENTER, DISCARD_LINE = "\t", "\r", "\x15"

RECORDER = """#!/bin/sh
if [ "$1" = complete ]; then exec {tool} "$@"; fi
for word; do printf '%s\\n' "$word"; done >/run/test/words.new
mv /run/test/words.new /run/test/words
"""

BASHRC = f"PS1='{PROMPT}'; bind 'set bell-style none'; source {COMPLETIONS}/ferrule.bash\n"
ZSHRC = f"PS1='{PROMPT}'; fpath=({COMPLETIONS} $fpath); autoload -Uz compinit; compinit -u -D\n"
FISHRC = (f"function fish_prompt; echo -n '{PROMPT}'; end; function fish_greeting; end; "
          f"source {COMPLETIONS}/ferrule.fish")

SHELLS = {
    "bash": ["bash", "--rcfile", "/run/test/bashrc", "-i"],
    "zsh": ["zsh", "--no-globalrcs", "-i"],
    "fish": ["fish", "--no-config", "--private", "-i", "-C", FISHRC],
}

# What is typed, and the last word of the command that comes of it.
TYPED = {
    f"statu{TAB}": "status",
    f"peer show w{TAB}al{TAB}": "alice",
    f"peer show wg0 bob{TAB}": "bob phone",
    f"peer show wg0 bob\\ ph{TAB}": "bob phone",
    f"peer disable wg0 Зо{TAB}": "Зоя",
    f"peer add wg0 dave --expires 30{TAB}": "30d",
    f"metrics --listen 127.0.0.1:9{TAB}": "127.0.0.1:9586",
    f"show wg0 latest{TAB}": "latest-handshakes",
    f"import /run/test/cli{TAB}": "/run/test/client one.conf",
    f"check /run/test/cli{TAB}": "/run/test/client one.conf",
    f"peer add wg0 eve --out /run/test/cli{TAB}": "/run/test/client one.conf",
    f"run wg0 -- cat /run/test/cli{TAB}": "/run/test/client one.conf",
}


class Shell:
    def __init__(self, scene, host, name):
        self.host = host
        host.write("/run/test/bin/ferrule", RECORDER.format(tool=f"{scene.build_dir}/ferrule"))
        os.chmod(host.path("/run/test/bin/ferrule"), 0o755)
        host.write("/run/test/bashrc", BASHRC)
        host.write("/run/test/.zshrc", ZSHRC)
        env = {"PATH": f"/run/test/bin:{os.environ['PATH']}", "HOME": "/run/test", "ZDOTDIR": "/run/test",
               "LC_ALL": "C.UTF-8"}
        self.terminal = Terminal(host, SHELLS[name], columns=120, env=env)
        self.terminal.wait(PROMPT)

    def words(self, typed):
        """What the command is run with when this is typed, and Enter."""
        path = self.host.path("/run/test/words")
        self.terminal.type(f"ferrule {typed}{ENTER}")
        eventually(lambda: os.path.exists(path), f"{typed!r} runs; {self.terminal.text()[-500:]!r}")
        with open(path) as file:
            words = file.read().splitlines()
        os.unlink(path)
        return words

    def offers(self, typed, wanted):
        """Whether all these are on the screen when this is typed."""
        before = len(self.terminal.text())
        self.terminal.type(f"ferrule {typed}{TAB}{TAB}")
        for word in wanted:
            eventually(lambda: word in self.terminal.text()[before:],
                       f"{typed!r} offers {word}; {self.terminal.text()[before:]!r}")
        self.terminal.type(DISCARD_LINE)


def furnished(scene):
    if not os.path.exists(f"{scene.build_dir}/ferrule"):
        raise Skip("ferrule is not built")
    host = scene.host("left")
    host.run("mount -t tmpfs -o mode=755 tmpfs /etc/wireguard")
    peers = "\n".join(f"[Peer]\n# Name = {name}\nPublicKey = {new_private_key().public}\n"
                      f"AllowedIPs = 10.10.0.{number}/32\n"
                      for number, name in enumerate(("alice", "bob phone", "carol", "Зоя"), 2))
    host.write("/etc/wireguard/wg0.conf", f"[Interface]\nPrivateKey = {new_private_key()}\n\n{peers}")
    host.write("/run/test/client one.conf", "")
    return host


def check_shell(scene, name):
    if not shutil.which(name):
        raise Skip(f"{name} is not installed")
    shell = Shell(scene, furnished(scene), name)
    wrong = {typed: words for typed, last in TYPED.items()
             if (words := shell.words(typed))[-1:] != [last]}
    assert not wrong, wrong
    shell.offers("peer re", ("remove", "rename", "rekey"))
    shell.offers("peer show wg0 ", ("alice", "carol"))
    shell.terminal.process.kill()
    shell.terminal.process.wait()


@behaviour
def test_bash_completes_what_is_typed(scene):
    check_shell(scene, "bash")


@behaviour
def test_zsh_completes_what_is_typed(scene):
    check_shell(scene, "zsh")


@behaviour
def test_fish_completes_what_is_typed(scene):
    check_shell(scene, "fish")
