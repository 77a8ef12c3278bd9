"""Runs a command as on a kernel that lacks something:

    lacking.py netfilter|ipv6 COMMAND...

Its sockets, and those of what it starts, are refused as such a kernel refuses them.
"""

import ctypes
import errno
import os
import socket
import struct
import sys

# What socket(2) is refused, by the values of its first and third argument, and with what.
LACKS = {"netfilter": (socket.AF_NETLINK, 12, errno.EPROTONOSUPPORT),
         "ipv6": (socket.AF_INET6, None, errno.EAFNOSUPPORT)}

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


def refuse(what):
    code = b"".join(struct.pack("HBBI", *step) for step in program(*LACKS[what]))
    buffer = ctypes.create_string_buffer(code)
    libc = ctypes.CDLL(None, use_errno=True)

    class Program(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("steps", ctypes.c_void_p)]
    filter_ = Program(len(code) // 8, ctypes.addressof(buffer))
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 or \
            libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filter_), 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "seccomp")


if __name__ == "__main__":
    refuse(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
