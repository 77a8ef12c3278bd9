"""One process tree in namespaces of its own.

The program that enters is process 1 of a new PID namespace, with a network and a mount namespace
of its own. When it ends, however it ends, the kernel ends every process in there, and with the
last of them go the interfaces, routes, firewall rules and mounts. So there is nothing to clean up
by hand, nothing that two runs could collide over, and no way to touch the machine's own network.
"""

import os
import shutil
import stat
import subprocess
import sys

INSIDE = "FERRULE_SANDBOX"

# Program, and the Debian package that has it.
TOOLS = {
    "unshare": "util-linux", "nsenter": "util-linux", "setpriv": "util-linux",
    "ip": "iproute2", "nft": "nftables", "ping": "iputils-ping", "wg": "wireguard-tools",
    "wg-quick": "wireguard-tools", "sysctl": "procps",
}

UNSHARE = ["setpriv", "--pdeathsig", "KILL",
           "unshare", "--pid", "--net", "--mount", "--fork", "--kill-child", "--mount-proc"]


def missing():
    """Why this machine can't hold a sandbox; None if it can."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces (try: sudo)"
    absent = sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)})
    if absent:
        return f"needs packages that are not installed: {' '.join(absent)}"
    try:
        is_device = stat.S_ISCHR(os.stat("/dev/net/tun").st_mode)
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        return f"needs /dev/net/tun: {error.strerror}"
    if not is_device:
        return "needs /dev/net/tun, which is not a device here"
    trial = subprocess.run(UNSHARE + ["true"], capture_output=True, text=True)
    if trial.returncode != 0:
        return f"needs to make namespaces: {trial.stderr.strip()}"
    return None


def command(argv):
    """`argv`, to be run as the first process of a new sandbox."""
    return UNSHARE + ["env", f"{INSIDE}=1"] + list(argv)


def inside():
    return INSIDE in os.environ


def enter():
    """Runs this very program again in a sandbox, unless it is in one; does not return then."""
    if inside():
        return
    sys.stdout.flush()
    argv = command([sys.executable] + sys.argv)
    os.execvp(argv[0], argv)
