"""What the daemon has given up once it runs (docs/operations.md, "Sandbox"). Every other test runs
inside the sandbox too, so that what it must still be able to do is shown all over the suite."""

import os
import shutil

from lib.daemon import Implementation
from lib.process import status_text
from lib.registry import Skip, behaviour
from lib.wait import PATIENCE, eventually
from test_environment import listen_uapi, open_tun

NET_BIND_SERVICE, NET_ADMIN, IPC_LOCK = 1 << 10, 1 << 12, 1 << 14
KEPT = NET_BIND_SERVICE | NET_ADMIN | IPC_LOCK
CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def capabilities(task):
    return {name: int(status_text(task, name), 16) for name in CAPABILITIES}


def tasks(daemon):
    """Every thread of it, as a path below /proc."""
    return [f"{daemon.pid}/task/{thread}" for thread in os.listdir(f"/proc/{daemon.pid}/task")]


def sandboxed(scene):
    """A tunnel that carries data, so that all threads run."""
    if PATIENCE != 1:
        raise Skip("sanitizers leave the sandbox out")
    tunnel, puppet = scene.solo()
    puppet.connect()
    assert puppet.pings(tunnel)
    assert len(tasks(tunnel.daemon)) > 1, "no lane runs"
    return tunnel, puppet


@behaviour(unlike_go="has no sandbox")
def test_no_thread_has_a_capability_that_it_does_not_use(scene):
    tunnel, _ = sandboxed(scene)
    for task in tasks(tunnel.daemon):
        expected = {"CapInh": 0, "CapPrm": KEPT, "CapEff": KEPT, "CapBnd": KEPT, "CapAmb": 0}
        assert capabilities(task) == expected, f"{task}: {capabilities(task)}"


@behaviour(unlike_go="has no sandbox")
def test_every_thread_has_a_list_of_allowed_calls(scene):
    tunnel, _ = sandboxed(scene)
    for task in tasks(tunnel.daemon):
        assert status_text(task, "Seccomp") == "2", "no filter"
        assert status_text(task, "NoNewPrivs") == "1", "privileges could be gained"


@behaviour(unlike_go="leaves that to its surroundings")
def test_no_core_is_dumped(scene):
    tunnel, _ = sandboxed(scene)
    with open(f"/proc/{tunnel.daemon.pid}/limits") as limits:
        line = next(line for line in limits if line.startswith("Max core file size"))
    assert line.split()[4:6] == ["0", "0"], line


# Two of the capabilities that are left are for these.

@behaviour(unlike_go="has no sandbox")
def test_a_privileged_port_and_a_mark_can_still_be_set(scene):
    tunnel, _ = sandboxed(scene)
    tunnel.set("listen-port 443 fwmark 0x2a")
    assert 443 in tunnel.host.udp_ports()
    assert tunnel.wg("show", "fwmark") == "0x2a"


@behaviour(unlike_go="has no sandbox")
def test_no_sandbox_leaves_it_out(scene):
    daemon = scene.daemon(scene.host("left"), arguments=("-f", "--no-sandbox"))
    assert status_text(daemon.pid, "Seccomp") == status_text("self", "Seccomp")
    assert capabilities(daemon.pid)["CapEff"] == capabilities("self")["CapEff"]


# With an interface and a socket that root has made, it needs no privilege at all.

UNPRIVILEGED = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all",
                "--bounding-set=-all", "--no-new-privs")


@behaviour(unlike_go="opens netlink groups and files that need more")
def test_passed_descriptors_make_an_unprivileged_daemon(scene):
    if PATIENCE != 1:
        raise Skip("a sanitizer must be able to write its reports")
    left, right = scene.linked_hosts()
    program = left.path("/run/ferruled")            # where anybody may run it
    shutil.copy(scene.subject.path, program)
    os.chmod(program, 0o755)
    tun, listener = open_tun(left), listen_uapi(left)
    options = {"through": UNPRIVILEGED, "pass_fds": (tun, listener.fileno()),
               "env": {"WG_TUN_FD": str(tun), "WG_UAPI_FD": str(listener.fileno())}}
    unprivileged = Implementation("ferrule", "/run/ferruled")
    tunnel = scene.tunnel(left, ("10.10.0.1/24",), unprivileged, daemon_options=options)
    os.close(tun)
    listener.close()
    puppet = scene.puppet(right, tunnel)
    tunnel.peer(puppet)
    puppet.connect()
    assert puppet.pings(tunnel)
    assert status_text(tunnel.daemon.pid, "Uid").split() == ["65534"] * 4
    assert not any(capabilities(tunnel.daemon.pid).values())
    left.run("ip link set wg0 down")
    eventually(lambda: left.is_udp_closed(tunnel.port), "it follows the interface")
