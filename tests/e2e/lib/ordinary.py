"""An ordinary user of a host: no capability, no group, and /dev/net/tun as ordinary distributions
have it."""

import os
import shutil

UID = 12345
SETPRIV = ("setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups", "--inh-caps=-all",
           "--bounding-set=-all")


class Ordinary:
    def __init__(self, host, build_dir, tun_mode=0o666):
        self.host = host
        self.home = "/run/ordinary"
        self.bin = "/run/bin"
        os.makedirs(host.path(self.home))
        os.chown(host.path(self.home), UID, UID)
        os.makedirs(host.path(self.bin))
        for name in ("ferruled", "ferrule"):
            if os.path.exists(os.path.join(build_dir, name)):
                shutil.copy(os.path.join(build_dir, name), host.path(self.bin))
                os.chmod(host.path(f"{self.bin}/{name}"), 0o755)
        host.run("mknod /run/tun c 10 200")
        os.chmod(host.path("/run/tun"), tun_mode)
        host.run("mount --bind /run/tun /dev/net/tun")

    def environment(self, extra=None):
        return {"HOME": self.home, "TMPDIR": self.home, "XDG_RUNTIME_DIR": self.home,
                "PATH": f"{self.bin}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", **(extra or {})}

    def run(self, command, **options):
        words, _ = self.host.argv(command)
        env = self.environment(options.pop("env", None))
        return self.host.run([*SETPRIV, *words], env=env, **options)

    def out(self, command, **options):
        return self.run(command, **options).stdout.strip()

    def spawn(self, command, *, log_name, env=None, pass_fds=()):
        words, _ = self.host.argv(command)
        return self.host.spawn([*SETPRIV, *words], log_name=log_name, env=self.environment(env),
                               pass_fds=pass_fds)

    def write(self, name, text, mode=0o600):
        """A file of the user's; returns its path."""
        path = f"{self.home}/{name}"
        self.host.write(path, text)
        os.chown(self.host.path(path), UID, UID)
        os.chmod(self.host.path(path), mode)
        return path
