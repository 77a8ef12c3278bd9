#!/usr/bin/env python3
"""Runs the unit test programs of a build, several at a time, and sums them up.

The last line of output is `N passed, N failed, N skipped`. A program that crashes, hangs or ends
badly after its last test counts as one failure more.

Suites called ConstantTime... run under valgrind, where there is valgrind and no sanitizer. Programs
for another architecture run under the emulator that the build knows.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

TIMEOUT_S = 900
# addr2line comes with the compiler, so that reports have names without llvm-symbolizer.
COMMON = f"external_symbolizer_path={shutil.which('addr2line')}"
SANITIZERS = {
    "ASAN_OPTIONS": COMMON + ":detect_stack_use_after_return=1:strict_string_checks=1",
    "UBSAN_OPTIONS": COMMON + ":print_stacktrace=1:halt_on_error=1",
    "TSAN_OPTIONS": COMMON + ":halt_on_error=1:second_deadlock_stack=1",
}
REPORT = re.compile(r"^.*(ERROR: \w+Sanitizer|WARNING: \w+Sanitizer|runtime error:).*$", re.MULTILINE)
SHOWN_LINES = 60


@dataclasses.dataclass
class Outcome:
    program: str
    passed: int = 0
    failures: list = dataclasses.field(default_factory=list)  # (test, message)
    skips: list = dataclasses.field(default_factory=list)     # (test, reason)
    seconds: float = 0


def run(path, tests, environment, under=()):
    """Runs the tests of one program that GoogleTest's filter `tests` leaves."""
    name = os.path.basename(path).removeprefix("ferrule_").removesuffix("_test")
    outcome = Outcome(" under ".join([name, *under[:1]]))
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.xml")
        command = [*under, path, f"--gtest_output=xml:{report}", f"--gtest_filter={tests}"]
        try:
            process = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                     timeout=TIMEOUT_S, check=False)
            output, status = process.stdout, process.returncode
        except subprocess.TimeoutExpired as error:
            output, status = error.stdout or b"", f"none within {TIMEOUT_S} s"
        except OSError as error:
            output, status = b"", error.strerror
        output = output.decode(errors="replace")
        died = False
        try:
            read_report(report, outcome)
        except (OSError, xml.etree.ElementTree.ParseError):
            died = True
            read_output(output, outcome)
    if died or (status != 0 and not outcome.failures):
        outcome.failures.append((last_test(output), f"exit status {status}\n{excerpt(output)}"))
    outcome.seconds = time.monotonic() - started
    return outcome


def read_report(path, outcome):
    for case in xml.etree.ElementTree.parse(path).iter("testcase"):
        name = f"{case.get('classname')}.{case.get('name')}"
        failures = [failure.get("message", "") for failure in case.iter("failure")]
        if failures:
            outcome.failures.append((name, "\n".join(failures)))
        elif case.get("result") == "skipped":
            message = next(case.iter("skipped")).get("message", "")
            outcome.skips.append((name, message.partition("\n")[2].strip() or "no reason given"))
        elif case.get("status") == "run":
            outcome.passed += 1


def read_output(output, outcome):
    """What a program said before it died without a report."""
    outcome.passed = len(re.findall(r"^\[       OK \] ", output, re.MULTILINE))
    for name in re.findall(r"^\[  FAILED  \] (\S+?)(?:, .*)? \(\d+ ms\)$", output, re.MULTILINE):
        outcome.failures.append((name, "failed before the program died"))


def last_test(output):
    started = re.findall(r"^\[ RUN      \] (\S+)", output, re.MULTILINE)
    return f"(in or after {started[-1]})" if started else "(before the first test)"


def constant_time_tests(path, test_filter):
    """The filter that leaves a program's tests of constant time, or "" if it has none."""
    listing = subprocess.run([path, "--gtest_list_tests", f"--gtest_filter=*{test_filter}*"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                             check=False).stdout
    suite, tests = "", []
    for line in listing.splitlines():
        if not line.startswith(" "):
            suite = line.split()[0] if line else ""
        elif suite.startswith("ConstantTime"):
            tests.append(suite + line.split()[0])
    return ":".join(tests)


def setting(build_dir, name):
    """What a build was configured with, or ""."""
    with open(os.path.join(build_dir, "CMakeCache.txt"), encoding="utf-8") as file:
        found = re.search(rf"^{name}:\w+=(.+)$", file.read(), re.MULTILINE)
        return found[1] if found else ""


def all_runs(options, environment):
    """The arguments of every run() that is due."""
    with open(os.path.join(options.build_dir, "tests.txt"), encoding="utf-8") as file:
        programs = file.read().split()
    sanitized = bool(setting(options.build_dir, "FERRULE_SANITIZE"))
    emulator = setting(options.build_dir, "FERRULE_EMULATOR")
    valgrind = shutil.which("valgrind") if not sanitized and not emulator else None
    apart = "-ConstantTime*" if sanitized or valgrind else ""
    for path in programs:
        if valgrind and (tests := constant_time_tests(path, options.filter)):
            yield path, tests, environment, ("valgrind", "--quiet")
        yield path, f"*{options.filter}*{apart}", environment, (emulator,) if emulator else ()


def excerpt(output):
    """The sanitizer's report, if there is one, or else the last lines."""
    if report := REPORT.search(output):
        return "\n".join(output[report.start():].splitlines()[:SHOWN_LINES])
    return "\n".join(output.splitlines()[-SHOWN_LINES:])


def show(outcome):
    if not (outcome.passed or outcome.failures or outcome.skips):
        return  # the filter left nothing
    verdict = "FAIL" if outcome.failures else "ok  "
    print(f"{verdict} unit {outcome.program}: {outcome.passed} passed ({outcome.seconds:.1f} s)")
    for name, message in outcome.failures:
        print(f"  FAIL {name}\n    " + message.strip().replace("\n", "\n    "))
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--build-dir", default="build/release")
    parser.add_argument("--vectors", help="folder with more test vectors")
    parser.add_argument("--filter", default="", help="only tests whose name contains this")
    options = parser.parse_args()

    environment = {**SANITIZERS, **os.environ}
    if options.vectors:
        environment["FERRULE_VECTORS"] = options.vectors

    outcomes = []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        jobs = [pool.submit(run, *arguments) for arguments in all_runs(options, environment)]
        for job in concurrent.futures.as_completed(jobs):
            outcomes.append(job.result())
            show(outcomes[-1])

    reasons = collections.Counter(reason for o in outcomes for _, reason in o.skips)
    for reason, count in reasons.most_common():
        print(f"skip  {count} unit test{'s' * (count > 1)}: {reason}")
    passed, failed, skipped = (sum(o.passed for o in outcomes),
                               sum(len(o.failures) for o in outcomes),
                               sum(len(o.skips) for o in outcomes))
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
