"""Runs a command as on a kernel that lacks something:

    lacking.py nftables|netfilter|ipv6 COMMAND...

Its sockets, and those of what it starts, are refused as such a kernel refuses them.
"""

import ctypes
import errno
import os
import socket
import struct
import sys

NETLINK_NETFILTER = 12
NFTABLES = (socket.AF_NETLINK, NETLINK_NETFILTER, errno.EPROTONOSUPPORT)
# What socket(2) is refused, by the values of its first and third argument, and with what. By raw sockets
# the old iptables interface is spoken.
LACKS = {"nftables": [NFTABLES],
         "netfilter": [NFTABLES, (socket.AF_INET, socket.IPPROTO_RAW, errno.EPROTONOSUPPORT),
                       (socket.AF_INET6, socket.IPPROTO_RAW, errno.EPROTONOSUPPORT)],
         "ipv6": [(socket.AF_INET6, None, errno.EAFNOSUPPORT)]}

SYS_SOCKET = {"x86_64": 41, "aarch64": 198}
PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS, SECCOMP_MODE_FILTER = 22, 38, 2
ALLOW, ERRNO = 0x7fff0000, 0x00050000
LOAD, EQUALS, RETURN = 0x20, 0x15, 0x06
CALL, FIRST, THIRD = 0, 16, 32  # offsets in struct seccomp_data


def program(family, protocol, error):
    tests = [(CALL, SYS_SOCKET[os.uname().machine]), (FIRST, family)]
    if protocol is not None:
        tests.append((THIRD, protocol))
    steps = []
    for number, (offset, value) in enumerate(tests):
        to_allow = 2 * (len(tests) - number - 1) + 1
        steps += [(LOAD, 0, 0, offset), (EQUALS, 0, to_allow, value)]
    return steps + [(RETURN, 0, 0, ERRNO | error), (RETURN, 0, 0, ALLOW)]


def refuse(family, protocol, error):
    code = b"".join(struct.pack("HBBI", *step) for step in program(family, protocol, error))
    buffer = ctypes.create_string_buffer(code)
    libc = ctypes.CDLL(None, use_errno=True)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
    filter_ = Program(len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    for lack in LACKS[sys.argv[1]]:
        refuse(*lack)
    os.execvp(sys.argv[2], sys.argv[2:])
