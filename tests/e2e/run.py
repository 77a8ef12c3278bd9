#!/usr/bin/env python3
"""Runs the end-to-end tests: ferruled with itself and with wireguard-go, in network namespaces.

    python3 tests/e2e/run.py                        everything
    python3 tests/e2e/run.py roaming P75            tests whose title holds one of the words
    python3 tests/e2e/run.py --build-dir build/dev  another build; sanitizer reports are failures
    python3 tests/e2e/run.py --subject wireguard-go the suite against the reference itself
    python3 tests/e2e/run.py --kernel               ferruled with the kernel's WireGuard instead:
                                                    tests/kernel/, in virtual machines

Each test runs in a sandbox of its own (lib/sandbox.py), so several run at once, and nothing is
left behind when one fails or this program is interrupted.
"""

import argparse
import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
KERNEL = os.path.join(ROOT, "tests", "kernel")
sys.path[:0] = [HERE, KERNEL]
sys.dont_write_bytecode = True

import image                                                    # noqa: E402
from lib import registry, sandbox                               # noqa: E402
from lib.daemon import Implementation, sanitizer_reports        # noqa: E402
from lib.scene import Scene                                     # noqa: E402

REFERENCE = "wireguard-go"
SANITIZER_PATIENCE = 4.0
LOG_TAIL_BYTES = 3000


# --- one test, inside its sandbox ---------------------------------------------------------------

def run_case(case, implementations, log_dir, build_dir):
    """Runs one test and returns its result as a dictionary."""
    scene = Scene(log_dir, implementations[case.subject],
                  implementations[case.other] if case.other else None, build_dir)
    result = {"outcome": "ok", "why": "", "notes": scene.notes, "proven": False}
    try:
        case.behaviour.function(scene)
        scene.finish()
    except registry.Skip as skip:
        result.update(outcome="skip", why=str(skip))
    except BaseException as error:
        frame = "".join(traceback.format_exception(error))
        result.update(outcome="FAIL", why=f"{type(error).__name__}: {error}", trace=frame)
        stop_quietly(scene)
        result["proven"] = any(was_killed(daemon) for daemon in scene.daemons)
    if reports := sanitizer_reports(log_dir):
        result.update(outcome="FAIL", proven=True, why=f"{len(reports)} sanitizer report(s); " + result["why"])
    return result


def stop_quietly(scene):
    """Lets daemons of a failed test write their last log lines."""
    for daemon in scene.daemons:
        try:
            daemon.stop()
        except Exception:                                       # the test has failed already
            pass


def inside(options):
    case = next(c for c in all_cases(options) if c.title == options.inside)
    result = run_case(case, find_implementations(options), options.log_dir, options.build_dir)
    with open(os.path.join(options.log_dir, "result.json"), "w") as file:
        json.dump(result, file)
    sys.stdout.flush()
    os._exit(0)         # threads of a failed test may linger; the sandbox ends them


def was_killed(daemon):
    """Whether a signal that nobody sent on purpose has ended it."""
    status = daemon.process.popen.poll()
    return status is not None and status < 0 and status != daemon.expected_status


# --- all tests ----------------------------------------------------------------------------------

@dataclasses.dataclass
class Running:
    case: registry.Case
    process: subprocess.Popen
    log_dir: str
    started: float
    deadline: float


