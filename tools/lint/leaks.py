"""The tree holds nothing of the machine that it was written on."""

import os
import re

BINARY = r"\.(png|svg|gz|xz|bin|pcap)$"
COMMON = {"/", "/root", "/home", "/tmp", "/var/tmp", "/opt", "/src", "/usr/src", "/builds"}


def check(tree):
    """no path of this machine"""
    patterns = [r"/home/[a-z]\w*/"]
    root = os.path.abspath(tree.root or "/")
    for folder in {root, os.path.dirname(root)} - COMMON:
        patterns.append(re.escape(folder) + r"(?![\w.-])")
    machine = re.compile("|".join(patterns))
    outside = re.compile(r"\.\./" + "shared")

    problems = []
    for path in tree.paths:
        if re.search(BINARY, path):
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if machine.search(line) or (outside.search(line) and not path.startswith(".ci/")):
                problems.append(f"{path}:{number}: a path outside the tree: {line.strip()[:80]}")
    return problems
