"""Daemons whose machine has slept, as far as they can tell: their boot clock goes ahead at once
(tests/sleep)."""

import os
import struct

from .registry import Skip


class Slumber:
    """For daemons that are started with `env` in their environment."""

    def __init__(self, scene):
        if os.path.basename(scene.build_dir) != "release":
            raise Skip("a sanitizer wants to be loaded first")
        self.seconds = 0
        self.path = os.path.join(scene.log_dir, "slept")
        with open(self.path, "wb") as file:
            file.write(bytes(8))
        self.env = {"LD_PRELOAD": os.path.join(scene.build_dir, "slept.so"), "SLEPT_FILE": self.path}

    def sleep(self, seconds):
        """That much more time has passed for the daemons. Timers that run go on as before."""
        self.seconds += seconds
        with open(self.path, "r+b") as file:
            file.write(struct.pack("q", self.seconds * 10**9))
