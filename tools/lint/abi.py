"""The C ABI: what include/ferrule.h declares is what libferrule.so lets out."""

import re

HEADER = "include/ferrule.h"
SYMBOLS = "src/ffi/ferrule.map"


def check(tree):
    """each function of include/ferrule.h is in src/ffi/ferrule.map, and nothing else is"""
    if HEADER not in tree.paths:
        return []
    header = re.sub(r"/\*.*?\*/", "", tree.text(HEADER), flags=re.DOTALL)
    declared = set(re.findall(r"\b(ferrule_\w+)\(", header))
    let_out = re.findall(r"^\s+(\w+);", tree.text(SYMBOLS), re.MULTILINE)
    problems = [f"{SYMBOLS}: {name} is missing" for name in sorted(declared - set(let_out))]
    problems += [f"{SYMBOLS}: {name} is not in {HEADER}" for name in sorted(set(let_out) - declared)]
    if len(let_out) != len(set(let_out)):
        problems.append(f"{SYMBOLS}: a name stands there twice")
    return problems
