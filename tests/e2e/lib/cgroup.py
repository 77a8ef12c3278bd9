"""A control group that a daemon is started in: what a container or a service may be limited by.

    with Group(host, "cpu") as group:
        group.limit_cpu(0.5)
        scene.daemon(host, through=group.through)
"""

import ctypes
import os
import struct

from .registry import Skip
from .wait import eventually

PLACE = "/run/cgroup"

# bpf(2)
BPF_CALL = {"x86_64": 321, "aarch64": 280}
PROG_LOAD, PROG_ATTACH = 5, 8
PROG_TYPE_CGROUP_DEVICE, ATTACH_CGROUP_DEVICE = 15, 6
RETURN_0 = struct.pack("<BBhi", 0xb7, 0, 0, 0) + struct.pack("<BBhi", 0x95, 0, 0, 0)

_libc = ctypes.CDLL(None, use_errno=True)


class Group:
    """In version 2 of control groups where that has the controller, else in version 1; `controller`
    may be none, for devices. Skips the test where neither can be had."""

    def __init__(self, host, controller=None):
        self.host = host
        host.run(f"mkdir -p {PLACE}")
        self.version = self._mount(controller)
        self.path = f"{PLACE}/ferrule-{os.getpid()}"
        if host.run(["mkdir", self.path], check=False).returncode:
            raise Skip("control groups can't be made here")
        self.through = ("sh", "-c", f'echo $$ >{self.path}/cgroup.procs && exec "$@"', "sh")

    def _mount(self, controller):
        if not self.host.run(f"mount -t cgroup2 cgroup2 {PLACE}", check=False).returncode:
            if controller is None or self._can_enable(controller):
                return 2
            self.host.run(f"umount {PLACE}")
        if controller is None or self.host.run(
                f"mount -t cgroup -o {controller} cgroup {PLACE}", check=False).returncode:
            raise Skip(f"no control groups with {controller or 'version 2'} here")
        return 1

    def _can_enable(self, controller):
        if controller not in self.host.out(f"cat {PLACE}/cgroup.controllers").split():
            return False
        enable = f"echo +{controller} >{PLACE}/cgroup.subtree_control"
        return self.host.run(["sh", "-c", enable], check=False).returncode == 0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        eventually(lambda: not self.host.run(["rmdir", self.path], check=False).returncode,
                   "the control group is empty, and goes")

    def limit_cpu(self, cpus):
        period_us = 100_000
        quota_us = int(cpus * period_us)
        if self.version == 2:
            self.host.write(f"{self.path}/cpu.max", f"{quota_us} {period_us}")
        else:
            self.host.write(f"{self.path}/cpu.cfs_period_us", f"{period_us}")
            self.host.write(f"{self.path}/cpu.cfs_quota_us", f"{quota_us}")

    def refuse_devices(self):
        """Nothing in the group may open a device any more, as in a container that was given none."""
        instructions, license_text = ctypes.create_string_buffer(RETURN_0), ctypes.create_string_buffer(b"GPL")
        program = _bpf(PROG_LOAD, struct.pack(
            "<IIQQ", PROG_TYPE_CGROUP_DEVICE, len(RETURN_0) // 8, ctypes.addressof(instructions),
            ctypes.addressof(license_text)) + bytes(104))
        group = os.open(self.host.path(self.path), os.O_RDONLY | os.O_DIRECTORY)
        try:
            _bpf(PROG_ATTACH, struct.pack("<IIII", group, program, ATTACH_CGROUP_DEVICE, 0) + bytes(16))
        finally:
            os.close(group)
            os.close(program)


def _bpf(command, attributes):
    number = BPF_CALL.get(os.uname().machine)
    buffer = ctypes.create_string_buffer(attributes, len(attributes))
    result = _libc.syscall(number, command, buffer, len(attributes)) if number else -1
    if result < 0:
        raise Skip("programs for control groups can't be loaded here")
    return result
