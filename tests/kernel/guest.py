"""A virtual machine with the kernel's WireGuard, at the other end of a cable to a host.

    left, a namespace                      right, the machine
    ┌───────────────┐                      ┌───────────────┐
    │ wg0, ferruled │                      │ wg0, kernel   │
    │   10.10.0.1   │                      │   10.10.0.2   │
    │   fd10::1     │      192.0.2.0/24    │   fd10::2     │
    │               │    2001:db8::/64     │               │
    │     eth0   .1 ├──────────────────────┤ .2   eth0     │
    │   control     ├──────────────────────┤      eth1     │
    └───────────────┘                      └───────────────┘

Its console, where the kernel's WireGuard tells what it does, is a log of the test.
"""

import os
import socket

from lib.registry import Skip
from lib.scene import LEFT_INSIDE, RIGHT_INSIDE, outside_endpoint
from lib.tunnel import Tunnel
from lib.wait import PATIENCE, eventually

import image

CONTROL = ("198.51.100.2", 23)
BOOT_S = 60


class Guest:
    """Looks to a test as a Host does, as far as a Tunnel needs it. With `can_hurry`, time passes in it
    by the instructions that it executes, and as elsewhere while it has none."""

    name = "guest"

    def __init__(self, scene, host, can_hurry=False, kernel=image.STOCK, cpus=1):
        if reason := kernel.missing():
            raise Skip(reason)
        self.host = host
        self.kernel = kernel
        self.console = os.path.join(scene.log_dir, "guest-console.log")
        for tap in ("eth0", "control"):
            host.run(f"ip tuntap add {tap} mode tap")
            host.run(f"ip link set {tap} up")
        host.address("eth0", "192.0.2.1/24", "2001:db8::1/64")
        host.address("control", "198.51.100.1/24")
        self.process = host.spawn(self._qemu(can_hurry, cpus), log_name="qemu.log")
        eventually(self._answers, "the machine boots", BOOT_S, every_s=0.2)
        self.run("ip addr add 192.0.2.2/24 dev eth0; ip addr add 2001:db8::2/64 dev eth0 nodad; "
                 "ip link set eth0 up")

    def _qemu(self, can_hurry, cpus):
        # Executing is several times faster than 2^6 ns an instruction.
        pace = "-accel tcg,thread=single -icount shift=6" if can_hurry else "-accel tcg,thread=multi"
        argv = (f"qemu-system-x86_64 -M pc {pace} -cpu max -smp {cpus} -m 192 -display none "
                "-nodefaults -no-reboot").split()
        argv += ["-kernel", self.kernel.vmlinux, "-initrd", self.kernel.initramfs,
                 "-append", "console=ttyS0 panic=-1", "-serial", f"file:{self.console}"]
        for number, tap in enumerate(("eth0", "control")):
            argv += ["-netdev", f"tap,id=n{number},ifname={tap},script=no,downscript=no",
                     "-device", f"virtio-net-pci,netdev=n{number},romfile="]
        return argv

    def _answers(self):
        assert self.process.running(), f"qemu ended: {self.process.log()}"
        try:
            self.run("true", timeout_s=2)
            return True
        except OSError:
            return False

    # --- as a Host ----------------------------------------------------------------------------

    def run(self, command, *, input=None, check=True, timeout_s=30):
        """Runs a shell command in the machine; returns its output, errors among it."""
        if input is not None:
            command = f"{command} <<'END_OF_INPUT'\n{input.rstrip()}\nEND_OF_INPUT"
        with self.host.inside():
            connection = socket.create_connection(CONTROL, timeout_s * PATIENCE)
        with connection:
            connection.sendall(f"ip() {{ /sbin/ip \"$@\"; }}\n(\n{command}\n)\necho \"status $?\"\nexit\n".encode())
            connection.shutdown(socket.SHUT_WR)
            reply = b""
            while chunk := connection.recv(65536):
                reply += chunk
        output, _, status = reply.decode().rpartition("status ")
        if status.strip() != "0" and check:
            raise AssertionError(f"guest: `{command}` ended with {status.strip()}: {output.strip()}")
        return output

    def out(self, command, **options):
        return self.run(command, **options).strip()

    def address(self, interface, *addresses):
        for address in addresses:
            self.run(f"ip addr add {address} dev {interface}")

    def ping(self, address, count=1):
        """Whether the machine has an answer from `address`."""
        program = "ping6" if ":" in address else "ping"
        return ", 0% packet loss" in self.run(f"{program} -q -c {count} -W 2 {address}", check=False)

    def log(self):
        with open(self.console, errors="replace") as file:
            return file.read()

    def hurry(self, seconds):
        """Lets so much time pass in the machine, in a fraction of it: keeps it busy."""
        self.run(f"end=$(($(cut -d. -f1 /proc/uptime) + {seconds + 1}))\n"
                 "while read -r now _ </proc/uptime && [ ${now%.*} -lt $end ]; do :; done",
                 timeout_s=seconds)

    def says(self, text, timeout_s=10):
        """Waits until the kernel has said `text` on its console."""
        eventually(lambda: text in self.log(), f"the kernel says {text!r}", timeout_s)


class KernelTunnel(Tunnel):
    """A WireGuard interface of the kernel's."""

    def start(self):
        self.known = set()
        self.host.run(f"ip link add {self.name} type wireguard")
        self.set(f"listen-port {self.port} private-key /dev/stdin", input=f"{self.private_key}\n")
        self.host.address(self.name, *self.addresses)
        self.host.run(f"ip link set {self.name} up")


def machines(scene, **options):
    """The host and the machine of the drawing, with the cables, without tunnels."""
    host = scene.host("left")
    return host, Guest(scene, host, **options)


def tunnels(scene, host, guest, *, psk=None, outside=4, number=0, daemon_options=None):
    """Ferrule's tunnel and the kernel's, which know each other's addresses. `number` tells several
    pairs between the same machines apart."""
    options = {"name": f"wg{number}", "port": 51820 + number}

    def inside(addresses):
        return [a.replace("10.10.0.", f"10.1{number}.0.").replace("fd10::", f"fd1{number}::")
                for a in addresses]

    ours = scene.tunnel(host, inside(LEFT_INSIDE), daemon_options=daemon_options, **options)
    theirs = KernelTunnel(guest, None, inside(RIGHT_INSIDE), **options)
    scene.secrets.append(theirs.private_key)
    port = 51820 + number
    ours.peer(theirs, endpoint=outside_endpoint(2, outside, port), psk=psk)
    theirs.peer(ours, endpoint=outside_endpoint(1, outside, port), psk=psk)
    return ours, theirs


def pair(scene, kernel=image.STOCK, **options):
    """The whole drawing: (ours, theirs), which have not spoken yet."""
    host, guest = machines(scene, kernel=kernel)
    return tunnels(scene, host, guest, **options)
