#!/usr/bin/env python3
"""Runs the fuzzers: NAME.cc here, with the inputs in corpus/NAME and the words in NAME.dict.

Alone it lists them. What a fuzzer finds on the way is kept in the build folder, and taken up by the
next run; an input that breaks something is kept too, and the last lines say how to run it again.
"""

import argparse
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
DEFAULT_SECONDS = 60
LONGEST_INPUT = 4096
KEPT_BYTES, KEPT_FILES = 8192, 48       # of a corpus in the tree
# addr2line comes with the compiler, so that reports have names without llvm-symbolizer.
SYMBOLS = f"external_symbolizer_path={shutil.which('addr2line')}"
ENVIRONMENT = {"ASAN_OPTIONS": SYMBOLS, "UBSAN_OPTIONS": SYMBOLS + ":print_stacktrace=1", **os.environ}
SHOWN_LINES = 40


class Fuzzer:
    def __init__(self, name, build_dir):
        self.name = name
        self.program = os.path.join(build_dir, "fuzz", name)
        self.corpus = os.path.join(HERE, "corpus", name)
        self.found = os.path.join(build_dir, "found", name)
        self.broken = os.path.join(build_dir, "broken", name)

    def about(self):
        with open(os.path.join(HERE, self.name + ".cc"), encoding="utf-8") as source:
            comment = re.match(r"(?:// .*\n)+", source.read())[0].replace("\n// ", " ")
        return comment[3:].strip()

    def seeds(self):
        return sorted(glob.glob(os.path.join(self.corpus, "*")))

    def options(self):
        os.makedirs(self.broken, exist_ok=True)
        dictionary = os.path.join(HERE, self.name + ".dict")
        return [f"-max_len={LONGEST_INPUT}", "-timeout=20", "-rss_limit_mb=1024",
                f"-artifact_prefix={self.broken}/", "-print_final_stats=1",
                *([f"-dict={dictionary}"] if os.path.exists(dictionary) else [])]

    def replay(self):
        """Runs every seed once. (whether all is well, a line about it, the output)"""
        seeds = self.seeds()
        status, output = run([self.program, *self.options(), *seeds]) if seeds else (1, "no corpus")
        return status == 0, f"{len(seeds)} inputs", output

    def feed(self, seconds):
        os.makedirs(self.found, exist_ok=True)
        status, output = run([self.program, *self.options(), f"-max_total_time={seconds}",
                              self.found, self.corpus])
        count = re.search(r"number_of_executed_units: (\d+)", output)
        speed = re.search(r"average_exec_per_sec: +(\d+)", output)
        told = f"{count[1]} executions, {speed[1]} a second" if count and speed else "died"
        return status == 0, told, output

    def minimize(self):
        """Puts the smallest inputs that reach all that is known into the corpus, as room permits."""
        os.makedirs(self.found, exist_ok=True)
        with tempfile.TemporaryDirectory() as merged:
            status, output = run([self.program, "-set_cover_merge=1", f"-max_len={LONGEST_INPUT}",
                                  merged, self.corpus, self.found])
            if status != 0:
                return False, "died", output
            names = sorted(os.listdir(merged), key=lambda n: os.path.getsize(f"{merged}/{n}"))
            left = KEPT_BYTES - sum(os.path.getsize(seed) for seed in self.seeds())
            for name in names[:KEPT_FILES - len(self.seeds())]:
                left -= os.path.getsize(f"{merged}/{name}")
                if left < 0:
                    break
                shutil.copy(f"{merged}/{name}", os.path.join(self.corpus, name[:12]))
        return True, f"{len(self.seeds())} inputs", output


def run(command):
    process = subprocess.run(command, env=ENVIRONMENT, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return process.returncode, process.stdout.decode(errors="replace")


def report(fuzzer, what, outcome):
    good, told, output = outcome
    print(f"{'ok  ' if good else 'FAIL'} {what} {fuzzer.name}: {told}", flush=True)
    if good:
        return
    lines = output.splitlines()
    start = next((i for i, line in enumerate(lines)
                  if re.search(r"ERROR|runtime error|broken invariant", line)), -SHOWN_LINES)
    print("    " + "\n    ".join(lines[start:][:SHOWN_LINES]))
    for line in lines:
        if found := re.search(r"Test unit written to (\S+)", line):
            print(f"    Again: {fuzzer.program} {found[1]}")
        if line.startswith("Base64:"):
            print(f"    The input in base64:{line[7:]}")


def run_all(fuzzers, what, job):
    """Several at once. Returns how many were well."""
    good = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = {pool.submit(job, fuzzer): fuzzer for fuzzer in fuzzers}
        for done in concurrent.futures.as_completed(jobs):
            report(jobs[done], what, done.result())
            good += done.result()[0]
    return good


def main():
    parser = argparse.ArgumentParser(prog="./dev fuzz", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="?", help="the fuzzer to feed; without it, a list")
    parser.add_argument("seconds", nargs="?", type=int, default=DEFAULT_SECONDS)
    parser.add_argument("--replay", action="store_true", help="run all corpora once")
    parser.add_argument("--ci", type=int, metavar="SECONDS",
                        help="run all corpora, then feed every fuzzer for that long")
    parser.add_argument("--minimize", action="store_true",
                        help="keep in corpus/NAME the smallest inputs that reach what was found")
    parser.add_argument("--build-dir", default="build/fuzz")
    options = parser.parse_args()

    build_dir = os.path.relpath(options.build_dir)
    names = sorted(os.path.basename(path)[:-3] for path in glob.glob(os.path.join(HERE, "*.cc")))
    fuzzers = [Fuzzer(name, build_dir) for name in names if options.name in (None, name)]
    if not fuzzers:
        parser.error(f"no fuzzer {options.name}; there are {', '.join(names)}")

    jobs = []
    if options.minimize:
        jobs.append(("minimized", Fuzzer.minimize))
    elif options.replay or options.ci is not None:
        jobs.append(("replayed", Fuzzer.replay))
        if options.ci:
            jobs.append(("fed", lambda fuzzer: fuzzer.feed(options.ci)))
    elif options.name:
        jobs.append(("fed", lambda fuzzer: fuzzer.feed(options.seconds)))
    else:
        for fuzzer in fuzzers:
            print(f"{fuzzer.name:12}{fuzzer.about()}")
        return 0
    good = sum(run_all(fuzzers, what, job) for what, job in jobs)
    print(f"{good} passed, {len(jobs) * len(fuzzers) - good} failed")
    return 0 if good == len(jobs) * len(fuzzers) else 1


if __name__ == "__main__":
    sys.exit(main())
