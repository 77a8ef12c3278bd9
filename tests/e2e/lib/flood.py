"""A flood of handshake messages with forged sources (tests/flood), for as long as a context lasts."""

import json
import os
import signal

from .wait import eventually


class Flood:
    """`kind` and `options` are the program's: Flood(scene.build_dir, host, "junk", to, rate=1000).
    Forged sources lie in 100.64.0.0/10, unless `source` names one; the flooded host needs a route
    to them, or its answers go nowhere."""

    def __init__(self, build_dir, host, kind, to, source=None, **options):
        self.host = host
        self.argv = [os.path.join(build_dir, "flood"), kind, "--to", to]
        if source:
            options["from"] = source
        self.argv += [word for name, value in options.items() for word in (f"--{name}", value)]
        self.sent = self.seconds = None     # once it has ended

    def __enter__(self):
        self.process = self.host.spawn(self.argv, log_name="flood.log")
        eventually(lambda: "flooding" in self._log(), "the flood begins")
        return self

    def __exit__(self, *_):
        running = self.process.running()
        self.process.stop(signal.SIGTERM)
        assert running, f"the flood ended on its own: {self.process.log()}"
        report = json.loads(self.process.log().splitlines()[-1])
        self.sent, self.seconds = report["packets"], report["seconds"]

    def _log(self):
        assert self.process.running(), self.process.log()
        return self.process.log()
