#!/usr/bin/env python3
"""Runs clang-tidy on C++ sources: those named, those changed since a revision, or all."""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def git(*arguments):
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                          check=True).stdout.split()


def tidy(build_dir, path):
    # GCC's build asks for warnings that Clang does not know.
    command = ["clang-tidy-19", "--quiet", "--extra-arg=-Wno-unknown-warning-option", "-p", build_dir, path]
    process = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             text=True, check=False)
    return path, process.returncode, process.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build-dir", default="build/release")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--since", default="HEAD", metavar="REVISION")
    parser.add_argument("files", nargs="*")
    options = parser.parse_args()

    with open(os.path.join(ROOT, options.build_dir, "compile_commands.json"),
              encoding="utf-8") as file:
        built = {os.path.relpath(entry["file"], ROOT) for entry in json.load(file)}
    wanted = set(options.files) or (built if options.all else {
        *git("diff", "--name-only", options.since),
        *git("ls-files", "--others", "--exclude-standard")})

    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(tidy, options.build_dir, path) for path in sorted(wanted & built)]
        for job in concurrent.futures.as_completed(jobs):
            path, status, output = job.result()
            bad += status != 0
            print(f"{'FAIL' if status else 'ok  '} tidy {path}\n{output if status else ''}", end="",
                  flush=True)
    print(f"{len(jobs) - bad} passed, {bad} failed")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
