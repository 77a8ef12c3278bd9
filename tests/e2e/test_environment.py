"""The command line and the environment, as wireguard-go has them, so that wg-quick, scripts and
container images need no change."""

import fcntl
import os
import signal
import socket
import struct

from lib.daemon import answers_uapi
from lib.registry import behaviour
from lib.traffic import must_ping
from lib.wait import eventually

TUNSETIFF = 0x400454CA
IFF_TUN, IFF_NO_PI, IFF_VNET_HDR, IFF_MULTI_QUEUE = 0x1, 0x1000, 0x4000, 0x100
SOCKET = "/run/wireguard/wg0.sock"


def open_tun(host, name="wg0", flags=IFF_TUN | IFF_NO_PI):
    """A TUN device, as a service manager would open it for a daemon."""
    with host.inside():
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), flags))
    return fd


def listen_uapi(host, path=SOCKET):
    """A listening UAPI socket, likewise."""
    os.makedirs(os.path.dirname(host.path(path)), exist_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(host.path(path))
    listener.listen(16)
    return listener


# WG_TUN_FD: the device comes from whoever starts the daemon.

def check_tun_fd(scene, flags):
    left, right = scene.linked_hosts()
    fd = open_tun(left, flags=flags)
    tunnel = scene.tunnel(left, ("10.10.0.1/24",),
                          daemon_options={"env": {"WG_TUN_FD": str(fd)}, "pass_fds": (fd,)})
    os.close(fd)
    puppet = scene.puppet(right, tunnel)
    tunnel.peer(puppet)
    puppet.connect()
    assert puppet.pings(tunnel)


@behaviour(unlike_go="Debian's version takes devices with packet information only")
def test_WG_TUN_FD_is_used(scene):
    check_tun_fd(scene, IFF_TUN | IFF_NO_PI)


@behaviour(unlike_go="Debian's version takes devices with packet information only")
def test_WG_TUN_FD_with_vnet_headers_is_used(scene):
    check_tun_fd(scene, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR)


@behaviour(unlike_go="Debian's version takes devices with packet information only")
def test_WG_TUN_FD_with_queues_is_used(scene):
    check_tun_fd(scene, IFF_TUN | IFF_NO_PI | IFF_VNET_HDR | IFF_MULTI_QUEUE)


# The name of a passed device is its own; the command line only names what is to be made.

@behaviour
def test_WG_TUN_FD_keeps_its_name(scene):
    host = scene.host("left")
    fd = open_tun(host, "mytun")
    daemon = scene.daemon(host, interface="wg0", wait=False, pass_fds=(fd,),
                          env={"WG_TUN_FD": str(fd)})
    os.close(fd)
    eventually(lambda: answers_uapi(host, "mytun"), "the socket has the device's name")
    assert not host.has_link("wg0")
    assert daemon.running()


# WG_UAPI_FD: the socket, too, may come from outside.

@behaviour
def test_WG_UAPI_FD_is_used(scene):
    host = scene.host("left")
    tun, listener = open_tun(host), listen_uapi(host)
    fds = (tun, listener.fileno())
    daemon = scene.daemon(host, pass_fds=fds,
                          env={"WG_TUN_FD": str(fds[0]), "WG_UAPI_FD": str(fds[1])})
    os.close(tun)
    listener.close()
    assert "errno=0\n\n" in daemon.uapi("get=1\n\n")
    host.run("wg set wg0 listen-port 12345")
    assert host.out("wg show wg0 listen-port") == "12345"
    assert daemon.stop() == 0


# Descriptors that are none are an error, not a crash.

@behaviour
def test_bad_descriptors_are_refused(scene):
    host = scene.host("left")
    for env in ({"WG_TUN_FD": "nonsense"}, {"WG_TUN_FD": "77"}, {"WG_UAPI_FD": "nonsense"},
                {"WG_UAPI_FD": "77"}, {"WG_TUN_FD": "-1"}, {"WG_TUN_FD": "0"}):
        result = host.run([scene.subject.path, "-f", "wg0"], check=False, timeout_s=10, env=env)
        assert 0 < result.returncode < 128, f"{env}: status {result.returncode}"
    assert not host.has_link("wg0")


# WG_PROCESS_FOREGROUND=1 is -f in another way.

@behaviour
def test_WG_PROCESS_FOREGROUND_keeps_it_in_the_foreground(scene):
    host = scene.host("left")
    daemon = scene.daemon(host, arguments=(), env={"WG_PROCESS_FOREGROUND": "1"})
    assert daemon.running()
    assert daemon.stop() == 0


@behaviour
def test_long_option_foreground(scene):
    daemon = scene.daemon(scene.host("left"), arguments=("--foreground",))
    assert daemon.running()


# WG_TUN_NAME_FILE is macOS's way to tell a name that the system chose. It does no harm here, and
# what is written is the name.

@behaviour
def test_WG_TUN_NAME_FILE_does_no_harm(scene):
    host = scene.host("left")
    scene.daemon(host, env={"WG_TUN_NAME_FILE": "/run/name"})
    if host.exists("/run/name"):
        with open(host.path("/run/name")) as file:
            assert file.read().strip() == "wg0"


# LOG_LEVEL: silent says nothing, error little, verbose what happens.

def log_of_a_session(scene, level):
    tunnel, puppet = scene.solo(daemon_options={"env": {"LOG_LEVEL": level}})
    puppet.connect()
    assert puppet.pings(tunnel)
    tunnel.daemon.stop()
    log = tunnel.daemon.log()
    secrets = [str(tunnel.private_key), tunnel.private_key.hex(), puppet.private_key.hex()]
    assert not any(secret in log for secret in secrets), "a key is in the log"
    return "\n".join(line for line in log.splitlines() if line and line[0] not in "│┌└")


@behaviour
def test_LOG_LEVEL_silent_says_nothing(scene):
    assert log_of_a_session(scene, "silent") == ""


@behaviour
def test_LOG_LEVEL_error_says_nothing_when_all_is_well(scene):
    assert log_of_a_session(scene, "error") == ""


@behaviour
def test_LOG_LEVEL_verbose_tells_of_handshakes(scene):
    assert "handshake" in log_of_a_session(scene, "verbose").lower()


@behaviour
def test_LOG_LEVEL_debug_is_verbose(scene):
    assert "handshake" in log_of_a_session(scene, "debug").lower()


# Wrong usage is told, and nothing is left.

@behaviour(unlike_go="says how it is used, and calls that success")
def test_wrong_usage_is_told(scene):
    host = scene.host("left")
    for arguments in ([], ["-f"], ["-f", "wg0", "wg1"], ["--no-such-option", "wg0"]):
        result = host.run([scene.subject.path, *arguments], check=False, timeout_s=10)
        assert result.returncode != 0, arguments
        assert result.stderr + result.stdout, f"{arguments}: no word"
    assert not host.has_link("wg0") and not host.has_link("wg1")


@behaviour(unlike_go="lets the kernel cut the name")
def test_impossible_interface_names_are_refused(scene):
    host = scene.host("left")
    for name in ("a-name-that-is-too-long", "with/slash", "..", "", "with space"):
        result = host.run([scene.subject.path, "-f", name], check=False, timeout_s=10)
        assert 0 < result.returncode < 128, f"{name!r}: status {result.returncode}"
        assert result.stderr + result.stdout, f"{name!r}: no word"
    assert len(host.out("ip -br link").splitlines()) == 1, "an interface is left"


@behaviour
def test_version_is_told(scene):
    result = scene.host("left").run([scene.subject.path, "--version"])
    assert result.stdout.strip()


# The name in the process table is its own, whatever the path; it needs no terminal and no stdin.

@behaviour
def test_it_starts_without_stdin(scene):
    host = scene.host("left")
    host.run(["sh", "-c", f"exec <&- >&- 2>&-; exec {scene.subject.path} wg0"])
    assert answers_uapi(host, "wg0")
    assert host.has_link("wg0")
    os.unlink(host.path(SOCKET))
    eventually(lambda: not host.has_link("wg0"), "it ends with its socket")


# Several interfaces of one host live side by side.

@behaviour
def test_interfaces_live_side_by_side(scene):
    left, right = scene.linked_hosts()
    tunnels = []
    for number in (0, 1, 2):
        side = [scene.tunnel(host, (f"10.{20 + number}.0.{position}/24",), name=f"wg{number}",
                             port=51820 + number)
                for position, host in ((1, left), (2, right))]
        side[0].peer(side[1], endpoint=f"192.0.2.2:{51820 + number}")
        side[1].peer(side[0])
        tunnels.append(side)
    for ours, theirs in tunnels:
        must_ping(left, theirs.inside4)
    tunnels[1][0].daemon.process.send_signal(signal.SIGTERM)
    tunnels[1][0].daemon.process.wait()
    must_ping(left, tunnels[0][1].inside4)
    must_ping(left, tunnels[2][1].inside4)
