#!/usr/bin/env python3
"""Runs the parts of the test suite (lint, unit, e2e, kernel) and sums them up.

Each part is a program of its own that ends with the line `N passed, N failed[, N skipped]`, and
says why it skipped something in lines that begin with `skip`. So does this one.
"""

import argparse
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
E2E = os.path.join(ROOT, "tests", "e2e", "run.py")
SUMMARY = re.compile(r"(\d+) passed, (\d+) failed(?:, (\d+) skipped)?")


def command_of(part, options):
    python = [sys.executable, "-u"]
    if part == "lint":
        return [*python, os.path.join(ROOT, "tools", "lint", "run.py"),
                *(["--filter", options.filter] if options.filter else [])]
    if part == "unit":
        return [*python, os.path.join(ROOT, "tools", "unit_tests.py"),
                "--build-dir", options.build_dir,
                *(["--vectors", options.vectors] if options.vectors else []),
                *(["--filter", options.filter] if options.filter else [])]
    return [*python, E2E, "--build-dir", options.build_dir,
            *(["--kernel"] if part == "kernel" else []),
            *(["--second-look"] if options.second_look else []),
            *([options.filter] if options.filter else [])]


def run(command):
    """Runs a part, passing on its output but for what it skips. Returns (passed, failed, skipped)
    and the lines about skips."""
    counts, skips = None, []
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="replace") as process:
        for line in process.stdout:
            if re.match(r"skip\b", line, re.IGNORECASE):
                skips.append(line.rstrip())
                continue
            sys.stdout.write(line)
            sys.stdout.flush()
            match = SUMMARY.fullmatch(line.strip())
            counts = tuple(int(n or 0) for n in match.groups()) if match else None
    if counts is None:  # it did not live to say
        return (0, 1, 0), skips
    if process.returncode and not counts[1]:
        counts = (counts[0], 1, counts[2])
    return counts, skips


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="+", choices=["lint", "unit", "e2e", "kernel"])
    parser.add_argument("--build-dir", default="build/release")
    parser.add_argument("--vectors", help="folder with more test vectors")
    parser.add_argument("--second-look", action="store_true",
                        help="run end-to-end tests that failed once more, alone")
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    options = parser.parse_args()

    totals, skips = [0, 0, 0], []
    for part in options.parts:
        if part == "e2e" and not os.path.exists(E2E):
            skips.append("skip  e2e: there are no end-to-end tests yet")
            continue
        print(f"--- {part} ---", flush=True)
        counts, reasons = run(command_of(part, options))
        totals = [total + count for total, count in zip(totals, counts)]
        skips += reasons

    print("--- all ---")
    for line in skips:
        print(line)
    if not any(totals):
        print(f"No test matches {options.filter!r}." if options.filter else "There are no tests.")
        totals[1] = 1
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
