#!/usr/bin/env python3
"""docs/protocol.md lists the protocol's rules; each has a row there and a test named after it.

A test holds the rules that its name begins with: TEST(Replay, P43_DuplicateIsDropped) in C++,
def test_P73_no_route_is_answered in the end-to-end suite. The last column of the table comes from
these names: `tools/lint/rules.py --write` brings it up to date.
"""

import os
import re
import sys

from includes import place
from tree import Tree

DOCUMENT = "docs/protocol.md"
RULES = """
    P1 P2 P3 P4 P5 P6 P7 P10 P11 P12
    P20 P21 P22 P23 P24 P25 P26 P27 P28 P29 P30 P31 P32 P33 P34 P34a P35
    P40 P41 P42 P43 P44 P44a P45 P46
    P50 P51 P52 P53 P54 P55 P56 P57 P58 P59 P59a P60
    P70 P71 P72 P73 P73a P74 P75 P75a P75b P75c P75d P76 P76a P76b P76c P77 P78
    P80 P81 P82 P83 P84 P85 P85a P86 P90 P91 P100 P101 P101a P102 P103
""".split()

NAME = r"((?:P\d+[a-z]?_)+)(\w+)"
CPP_TEST = re.compile(r"^(?:TYPED_)?TEST(?:_F|_P)?\(\s*(\w+)\s*,\s*" + NAME + r"\s*\)", re.MULTILINE)
E2E_TEST = re.compile(r"^def test_" + NAME + r"\(", re.MULTILINE)
ROW = re.compile(r"^(\| (P\d+[a-z]?) \|[^|\n]*\|([^|\n]*)\|)[^|\n]*\|$", re.MULTILINE)
WHERE = re.compile(r"`([a-z]+(?:/\w+)+\.(?:h|cc))`|`(\w+)`")


def tests_by_rule(tree):
    """{rule: {(suite, path): [test]}}, from the names of the tests."""
    found = {}
    for path in tree.matching(r"_test\.cc$|^tests/e2e/.*\.py$"):
        suite = "e2e " + os.path.basename(path).removesuffix(".py").removeprefix("test_")
        pattern = CPP_TEST if path.endswith(".cc") else E2E_TEST
        for *cpp_suite, rules, fact in pattern.findall(tree.text(path)):
            for rule in rules.rstrip("_").split("_"):
                place = ((cpp_suite or [suite])[0], path)
                found.setdefault(rule, {}).setdefault(place, []).append(rules + fact)
    return found


def cell(places):
    """[Replay](../src/core/protocol/replay_test.cc), [e2e roaming](../tests/e2e/test_roaming.py)"""
    return ", ".join(f"[{suite}](../{path})" for suite, path in sorted(places))


def updated(document, found):
    """The document with its last column as it should be."""
    def replace(match):
        tests = cell(found.get(match[2], {}))
        return f"{match[1]} {tests} |" if tests else f"{match[1]} |"
    return ROW.sub(replace, document)


def check_rows(tree):
    """docs/protocol.md has one row a rule, and is up to date"""
    document = tree.text(DOCUMENT) if DOCUMENT in tree.paths else ""
    rows = [match[2] for match in ROW.finditer(document)]
    problems = [f"{DOCUMENT}: {rows.count(rule)} rows for {rule}"
                for rule in [*RULES, *sorted(set(rows) - set(RULES))]
                if rows.count(rule) != (rule in RULES)]
    if updated(document, tests_by_rule(tree)) != document:
        problems.append(f"{DOCUMENT}: the tests have changed: run tools/lint/rules.py --write")
    return problems


def check_places(tree):
    """docs/protocol.md names files and functions that exist"""
    document = tree.text(DOCUMENT) if DOCUMENT in tree.paths else ""
    problems = []
    for _, rule, where in ROW.findall(document):
        text = ""
        for file, name in WHERE.findall(where):
            path = place(file) if file else ""
            if file and path not in tree.paths:
                problems.append(f"{DOCUMENT}: {rule}: there is no {path}")
            text = tree.text(path) if file and path in tree.paths else "" if file else text
            if name and text and not re.search(rf"\b{name}\b", text):
                problems.append(f"{DOCUMENT}: {rule}: no {name} in the file before it")
    return problems


def check_tests(tree):
    """every rule has a test named after it"""
    found = tests_by_rule(tree)
    problems = [f"{rule}: no test begins its name with {rule}_" for rule in RULES
                if rule not in found]
    for rule in sorted(set(found) - set(RULES)):
        (suite, path), tests = next(iter(found[rule].items()))
        problems.append(f"{path}: {suite}.{tests[0]}: there is no rule {rule}")
    return problems


def main():
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if sys.argv[1:] != ["--write"]:
        sys.exit(__doc__)
    tree = Tree(root)
    document = updated(tree.text(DOCUMENT), tests_by_rule(tree))
    with open(os.path.join(root, DOCUMENT), "w", encoding="utf-8") as file:
        file.write(document)


if __name__ == "__main__":
    main()
