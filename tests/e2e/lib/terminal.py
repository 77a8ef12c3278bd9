"""A person at a terminal."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios

from .wait import eventually


class Terminal:
    """A program on a pseudo-terminal of 100 columns, and what it has drawn."""

    def __init__(self, host, argv, rows=30, columns=100, term="xterm-256color", env=None):
        self.master, slave = pty.openpty()
        self.resize(rows, columns)
        env = {**os.environ, "TERM": term, "LANG": "C.UTF-8", **(env or {})}
        self.process = subprocess.Popen(
            ["nsenter", f"--target={host.pid}", "--net", "--mount", "--", *argv],
            stdin=slave, stdout=slave, stderr=slave, env=env, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        os.set_blocking(self.master, False)
        self.drawn = b""

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.master, keys.encode())

    def text(self):
        """All that was drawn so far, without what moves the cursor and sets colours."""
        try:
            while piece := os.read(self.master, 65536):
                self.drawn += piece
        except (BlockingIOError, OSError):
            pass
        return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()][A-Z0-9]", "",
                      self.drawn.decode(errors="replace"))

    def wait(self, text):
        eventually(lambda: text in self.text(), f"{text!r} is drawn; have {self.text()[-2000:]!r}")
