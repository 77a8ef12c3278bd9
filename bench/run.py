#!/usr/bin/env python3
"""One table: ferruled beside wireguard-go, a plain cable and a relay that does not encrypt.

    python3 bench/run.py                            everything, three rounds
    python3 bench/run.py --quick                    one short round
    python3 bench/run.py --only tcp1 cpu            some rows
    python3 bench/run.py --flood                    what floods of handshakes do, instead
    python3 bench/run.py --proxy                    `ferrule proxy` and `ferrule run`, instead
    ./dev bench --scale --peers 1 1000 --only live  what very many peers cost (scale_run.py)
    python3 bench/run.py --against PROGRAM          a further implementation (or NAME=PROGRAM)
    python3 bench/run.py --json FILE --svg FILE     all figures, and a plot of them
    ./dev bench --no-avx512                         what CPUs without AVX-512 would do

Every figure is the median of rounds in which the implementations take turns, so that a machine
that slows down slows all of them. All traffic stays in network namespaces made for the purpose.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "e2e")]
sys.dont_write_bytecode = True

from lib import sandbox                                         # noqa: E402
from lib.daemon import Implementation                           # noqa: E402
from lib.scene import Scene                                     # noqa: E402
import flood                                                    # noqa: E402
import machines                                                 # noqa: E402
import measure                                                  # noqa: E402
import plot                                                     # noqa: E402
import proxy                                                    # noqa: E402
import scale_run                                                # noqa: E402

ALL_ROWS = [row for row, *_ in measure.ROWS + flood.ROWS + proxy.ROWS]
PLAIN = "plain veth"
REFERENCE = "wireguard-go"
SUBJECT = "ferrule"
RELAY = "relay"                     # all that ferruled does but the encryption (relay/main.cc)
# What OpenSSL shall not find in leaf 7 of CPUID: AVX-512 F, DQ, IFMA, CD, BW, VL. Programs of Go's
# have no code for it in what they use, and ferruled was built without (the preset no-avx512).
OPENSSL_WITHOUT_AVX512 = ":~0xd0230000"


def implementations(options):
    """Name and program of everything that is measured; plain veth has no program. What a flood does
    has nothing to do with plain veth, nor with sealing."""
    programs = [(REFERENCE, shutil.which(REFERENCE)), *options.against,
                (RELAY, os.path.join(options.build_dir, "relay")),
                (SUBJECT, os.path.join(options.build_dir, "ferruled"))]
    found = [(name, Implementation(name, path)) for name, path in programs
             if path and os.path.exists(path)]
    if options.flood:
        return [(name, program) for name, program in found if name != RELAY]
    return [(PLAIN, None), *found]


def measure_once(implementation, options):
    """One round of one implementation, on hosts of its own: {row: value}."""
    wanted = set(options.only or [row for row, *_ in options.rows])
    values = {}
    with tempfile.TemporaryDirectory(prefix="ferrule-bench-") as log_dir:
        scene = Scene(log_dir, implementation, implementation)
        try:
            course = measure.Course(scene, implementation, options.build_dir, options.seconds)
            for measurement, rows in options.measurements:
                if rows & wanted:
                    values.update(attempt(measurement, course))
            scene.finish()
        finally:
            for host in scene.hosts:
                host.close()
    return {row: value for row, value in values.items() if row in wanted}


def attempt(measurement, course):
    """A measurement that fails leaves its rows empty and is told; the others go on."""
    try:
        return measurement(course)
    except (AssertionError, subprocess.SubprocessError) as error:
        tell(f"{measurement.__name__}: {error}")
        return {}


def measure_all(options):
    """{implementation: {row: [value of each round]}}"""
    contestants = implementations(options)
    results = {name: {} for name, _ in contestants}
    for number in range(options.rounds):
        for name, implementation in contestants:
            started = time.monotonic()
            for row, value in measure_once(implementation, options).items():
                results[name].setdefault(row, []).append(value)
            tell(f"round {number + 1} of {options.rounds}: {name}, "
                 f"{time.monotonic() - started:.0f} s")
    return results


def tell(text):
    print(text, file=sys.stderr, flush=True)


# --- the table --------------------------------------------------------------------------------

def medians(results, row):
    return {name: statistics.median(rows[row]) for name, rows in results.items() if row in rows}


def comparisons(names):
    """(whom, with what) of each column of ratios."""
    rated = [name for name in names if name not in (PLAIN, REFERENCE, RELAY)]
    pairs = [(name, REFERENCE) for name in rated] + [(SUBJECT, RELAY)]
    return [pair for pair in pairs if set(pair) <= set(names)]


def table(results, rows):
    names = list(results)
    pairs = comparisons(names)
    lines = [["", "", *names, *(f"{name} / {other}" for name, other in pairs)]]
    for row, title, unit, digits, more_is_better in rows:
        middle = medians(results, row)
        if not middle:
            continue
        line = [title, unit]
        line += [f"{middle[name]:.{digits}f}" if name in middle else "-" for name in names]
        line += [ratio(middle, *pair, more_is_better) for pair in pairs]
        lines.append(line)
    return plot.align(lines)


def ratio(middle, name, other, more_is_better):
    if name not in middle or not middle.get(other):
        return "-"
    value = middle[name] / middle[other]
    better = value > 1 if more_is_better else value < 1
    return f"{value:.2f}x {'better' if better else 'worse'}"


def report_of(results, options):
    rows = {row: {name: {"median": statistics.median(values[row]), "rounds": values[row]}
                  for name, values in results.items() if row in values}
            for row, *_ in options.rows}
    return {"machine": machines.here(), "avx512": not options.no_avx512,
            "rounds": options.rounds, "seconds": options.seconds,
            "units": {row: unit for row, _, unit, *_ in options.rows},
            "rows": {row: values for row, values in rows.items() if values}}


# --- options ----------------------------------------------------------------------------------

def named_program(text):
    """NAME=PROGRAM, or a PROGRAM that is called after its file."""
    name, separator, program = text.partition("=")
    if not separator:
        name, program = os.path.basename(text), text
    path = shutil.which(program)
    if not name or not path:
        raise argparse.ArgumentTypeError(f"{program}: no such program")
    if name in (PLAIN, REFERENCE, RELAY, SUBJECT):
        raise argparse.ArgumentTypeError(f"{name} is measured anyway: give it a name, NAME={program}")
    return name, os.path.abspath(path)


def parse_options():
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=os.path.abspath,
                        default=os.path.join(ROOT, "build", "release"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="length of each measurement")
    parser.add_argument("--quick", action="store_true", help="one round of one second each")
    parser.add_argument("--flood", action="store_true",
                        help="floods of initiations instead, and what they do to peers")
    parser.add_argument("--proxy", action="store_true",
                        help="what reaches the inside of a tunnel without root, instead")
    for name in (proxy.WIREPROXY, proxy.ONETUN):
        parser.add_argument(f"--{name}", metavar="PATH", help="with --proxy: where it is, if not in PATH")
    parser.add_argument("--idle", type=int, default=10_000, metavar="COUNT",
                        help="with --proxy: idle connections (default: 10,000)")
    parser.add_argument("--scale", action="store_true",
                        help="what very many peers cost, instead: --scale --help says more")
    parser.add_argument("--no-avx512", action="store_true",
                        help="as on a CPU without AVX-512, with programs that were built for that")
    parser.add_argument("--only", nargs="+", metavar="ROW", choices=ALL_ROWS,
                        help=f"rows: {' '.join(ALL_ROWS)}")
    parser.add_argument("--against", action="append", default=[], type=named_program,
                        metavar="[NAME=]PROGRAM",
                        help="a further implementation, with wireguard-go's command line")
    parser.add_argument("--json", metavar="FILE", help="write all figures to a file")
    parser.add_argument("--svg", metavar="FILE", help="draw them")
    options = parser.parse_args()
    chosen = flood if options.flood else measure
    options.rows = proxy.ROWS if options.proxy else chosen.ROWS
    options.measurements = chosen.MEASUREMENTS
    if options.quick:
        options.rounds, options.seconds = 1, 1.0
    return options


def main():
    if "--scale" in sys.argv[1:]:
        return scale_run.main()
    options = parse_options()
    if reason := sandbox.missing():
        print(f"The bench {reason}.")
        return 1
    if not shutil.which("iperf3"):
        print("The bench needs a package that is not installed: iperf3.")
        return 1
    if options.proxy and not sandbox.inside():
        proxy.raise_limit(options.idle)
    sandbox.enter()
    if options.no_avx512:
        os.environ["OPENSSL_ia32cap"] = OPENSSL_WITHOUT_AVX512
    options.implementation = Implementation(SUBJECT, os.path.join(options.build_dir, "ferruled"))
    results = proxy.compare(options) if options.proxy else measure_all(options)
    here = machines.here()
    without = ", without AVX-512" if options.no_avx512 else ""
    print(f"{here['cpu']}{without}, {here['cores']} cores, Linux {here['kernel']}, "
          f"load {here['load']:.1f}; medians of {options.rounds} round(s), {options.seconds:g} s each\n")
    print(proxy.table(results, plot.align) if options.proxy else table(results, options.rows))
    plot.write_files(report_of(results, options), options, plot.draw)
    return 0


if __name__ == "__main__":
    sys.exit(main())
