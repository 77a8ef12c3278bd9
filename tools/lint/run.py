#!/usr/bin/env python3
"""Runs the lint checks: every `check*` function of the modules here. Each is a test; its first
line of documentation is its name.

The last line of output is `N passed, N failed, N skipped`.
"""

import argparse
import os
import sys
import unittest

import abi
import constants
import format as formatting
import includes
import leaks
import links
import mutants
import portable
import printing
import purity
import rules
import sizes
from tree import Skip, Tree

MODULES = [includes, purity, portable, printing, abi, sizes, constants, rules, leaks, links, mutants,
           formatting]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SHOWN = 30


def checks():
    for module in MODULES:
        for name, function in vars(module).items():
            if name.startswith("check"):
                yield f"{module.__name__}: {function.__doc__.strip()}", function


def self_test(_):
    """The checks find what they look for."""
    suite = unittest.defaultTestLoader.discover(os.path.dirname(__file__), "*_test.py")
    result = unittest.TestResult()
    suite.run(result)
    if not result.testsRun:
        return ["the checks have no tests"]
    return [f"{test.id()}: {text.strip().splitlines()[-1]}"
            for test, text in result.failures + result.errors]


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--filter", default="", help="only checks whose name contains this")
    parser.add_argument("--fix", action="store_true",
                        help="first bring docs/protocol.md up to date with the tests")
    options = parser.parse_args()
    if options.fix:
        sys.argv[1:] = ["--write"]
        rules.main()

    tree = Tree(ROOT)
    passed = failed = skipped = 0
    for name, check in [("self-test: the checks find what they look for", self_test), *checks()]:
        if options.filter not in name:
            continue
        try:
            problems = check(tree)
        except Skip as reason:
            skipped += 1
            print(f"skip lint {name}: {reason}")
            continue
        passed, failed = passed + (not problems), failed + bool(problems)
        print(f"{'FAIL' if problems else 'ok  '} lint {name}")
        for problem in problems[:SHOWN]:
            print(f"  {problem}")
        if len(problems) > SHOWN:
            print(f"  ... and {len(problems) - SHOWN} more")
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
