"""WG_TUN_FD from a network namespace that the daemon may not look into.

        left, outside              left, an ordinary user's own namespace          right
    ┌───────────────────┐          ┌──────────────────────┐                ┌───────────────┐
    │ ferruled, uid     │  WG_TUN_ │ wg0                  │                │ puppet        │
    │ 12345        ─────┼──── FD ──┤   10.10.0.1          │                │   10.10.0.2   │
    │     eth0   .1     ├──────────┼──────────────────────┼── 192.0.2.0/24 ┤ .2   eth0     │
    └───────────────────┘          └──────────────────────┘                └───────────────┘
"""

import os
import socket
import time

from lib.daemon import Implementation, read_reply
from lib.ordinary import SETPRIV, UID, Ordinary
from lib.process import cpu_seconds, status_text
from lib.registry import Skip, behaviour
from lib.tunnel import new_private_key
from lib.wait import PATIENCE, eventually
from test_environment import listen_uapi, open_tun

# Makes the interface in namespaces of its own, hands its descriptor out, and then does as it is told.
MAKER = """
import fcntl, os, socket, struct, subprocess, sys
tun = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH22x", b"wg0", 0x1 | 0x1000 | 0x4000))
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
socket.send_fds(link, [b"x"], [tun])
os.close(tun)
for line in link.makefile():
    done = subprocess.run(line, shell=True, capture_output=True, text=True)
    link.sendall(f"{done.returncode} {(done.stdout + done.stderr)[-200:]!r}\\n".encode())
"""


class FarTun:
    def __init__(self, user):
        self.path = f"{user.home}/maker"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(user.host.path(self.path))
        os.chown(user.host.path(self.path), UID, UID)
        listener.listen(1)
        listener.settimeout(10 * PATIENCE)
        self.maker = user.spawn(["unshare", "-Urn", "/usr/bin/python3", "-c", MAKER, self.path],
                                log_name="maker.log")
        self.link, _ = listener.accept()
        self.link.settimeout(10 * PATIENCE)
        _, (self.fd,), _, _ = socket.recv_fds(self.link, 1, 1)
        self.lines = self.link.makefile()

    def run(self, command, check=True):
        self.link.sendall(f"{command}\n".encode())
        status, _, text = self.lines.readline().partition(" ")
        assert status == "0" or not check, f"{command}: {text}"
        return status == "0"


class FarTunnel:
    """Enough of a tunnel for a puppet."""
    name, port, addresses, inside4 = "wg0", 51820, ("10.10.0.1/24",), "10.10.0.1"

    def __init__(self, scene, env=None):
        if PATIENCE != 1:
            raise Skip("a sanitizer must be able to write its reports")
        self.host, right = scene.linked_hosts()
        self.user = Ordinary(self.host, scene.build_dir)
        self.tun = FarTun(self.user)
        listener = listen_uapi(self.host)
        fds = (self.tun.fd, listener.fileno())
        self.daemon = scene.daemon(
            self.host, Implementation("ferrule", f"{self.user.bin}/ferruled"), through=SETPRIV,
            pass_fds=fds,
            env={"WG_TUN_FD": str(fds[0]), "WG_UAPI_FD": str(fds[1]), **(env or {})})
        os.close(self.tun.fd)
        listener.close()
        self.private_key = new_private_key()
        self.public_key = self.private_key.public
        self.puppet = scene.puppet(right, self)
        reply = self.daemon.uapi(
            f"set=1\nprivate_key={self.private_key.hex()}\nlisten_port={self.port}\n"
            f"public_key={self.puppet.public_key.hex()}\nendpoint=192.0.2.2:51820\n"
            "allowed_ip=10.10.0.2/32\n\n")
        assert "errno=0" in reply, reply

    def up(self, mtu=1420):
        self.tun.run(f"ip addr add 10.10.0.1/24 dev wg0 && ip link set wg0 mtu {mtu} up")
        eventually(lambda: not self.host.is_udp_closed(self.port), "it follows the interface up")


NOT_GO = {"unlike_go": "asks the namespace that it runs in"}


@behaviour(**NOT_GO)
def test_a_far_interface_carries_packets(scene):
    tunnel = FarTunnel(scene)
    tunnel.up()
    tunnel.puppet.connect()
    assert tunnel.puppet.pings(tunnel)
    assert status_text(tunnel.daemon.pid, "Uid").split() == [str(UID)] * 4
    assert status_text(tunnel.daemon.pid, "Seccomp") == "2", "no sandbox"


# Nobody tells of it; and an idle daemon sleeps all the same.

@behaviour(**NOT_GO)
def test_a_far_interface_is_followed_down_and_up(scene):
    tunnel = FarTunnel(scene)
    for _ in range(2):
        tunnel.up()
        tunnel.tun.run("ip link set wg0 down")
        tunnel.tun.run("ip addr flush dev wg0")
        eventually(lambda: tunnel.host.is_udp_closed(tunnel.port), "it follows the interface down")
    before = cpu_seconds(tunnel.daemon.pid)
    time.sleep(3)
    assert cpu_seconds(tunnel.daemon.pid) - before <= 0.02


@behaviour(**NOT_GO)
def test_the_daemon_ends_with_a_far_interface(scene):
    tunnel = FarTunnel(scene)
    tunnel.up()
    tunnel.tun.run("ip link delete wg0")
    assert tunnel.daemon.process.wait() == 0


# Data is padded to 16 bytes, but never beyond the MTU, which only whoever made the interface knows.

def padded_size(scene, env):
    tunnel = FarTunnel(scene, env)
    tunnel.up(mtu=1401)
    tunnel.puppet.connect()
    tunnel.tun.run("ping -c 1 -W 1 -M do -s 1373 10.10.0.2", check=False)
    return len(tunnel.puppet.receive_inner())


@behaviour(**NOT_GO)
def test_WG_TUN_MTU_tells_a_far_interfaces_mtu(scene):
    assert padded_size(scene, {"WG_TUN_MTU": "1401"}) == 1401


@behaviour(**NOT_GO)
def test_a_far_interfaces_mtu_is_guessed_untold(scene):
    assert padded_size(scene, {}) == 1408


@behaviour(**NOT_GO)
def test_WG_TUN_MTU_must_be_an_mtu(scene):
    host = scene.host("left")
    for text in ("67", "65536", "1420x", "-1"):
        result = host.run([scene.subject.path, "-f", "wg0"], check=False, timeout_s=10,
                          env={"WG_TUN_MTU": text})
        assert result.returncode == 1 and f"WG_TUN_MTU={text}" in result.stderr, result.stderr


# The socket of another daemon, whose interface has the same name, is none of ours.

@behaviour(**NOT_GO)
def test_anothers_socket_is_left_alone(scene):
    host = scene.host("left")
    other = scene.daemon(host)
    far = scene.host("right")
    tun, listener = open_tun(far), listen_uapi(host, "/run/elsewhere.sock")
    fds = (tun, listener.fileno())
    process = host.spawn([scene.subject.path, "-f", "wg0"], log_name="second.log", pass_fds=fds,
                         env={"WG_TUN_FD": str(tun), "WG_UAPI_FD": str(listener.fileno())})
    os.close(tun)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(host.path("/run/elsewhere.sock"))
        connection.sendall(b"get=1\n\n")
        assert "errno=0" in read_reply(connection)
    assert process.stop() == 0
    assert host.exists("/run/wireguard/wg0.sock") and other.running()
