"""Includes go in one direction: each folder may use only the folders and libraries named here."""

import re

from tree import CPP, CPP_TEST

FOLDERS = {
    "base": [],
    "crypto": ["base"],
    "packet": ["base"],
    "protocol": ["base", "crypto", "packet"],
    "io": ["base", "packet"],
    "control": ["base", "protocol/configuration.h", "protocol/constants.h"],
    "engine": ["base", "crypto", "packet", "protocol", "io", "control"],
    "daemon": ["base", "crypto", "packet", "protocol", "io", "control", "engine"],
    "cli": ["base", "crypto", "packet", "protocol", "io", "control", "engine"],
}

# Headers of libraries, and who may include them.
LIBRARIES = {
    r"openssl/|sodium": ["crypto"],
    r"libmnl/": ["io", "cli"],
    r"nftables/": ["cli"],
    r"fmt/": ["control", "engine", "daemon", "cli"],
    r"CLI/": ["daemon", "cli"],
    r"seccomp": ["daemon"],
    r"qrencode|png": ["cli"],
    r"g(test|mock)/|nlohmann/|benchmark/": [],
}
TEST_LIBRARIES = r"g(test|mock)/|nlohmann/|fmt/"
GENERATED = {"base/version.h"}

INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^>"]+)[>"]', re.MULTILINE)


def check(tree):
    """includes go the right way, and headers say #pragma once"""
    problems = []
    for path in tree.matching("^src/.*" + CPP):
        text = tree.text(path)
        folder = path.split("/")[1]
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            problem = (own(tree, folder, match[2]) if match[1] == '"'
                       else library(folder, match[2], re.search(CPP_TEST, path)))
            if problem:
                problems.append(f"{path}:{line}: {problem}")
        if path.endswith(".h") and "\n#pragma once\n" not in "\n" + text:
            problems.append(f"{path}:1: a header without #pragma once")
    return problems


def own(tree, folder, target):
    if target not in GENERATED and f"src/{target}" not in tree.paths:
        return f'there is no src/{target}; includes with "" start at src/'
    allowed = [folder, *FOLDERS.get(folder, [])]
    if target.split("/")[0] in allowed or target in allowed:
        return None
    return f"{folder} may not include {target}; it may use: {', '.join(allowed)}"


def library(folder, target, is_test):
    if is_test and re.match(TEST_LIBRARIES, target):
        return None
    for pattern, folders in LIBRARIES.items():
        if re.match(pattern, target) and folder not in folders:
            return f"{folder} may not include <{target}>; see tools/lint/includes.py"
    return None
