"""./dev bench --scale: one table of what very many peers cost, by their number.

    ./dev bench --scale                                all of it, up to a million peers
    ./dev bench --scale --peers 1 1000 100000          by these numbers of peers
    ./dev bench --scale --only live return             some measurements
    ./dev bench --scale --json FILE --svg FILE         all figures, and curves of them
    ./dev bench --scale --markdown docs/benchmarks.md  the table, between its marks there
    ./dev bench --scale --minutes 10                   as much of it as can be begun in that time

A figure is the median of its rounds. Every measurement of every round has hosts and daemons of its own, in
network namespaces, and says how long it took. The largest number of peers comes first: it is what goals are for.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import tempfile
import time

import machines
import measure
import plot
import scale
import scale_plot
from lib import sandbox
from lib.daemon import Implementation
from lib.scene import Scene

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# What needs no daemon: a program measures it by itself.
WITHOUT_DAEMON = {"lookups", "turns"}
# Of docs/benchmarks.md, around the table that --markdown writes.
MARKS = ("<!-- written by ./dev bench --scale --markdown -->", "<!-- up to here -->")
LANES_NOT_MEASURED = "Lanes from 1 to 16, which want more cores, were not measured."


def tell(text):
    print(text, file=sys.stderr, flush=True)


def measure_once(name, count, options):
    """{row: value}; empty when it fails, which is told."""
    implementation = None
    if name not in WITHOUT_DAEMON:
        implementation = Implementation(options.name, options.program)
    with tempfile.TemporaryDirectory(prefix="ferrule-bench-") as log_dir:
        scene = Scene(log_dir, implementation, implementation)
        started = time.monotonic()
        try:
            course = measure.Course(scene, implementation, options.build_dir, options.seconds)
            values = scale.MEASUREMENTS[name](course, count)
            scene.finish()
        except (AssertionError, OSError, subprocess.SubprocessError) as error:
            tell(f"{name}, {count:,} peers: {error}")
            return {}
        finally:
            for host in scene.hosts:
                host.close()
        tell(f"{name}, {count:,} peers: {time.monotonic() - started:.0f} s")
        return values


def measure_all(options):
    """{row: {number of peers: [value of each round]}}"""
    results, left_out = {}, []
    started = time.monotonic()
    for turn in range(options.rounds):
        for count, name in itertools.product(reversed(options.peers), options.only):
            if options.minutes and time.monotonic() - started > 60 * options.minutes:
                left_out.append(f"{name} of {count:,} (round {turn + 1})")
                continue
            for row, value in measure_once(name, count, options).items():
                results.setdefault(row, {}).setdefault(count, []).append(value)
    if left_out:
        tell(f"{options.minutes:g} minutes are over; not measured: {', '.join(left_out)}")
    return results


def rows_of(results, peers):
    """(title, unit, cell by peers, goal, what came of it) of each row, as text."""
    for row, title, unit, digits, goal in scale.ROWS:
        if row not in results:
            continue
        middle = {count: statistics.median(values) for count, values in results[row].items()}
        cells = [f"{middle[count]:.{digits}f}" if count in middle else "-" for count in peers]
        last = middle.get(peers[-1])
        came = "" if not goal or last is None else "reached" if scale.reaches(goal, last) else "short"
        yield title, unit, cells, scale.goal_text(goal), came


def table(results, peers):
    lines = [["", "", *(f"{count:,}" for count in peers), "goal", ""]]
    for title, unit, cells, goal, came in rows_of(results, peers):
        lines.append([title, unit, *cells, goal, came])
    return plot.align(lines)


def markdown(results, options):
    """The table as docs/benchmarks.md has it. What is short of its goal stands out."""
    here = machines.here()
    peers = options.peers
    lines = [f"On {here['cores']} cores of {here['cpu']}, Linux {here['kernel']}, load {here['load']:.1f}, "
             f"medians of {options.rounds} round(s). {LANES_NOT_MEASURED}", "",
             "| | " + " | ".join(f"{count:,}" for count in peers) + " | goal | |",
             "|---|" + "---:|" * (len(peers) + 1) + "---|"]
    for title, unit, cells, goal, came in rows_of(results, peers):
        if came == "short":
            cells[-1] = f"**{cells[-1]}**"
        goal = goal.replace("<=", "≤").replace(">=", "≥")
        lines.append(f"| {title}, {unit} | {' | '.join(cells)} | {goal} | {came} |")
    if options.svg:
        beside = os.path.relpath(options.svg, os.path.dirname(os.path.abspath(options.markdown)))
        lines += ["", f"![The same, as curves over the number of peers]({beside})"]
    return "\n".join(lines) + "\n"


def write_markdown(text, path):
    """Between the marks in the file where it has them; else it is all of the file."""
    whole = text
    if os.path.exists(path):
        with open(path) as file:
            before, begin, rest = file.read().partition(MARKS[0])
        _, end, after = rest.partition(MARKS[1])
        if begin and end:
            whole = f"{before}{begin}\n{text}{end}{after}"
    with open(path, "w") as file:
        file.write(whole)


def report_of(results, options):
    return {"machine": machines.here(), "rounds": options.rounds, "seconds": options.seconds,
            "program": options.name, "peers": options.peers,
            "rows": {row: {"title": title, "unit": unit, "goal": scale.goal_text(goal),
                           "by_peers": {str(count): {"median": statistics.median(values),
                                                     "rounds": values}
                                        for count, values in results[row].items()}}
                     for row, title, unit, _, goal in scale.ROWS if row in results}}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0],
                                     prog="./dev bench --scale")
    parser.add_argument("--scale", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--build-dir", type=os.path.abspath,
                        default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--peers", nargs="+", type=int, default=list(scale.SIZES), metavar="N",
                        help="numbers of peers (1 to 1,000,000)")
    parser.add_argument("--only", nargs="+", choices=list(scale.MEASUREMENTS),
                        default=list(scale.MEASUREMENTS), metavar="WHAT",
                        help=f"measurements: {' '.join(scale.MEASUREMENTS)}")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of a flow or a look")
    parser.add_argument("--minutes", type=float, default=0,
                        help="after so many, nothing more is begun (0: all is)")
    parser.add_argument("--program", help="another WireGuard, with wireguard-go's command line")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    parser.add_argument("--svg", metavar="FILE", help="draw them")
    parser.add_argument("--markdown", metavar="FILE", help="write the table as docs/benchmarks.md has it")
    options = parser.parse_args()
    if not all(1 <= count <= scale.SIZES[-1] for count in options.peers):
        parser.error(f"--peers: 1 to {scale.SIZES[-1]:,}")
    options.peers = sorted(set(options.peers))
    options.name = os.path.basename(options.program) if options.program else "ferrule"
    options.program = os.path.abspath(options.program or os.path.join(options.build_dir, "ferruled"))
    return options


def main():
    options = parse_options()
    if reason := sandbox.missing():
        print(f"The bench {reason}.")
        return 1
    sandbox.enter()
    results = measure_all(options)
    here = machines.here()
    print(f"{here['cpu']}, {here['cores']} cores, Linux {here['kernel']}, load {here['load']:.1f}; "
          f"medians of {options.rounds} round(s)\n")
    print(table(results, options.peers))
    if options.markdown:
        write_markdown(markdown(results, options), options.markdown)
    plot.write_files(report_of(results, options), options, scale_plot.draw)
    return 0
