"""Includes go in one direction: each folder may use only the folders and libraries named here."""

import re

from tree import CPP, CPP_TEST

FOLDERS = {
    "base": [],
    "crypto": ["base"],
    "packet": ["base"],
    "protocol": ["base", "crypto", "packet"],
    "io": ["base", "packet"],
    "netstack": ["base", "packet", "io", "control"],
    "stack": ["base", "crypto", "packet", "io", "netstack"],
    "proxy": ["base", "crypto", "io", "control", "netstack"],
    "control": ["base", "crypto/blake2s.h", "protocol/configuration.h", "protocol/constants.h"],
    "tunnel": ["base", "crypto", "packet", "protocol", "control"],
    "ffi": ["base", "crypto", "protocol", "control", "tunnel"],
    "engine": ["base", "crypto", "packet", "protocol", "io", "control", "tunnel"],
    "service": ["base", "crypto", "packet", "protocol", "io", "control", "tunnel", "engine"],
    "daemon": ["base", "crypto", "packet", "protocol", "io", "control", "tunnel", "engine",
               "service"],
    "client": ["base", "crypto", "protocol", "control", "io"],
    "files": ["base", "crypto", "protocol", "control", "io", "client"],
    "quick": ["base", "crypto", "protocol", "control", "io", "client", "files"],
    "monitor": ["base", "crypto", "protocol", "control", "io", "client", "files"],
    "diagnosis": ["base", "crypto", "packet", "protocol", "control", "io", "client", "files",
                  "quick"],
    "cli": ["base", "crypto", "packet", "protocol", "control", "io", "client", "files", "quick",
            "monitor", "diagnosis", "netstack", "stack", "proxy"],
}

# The rooms of the tool.
TOOL = ("client", "files", "quick", "monitor", "diagnosis", "cli")

# Folders below src/core, which is libferrule and an include root of its own: `#include "base/net.h"`.
CORE = ("base", "crypto", "packet", "protocol", "control", "tunnel")

# Headers of libraries, and who may include them. One that is not here is refused.
LIBRARIES = {
    r"openssl/|sodium": ["crypto"],
    r"libmnl/": ["client"],
    r"nftables/": ["quick"],
    r"fmt/": ["control", "ffi", "netstack", "proxy", "engine", "service", *TOOL, "daemon"],
    r"CLI/": ["daemon", "cli"],
    r"nlohmann/": ["diagnosis", "cli"],
    r"lwip/|std(def|int)\.h$": ["stack"],  # the library, and its C
    r"seccomp": ["io", "daemon"],
    r"qrencode|png": ["cli"],
    r"microhttpd|ncurses": ["cli"],
    # What systems and compilers bring.
    r"\w+$": list(FOLDERS),  # the standard library
    r"immintrin\.h$": ["crypto", "packet"],
    r"arm_neon\.h$": ["crypto"],
    r"sys/random\.h$|(windows|bcrypt)\.h$": ["crypto", "io"],
    r"arpa/inet\.h$": ["io"],
    r"pthread\.h$|sys/epoll\.h$": ["io"],
    r"(linux|sys|net|netinet)/|(dirent|dlfcn|fcntl|ifaddrs|langinfo|malloc|netdb|poll|sched|signal|spawn|time"
    r"|unistd)\.h$": ["io", "netstack", "stack", "proxy", "daemon", *TOOL],
    r"g(test|mock)/|benchmark/": [],
}
TEST_LIBRARIES = (r"g(test|mock)/|nlohmann/|fmt/|valgrind/|sodium|(arpa|linux|net|netinet|sys)/"
                  r"|(fcntl|malloc|poll|ucontext|unistd)\.h$")
GENERATED = {"base/version.h"}
# The C ABI, which lies in include/, and who may include it.
PUBLIC = {"ferrule.h": ["ffi"]}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def check(tree):
    """includes go the right way, and headers say #pragma once"""
    problems = []
    for path in tree.matching("^src/.*" + CPP):
        text = tree.text(path)
        folder = room(path)
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            problem = (own(tree, folder, match[2]) if match[1] == '"'
                       else library(folder, match[2], re.search(CPP_TEST, path)))
            if problem:
                problems.append(f"{path}:{line}: {problem}")
        if path.endswith(".h") and "\n#pragma once\n" not in "\n" + text:
            problems.append(f"{path}:1: a header without #pragma once")
    return problems


def room(path):
    """The folder of src/, or of src/core/, that a file is in."""
    return re.sub(r"^src/(core/)?", "", path).split("/")[0]


def place(target):
    """Where the file of an include with "" is: it starts at src/ or at src/core/."""
    return f"src/core/{target}" if target.split("/")[0] in CORE else f"src/{target}"


def own(tree, folder, target):
    if target in PUBLIC:
        return None if folder in PUBLIC[target] else f"{folder} may not include {target}"
    if target not in GENERATED and place(target) not in tree.paths:
        return f'there is no {place(target)}; includes with "" start at src/ or src/core/'
    allowed = [folder, *FOLDERS.get(folder, [])]
    if target.split("/")[0] in allowed or target in allowed:
        return None
    return f"{folder} may not include {target}; it may use: {', '.join(allowed)}"


def library(folder, target, is_test):
    if is_test and re.match(TEST_LIBRARIES, target):
        return None
    allowed = [folders for pattern, folders in LIBRARIES.items() if re.match(pattern, target)]
    if any(folder in folders for folders in allowed):
        return None
    why = "may not include" if allowed else "includes an unknown library,"
    return f"{folder} {why} <{target}>; see tools/lint/includes.py"