class Runner:
    """Keeps a few tests running at once, and reports each as it ends."""

    def __init__(self, options, cases):
        self.options = options
        self.waiting = list(cases)
        self.running = []
        self.counts = {"ok": 0, "FAIL": 0, "skip": 0}
        self.failed = []
        self.proven = []                # failures that no second look can excuse
        self.unsteady = []
        self.second_look = False
        self.work_dir = tempfile.mkdtemp(prefix="ferrule-e2e-")

    def run(self):
        try:
            self.run_all(self.options.jobs)
            if self.options.second_look:
                self.look_again()
        finally:
            for running in self.running:
                running.process.kill()
                running.process.wait()
            if not self.failed and not self.unsteady and not self.options.keep_logs:
                shutil.rmtree(self.work_dir, ignore_errors=True)

    def run_all(self, jobs):
        while self.waiting or self.running:
            while self.waiting and len(self.running) < jobs:
                self.start(self.waiting.pop(0))
            for running in list(self.running):
                self.look_at(running)
            time.sleep(0.01)

    def look_again(self):
        """Runs once more, alone, what failed without a sanitizer's report or a crash. What passes
        then was unsteady, and is named so."""
        again = [case for case in self.failed if case not in self.proven]
        self.failed = [case for case in self.failed if case in self.proven]
        self.counts["FAIL"] -= len(again)
        self.waiting = list(again)
        self.second_look = True
        self.run_all(1)
        self.unsteady = [case for case in again if case not in self.failed]

    def start(self, case):
        deviates = case.subject == REFERENCE and case.behaviour.unlike_go
        if deviates and not self.options.deviations:
            self.report(case, "skip", f"{REFERENCE}: {case.behaviour.unlike_go}", 0)
            return
        log_dir = tempfile.mkdtemp(prefix=f"{case.behaviour.name[:40]}-", dir=self.work_dir)
        argv = [sys.executable, __file__, "--inside", case.title, "--log-dir", log_dir,
                "--build-dir", self.options.build_dir, "--subject", self.options.subject,
                *(["--kernel"] if self.options.kernel else [])]
        env = {**os.environ, "FERRULE_E2E_PATIENCE": str(self.options.patience)}
        with open(os.path.join(log_dir, "test.log"), "wb") as log:
            process = subprocess.Popen(sandbox.command(argv), stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=env, start_new_session=True)
        now = time.monotonic()
        deadline = now + case.behaviour.deadline_s * self.options.patience
        self.running.append(Running(case, process, log_dir, now, deadline))

    def look_at(self, running):
        status = running.process.poll()
        late = time.monotonic() > running.deadline
        if status is None and not late:
            return
        if status is None:
            running.process.kill()
            running.process.wait()
        self.running.remove(running)
        result = read_result(running.log_dir) or {
            "outcome": "FAIL", "notes": [],
            "why": "deadline passed" if late else f"the test process ended with {status}"}
        detail = result["why"] if result["outcome"] != "ok" else ", ".join(result["notes"])
        self.report(running.case, result["outcome"], detail,
                    time.monotonic() - running.started)
        if result["outcome"] == "FAIL":
            if result.get("proven"):
                self.proven.append(running.case)
            print_failure(running.log_dir, result)

    def report(self, case, outcome, detail, seconds):
        self.counts[outcome] += 1
        if outcome == "FAIL":
            self.failed.append(case)
        if self.second_look:
            detail = "; ".join(filter(None, [detail, "at the second look"]))
        print(f"{outcome:4}  {seconds:5.1f} s  {case.title}" + (f"  ({detail})" if detail else ""),
              flush=True)

    def summary(self):
        for case in self.unsteady:
            print(f"unsteady (failed beside others, passed alone): {case.title}")
        for case in self.failed:
            print(f"failed: {case.title}")
        if self.failed or self.unsteady or self.options.keep_logs:
            print(f"logs: {self.work_dir}")
        print(summary_line(self.counts))


def read_result(log_dir):
    try:
        with open(os.path.join(log_dir, "result.json")) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def print_failure(log_dir, result):
    print("\n" + result.get("trace", "").rstrip())
    for name in sorted(os.listdir(log_dir)):
        path = os.path.join(log_dir, name)
        if name == "result.json" or not os.path.isfile(path) or not os.path.getsize(path):
            continue
        with open(path, "rb") as file:
            file.seek(max(0, os.path.getsize(path) - LOG_TAIL_BYTES))
            text = file.read().decode(errors="replace")
        print(f"--- {name}\n{text.rstrip()}")
    print("---\n", flush=True)


def summary_line(counts):
    return f"{counts['ok']} passed, {counts['FAIL']} failed, {counts['skip']} skipped"


