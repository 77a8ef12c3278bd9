#!/usr/bin/env bash
# bench [OPTION...]         throughput, latency and memory, measured (./dev bench --help)
# needs: bench/run.py
source tools/lib.sh
need bench
build release -DFERRULE_BENCH=ON >&2
exec python3 bench/run.py --build-dir build/release "$@"
