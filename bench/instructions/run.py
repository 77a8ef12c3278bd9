#!/usr/bin/env python3
"""Counts the instructions of NEON's backend beside OpenSSL's, and compares which they are with two secrets.

Speed can't be measured without the CPU, but instructions can be counted: by a plugin of qemu's. The
difference of two runs, one of which does so many rounds more, is what the rounds take. Build before:
    FERRULE_TARGETS="sealer instructions" ./dev build aarch64
The last line of output is `N passed, N failed`: a check is that the backend takes no more of OpenSSL's
instructions than the goal allows, or that two secrets lead down the same path.
"""

import argparse
import os
import re
import subprocess
import sys

ROUNDS = 20
CASES = [("seal", 1420, 16), ("open", 1420, 16), ("seal", 1420, 1), ("seal", 64, 16),
         ("open", 64, 16), ("seal", 64, 1)]
SECRETS = [90, 11, 99]  # as many digits: reading them takes instructions too
GOAL = 0.60  # of the instructions that OpenSSL's EVP takes


def emulate(folder, direction, backend, size, packets, rounds, secret=SECRETS[0]):
    """How many instructions the program took, and a sum of which they were."""
    # Without randomized addresses, so that paths can be compared.
    command = ["setarch", "-R", "qemu-aarch64", "-plugin", os.path.join(folder, "libinstructions.so"),
               os.path.join(folder, "sealer"),
               *map(str, (direction, backend, size, packets, rounds, secret))]
    output = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=True).stderr
    count, path = re.search(r"instructions (\d+), path (\w+)", output).groups()
    return int(count), path


def per_packet(folder, direction, backend, size, packets):
    few, _ = emulate(folder, direction, backend, size, packets, ROUNDS)
    more, _ = emulate(folder, direction, backend, size, packets, 2 * ROUNDS)
    return (more - few) / ROUNDS / packets


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build-dir", default="build/aarch64")
    options = parser.parse_args()

    results = []
    print("|  | neon | OpenSSL | neon / OpenSSL |\n|---|---:|---:|---:|")
    for direction, size, packets in CASES:
        ours, theirs = (per_packet(options.build_dir, direction, backend, size, packets)
                        for backend in ("neon", "openssl"))
        batch = "one" if packets == 1 else f"batches of {packets}"
        print(f"| {direction} {size} bytes, {batch} | {ours:.0f} | {theirs:.0f} | {ours / theirs:.2f} |")
        results.append(ours / theirs <= GOAL)

        paths = [emulate(options.build_dir, direction, "neon", size, packets, 1, secret)
                 for secret in SECRETS]
        results.append(len(set(paths)) == 1)
        if not results[-1]:
            print(f"FAIL {direction} {size}: other secrets, other instructions: {paths}")
    print(f"{results.count(True)} passed, {results.count(False)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