# --- what to run --------------------------------------------------------------------------------

def find_implementations(options):
    """Both implementations by name; a path is None where there is no such program."""
    ferruled = os.path.join(options.build_dir, "ferruled")
    return {
        "ferrule": Implementation("ferrule", ferruled if os.path.exists(ferruled) else None),
        REFERENCE: Implementation(REFERENCE, shutil.which(REFERENCE)),
    }


def all_cases(options):
    for name in sorted(os.listdir(KERNEL if options.kernel else HERE)):
        if name.startswith("test_") and name.endswith(".py"):
            __import__(name.removesuffix(".py"))
    return registry.cases(options.subject, REFERENCE)


def chosen(cases, filters):
    return [case for case in cases if not filters or any(word in case.title for word in filters)]


def why_not(case, implementations):
    """Why a case can't run here; None if it can."""
    for name in (case.subject, case.other):
        if name and implementations[name].path is None:
            return f"{name} is not here"
    return None


def missing(options):
    """Why no test can run here; None if they can. Prepares what they need."""
    if reason := sandbox.missing():
        return reason
    if options.kernel:
        for kernel in (image.STOCK, image.NEWER):
            kernel.prepare(options.build_dir)
        return image.STOCK.missing()
    return None


def none_ran(options, cases, reason):
    """Says that no test can run here. Virtual machines are an extra; a run of the end-to-end tests of
    which none could run has not succeeded."""
    if options.kernel:
        print(f"skip: all tests with the kernel: {reason}")
    else:
        print(f"FAIL  no end-to-end test can run here: {reason}\n"
              "      (./dev test --lint --unit leaves them out)")
    print(summary_line({"ok": 0, "FAIL": int(not options.kernel), "skip": len(cases)}))
    return int(not options.kernel)


def parse_options():
    parser = argparse.ArgumentParser(description="Ferrule's end-to-end tests.")
    parser.add_argument("filters", nargs="*", help="words, one of which a test's title must hold")
    parser.add_argument("--build-dir", default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--subject", choices=["ferrule", REFERENCE], default="ferrule",
                        help="the implementation under test")
    parser.add_argument("--deviations", action="store_true",
                        help=f"run also what {REFERENCE} is known to do otherwise")
    parser.add_argument("--jobs", type=int, help="how many tests run at once")
    parser.add_argument("--patience", type=float, help="stretches all deadlines")
    parser.add_argument("--list", action="store_true", help="print the tests and end")
    parser.add_argument("--keep-logs", action="store_true", help="keep logs of passed tests too")
    parser.add_argument("--second-look", action="store_true",
                        help="run what failed once more, alone, and tell what passes then")
    parser.add_argument("--kernel", action="store_true",
                        help="the tests with the kernel's WireGuard, in virtual machines")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--log-dir", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.build_dir = os.path.abspath(options.build_dir)
    options.jobs = options.jobs or (5 if options.kernel else 3)
    if options.patience is None:
        sanitized = os.path.basename(options.build_dir) != "release"
        options.patience = SANITIZER_PATIENCE if sanitized else 1.0
    return options


def main():
    options = parse_options()
    # Daemons go on ignoring what they find ignored, and shells start what runs in the background so.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if options.inside:
        inside(options)
    cases = chosen(all_cases(options), options.filters)
    if options.list:
        print("\n".join(case.title for case in cases))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if reason := missing(options):
        return none_ran(options, cases, reason)
    implementations = find_implementations(options)
    if options.kernel:
        cases.sort(key=lambda case: -case.behaviour.deadline_s)     # those that wait, beside the others
    runner = Runner(options, [c for c in cases if not why_not(c, implementations)])
    for case in cases:
        if reason := why_not(case, implementations):
            runner.report(case, "skip", reason, 0)
    try:
        runner.run()
    except KeyboardInterrupt:
        print("interrupted")
        return 130
    runner.summary()
    return 1 if runner.failed else 0


if __name__ == "__main__":
    sys.exit(main())
