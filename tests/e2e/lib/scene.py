"""What one test builds. The scene that most tests start from:

        left                                   right
    ┌───────────────┐                      ┌───────────────┐
    │ wg0           │                      │ wg0           │
    │   10.10.0.1   │                      │   10.10.0.2   │
    │   fd10::1     │      192.0.2.0/24    │   fd10::2     │
    │               │    2001:db8::/64     │               │
    │     eth0   .1 ├──────────────────────┤ .2   eth0     │
    └───────────────┘                      └───────────────┘

The left daemon is the one under test; the right one is its peer.
"""

import os

from . import host as hosts
from . import memory
from .daemon import Daemon
from .host import Host
from .puppet import Puppet
from .tunnel import Tunnel

OUTSIDE4, OUTSIDE6 = "192.0.2.{}", "2001:db8::{}"
LEFT_INSIDE = ("10.10.0.1/24", "fd10::1/64")
RIGHT_INSIDE = ("10.10.0.2/24", "fd10::2/64")


class Scene:
    def __init__(self, log_dir, subject, other, build_dir=None):
        self.log_dir = log_dir
        self.subject = subject
        self.other = other
        self.build_dir = build_dir
        self.hosts = []
        self.daemons = []
        self.notes = []
        self.secrets = []           # keys that no log may hold

    # --- to build with ----------------------------------------------------------------------

    def host(self, name):
        host = Host(name, self.log_dir)
        self.hosts.append(host)
        return host

    def daemon(self, host, implementation=None, **options):
        """A bare daemon, without keys or addresses."""
        daemon = Daemon(host, implementation or self.subject, **options)
        self.daemons.append(daemon)
        return daemon

    def tunnel(self, host, addresses, implementation=None, **options):
        tunnel = Tunnel(host, implementation or self.subject, addresses, **options)
        self.daemons.append(tunnel.daemon)
        self.secrets.append(tunnel.private_key)
        return tunnel

    def restart(self, tunnel, **options):
        tunnel.start(**options)
        self.daemons.append(tunnel.daemon)

    def linked_hosts(self, mtu=1500):
        """The two hosts of the drawing, and the cable."""
        left, right = self.host("left"), self.host("right")
        hosts.link(left, right, mtu=mtu)
        left.address("eth0", "192.0.2.1/24", "2001:db8::1/64")
        right.address("eth0", "192.0.2.2/24", "2001:db8::2/64")
        return left, right

    def pair(self, *, outside=4, psk=None, left=None, right=None, mtu=1500):
        """The whole drawing: two tunnels that know each other's addresses."""
        if left is None:
            left, right = self.linked_hosts(mtu)
        left = self.tunnel(left, LEFT_INSIDE, self.subject)
        right = self.tunnel(right, RIGHT_INSIDE, self.other)
        left.peer(right, endpoint=outside_endpoint(2, outside), psk=psk)
        right.peer(left, endpoint=outside_endpoint(1, outside), psk=psk)
        self.secrets += [psk] if psk else []
        return left, right

    def solo(self, *, outside=4, allowed=None, puppet_endpoint=True, daemon_options=None):
        """The drawing with a puppet on the right: (tunnel, puppet). No word is spoken yet."""
        left, right = self.linked_hosts()
        tunnel = self.tunnel(left, LEFT_INSIDE, self.subject, daemon_options=daemon_options)
        puppet = self.puppet(right, tunnel, outside=outside)
        tunnel.peer(puppet, allowed=allowed,
                    endpoint=outside_endpoint(2, outside) if puppet_endpoint else None)
        return tunnel, puppet

    def puppet(self, host, tunnel, *, addresses=RIGHT_INSIDE, outside=4, **options):
        to = (OUTSIDE6 if outside == 6 else OUTSIDE4).format(1)
        return Puppet(host, tunnel, to, addresses, **options)

    # --- to tell with -------------------------------------------------------------------------

    def note(self, text):
        """A figure worth showing beside the test's name."""
        self.notes.append(text)

    def finish(self):
        """Ends what still runs; every daemon must end cleanly, and have logged no key."""
        errors = []
        for daemon in self.daemons:
            try:
                daemon.finish()
            except AssertionError as error:
                errors.append(str(error))
        needles = [text.decode() for secret in self.secrets for text in memory.texts(secret)]
        errors += [f"a key is in {name}" for name, log in self.logs()
                   if any(needle in log for needle in needles)]
        if errors:
            raise AssertionError("; ".join(errors))

    def logs(self):
        """(name, text) of everything that was logged."""
        for name in sorted(os.listdir(self.log_dir)):
            if name.endswith(".log") or ".sanitizer" in name:
                with open(os.path.join(self.log_dir, name), errors="replace") as file:
                    yield name, file.read()


def outside_endpoint(number, family=4, port=51820):
    if family == 6:
        return f"[{OUTSIDE6.format(number)}]:{port}"
    return f"{OUTSIDE4.format(number)}:{port}"
