#!/usr/bin/env python3
"""Breaks the programs on purpose, one mistake after the other, and shows which test notices.

A mutated copy of one source is compiled and linked before the libraries, so that it takes the place
of the original; the tree and its build stay as they are. Each mutant then faces the unit tests of its
folder, and one of the protocol some simulated worlds too. The last line is `N passed, N failed`: a mutant that nobody catches
is a failure, and so is one whose text is no longer in the sources.
"""

import argparse
import concurrent.futures
import json
import os
import re
import shlex
import subprocess
import sys

from mutations import MUTATIONS

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SIM = "ferrule_sim"
# Which programs the mutants of a folder face. Whoever includes the folder may have the better test.
PROGRAMS = {
    "src/core/protocol": ("tests/ferrule_protocol_test", SIM),
    "src/engine": ("tests/ferrule_engine_test",),
    "src/io": ("tests/ferrule_io_test", "tests/ferrule_engine_test"),
    "src/service": ("tests/ferrule_service_test",),
    "src/daemon": ("tests/ferrule_daemon_test",),
}
SEEDS = range(1, 13)
TIMEOUT_S = 120  # a mutant may loop
SURVIVED = "-"


class Broken(Exception):
    """The mutant can't be made."""


def programs_of(mutation):
    """The programs that a mutant faces."""
    for folder, programs in PROGRAMS.items():
        if mutation.file.startswith(folder + "/"):
            return programs
    raise Broken(f"nobody faces mutants of {mutation.file}: add its folder to PROGRAMS")


class Workshop:
    """Makes programs with one source changed from what lies in a build folder."""

    def __init__(self, build_dir):
        self.build_dir = build_dir
        with open(os.path.join(build_dir, "compile_commands.json"), encoding="utf-8") as file:
            # As its own folder compiles it: tests elsewhere compile some sources once more, otherwise.
            self.commands = {os.path.relpath(entry["file"], ROOT): shlex.split(entry["command"])
                             for entry in json.load(file) if "/__/" not in entry["command"]}
        self.links = {program: self.link_command(program)
                      for programs in PROGRAMS.values() for program in programs}

    def link_command(self, program):
        lines = subprocess.run(["ninja", "-C", self.build_dir, "-t", "commands", program],
                               stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
        words = shlex.split(lines[-1])
        compiler = next(i for i, word in enumerate(words) if re.search(r"(\+\+|clang)[-\d.]*$", word))
        end = words.index("&&", compiler) if "&&" in words[compiler:] else len(words)
        return words[compiler:end]

    def compile(self, mutation, folder):
        with open(os.path.join(ROOT, mutation.file), encoding="utf-8") as file:
            source = file.read()
        if source.count(mutation.text) != 1:
            raise Broken(f"its text stands {source.count(mutation.text)} times in {mutation.file}")
        mutated = os.path.join(folder, os.path.basename(mutation.file))
        with open(mutated, "w", encoding="utf-8") as file:
            file.write(source.replace(mutation.text, mutation.replacement))
        command = list(self.commands[mutation.file])
        command[command.index("-o") + 1] = mutated + ".o"
        command[command.index("-c") + 1] = mutated
        self.call([*command, "-Wno-error"])
        return mutated + ".o"

    def link(self, program, extra_object, folder):
        command = list(self.links[program])
        output = os.path.join(folder, os.path.basename(program))
        command[command.index("-o") + 1] = output
        first_library = next(i for i, word in enumerate(command) if word.endswith(".a"))
        command.insert(first_library, extra_object)
        self.call(command)
        return output

    def call(self, command):
        process = subprocess.run(command, cwd=self.build_dir, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT, text=True, check=False)
        if process.returncode:
            raise Broken("it does not compile:\n" + process.stdout)


def output_of(command):
    """What a program says, or that it hangs."""
    try:
        process = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                 stdin=subprocess.DEVNULL, text=True, errors="replace",
                                 timeout=TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired:
        return None, f"hangs for {TIMEOUT_S} s"
    return process.returncode, process.stdout


def unit_verdict(program):
    status, text = output_of([program, "--gtest_fail_fast", "--gtest_brief=1"])
    if status == 0:
        return SURVIVED
    failed = re.search(r"^\[  FAILED  \] (\S+?),? ", text, re.MULTILINE)
    return failed[1] if failed else (text if status is None else "the program dies")


def sim_verdict(program):
    for seed in SEEDS:
        status, text = output_of([program, "--seed", str(seed)])
        if status == 0:
            continue
        failed = re.search(r"^FAIL seed \d+, step \d+, [\d.]+ s: (\w+): (.*)$", text, re.MULTILINE)
        return f"{failed[1]} (seed {seed})" if failed else (
            text if status is None else f"the program dies (seed {seed})")
    return SURVIVED


def face(workshop, number, mutation):
    """Makes the mutant and returns who catches it, of each program that it faces."""
    folder = os.path.join(workshop.build_dir, "mutants", str(number))
    os.makedirs(folder, exist_ok=True)
    programs = programs_of(mutation)
    extra_object = workshop.compile(mutation, folder)
    verdicts = {}
    for program in programs:
        path = workshop.link(program, extra_object, folder)
        verdicts[program] = sim_verdict(path) if program == SIM else unit_verdict(path)
        os.remove(path)
    return verdicts


def main():
    parser = argparse.ArgumentParser(prog="./dev mutants", description=__doc__.partition("\n")[0])
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("filter", nargs="*", help="only mutants whose name contains one of these")
    options = parser.parse_args()

    workshop = Workshop(os.path.abspath(options.build_dir))
    chosen = [m for m in MUTATIONS if any(part in m.name for part in options.filter or [""])]
    width = max((len(m.name) for m in chosen), default=0)
    passed = failed = in_sim = before_sim = 0
    print(f"{'mutant':{width}}  caught by a unit test / by the simulation, or by another folder's test")
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(face, workshop, i, m) for i, m in enumerate(chosen)]
        for mutation, job in zip(chosen, jobs):
            try:
                verdicts = job.result()
            except Broken as reason:
                failed += 1
                print(f"{mutation.name:{width}}  FAIL: {reason}")
                continue
            caught = any(verdict != SURVIVED for verdict in verdicts.values())
            passed, failed = passed + caught, failed + (not caught)
            before_sim += SIM in verdicts
            in_sim += verdicts.get(SIM, SURVIVED) != SURVIVED
            print(f"{mutation.name:{width}}  "
                  f"{' / '.join(verdicts.values()) if caught else 'FAIL: nobody'}", flush=True)
    print(f"{in_sim} of {before_sim} of the protocol are caught by the simulation, too")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
