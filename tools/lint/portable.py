"""Portable folders speak of no system: what differs from one to another stands behind an interface of
src/io/, and is named there by what it is for."""

import re

from tree import CPP, CPP_TEST, code_only, line_of

# Folders of systems (linux/ and so on) are what the rest is kept free of; memory/ is no system.
SYSTEM = r"(?:linux|bsd|windows|posix)/"
PORTABLE = r"^src/(core|engine|service|ffi|io)/(?!.*\b" + SYSTEM + ").*" + CPP
WORDS = {
    # As in errno.h; not every word of capitals that begins with an E.
    "an errno": r"\b(?:errno|E(?:2BIG|ACCES|ADDRINUSE|ADDRNOTAVAIL|AGAIN|ALREADY|BADF|BADFD|BUSY|CANCELED"
                r"|CONNREFUSED|CONNRESET|DESTADDRREQ|EXIST|FAULT|FBIG|HOSTUNREACH|ILSEQ|INPROGRESS|INTR"
                r"|INVAL|IO|ISCONN|MFILE|MSGSIZE|NAMETOOLONG|NETDOWN|NETUNREACH|NFILE|NOBUFS|NODEV"
                r"|NOENT|NOMEM|NOSPC|NOSYS|NOTCONN|NOTDIR|NOTSUP|NXIO|OPNOTSUPP|PERM|PIPE|PROTO|RANGE"
                r"|TIMEDOUT|WOULDBLOCK))\b",
    "epoll": r"\w*[Ee]poll_?\w*|\bEPOLL\w+",
    "a descriptor": r"\b(?:\w+_)?fds?_?\b|\w*poll_fd\w*|\bUniqueFd\b|\bEventFd\b|\bTimerFd\b",
    "pthreads": r"\bpthread_\w+",
    # As compilers and C libraries call themselves and what they are for.
    "a system": r"\b(?:_?WIN(?:32|64)|__(?:linux|gnu_linux|unix|APPLE|MACH|ANDROID|CYGWIN|MUSL|Fuchsia)(?:__)?"
                r"|__(?:Free|Open|Net)BSD__|__MINGW\w+|__GLIBC\w*|__BIONIC__|TARGET_OS_\w+|_MSC_VER)\b",
    "a socket option": r"\bSO_\w+|\bset_mark\b|\b[gs]etsockopt\b",
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"((?:\w+/)+' + SYSTEM + r'[^"]+)"', re.MULTILINE)


def check(tree):
    """portable folders name no system, and no system's errno, epoll, descriptors, pthreads or socket options"""
    problems = []
    for path in tree.matching(PORTABLE):
        if re.search(CPP_TEST, path):
            continue
        code = code_only(tree.text(path))
        for what, pattern in WORDS.items():
            for match in re.finditer(pattern, code):
                problems.append(f"{path}:{line_of(code, match.start())}: {what} in a portable folder: "
                                f"{match.group().strip()}; put it behind an interface of src/io/ "
                                f"(poller.h, udp.h, ...), or say it as std::errc does")
        for match in INCLUDE.finditer(tree.text(path)):
            problems.append(f"{path}:{line_of(tree.text(path), match.start(1))}: includes {match[1]}, "
                            f"a system's; include what declares it for all of them")
    return problems
