#!/usr/bin/env bash
# bench [OPTION...]         throughput, latency and memory, measured (./dev bench --help)
# needs: bench/run.py
source tools/lib.sh
[[ ${1:-} == --help ]] || ((EUID == 0)) ||
  die "Measuring makes network namespaces, which needs root: sudo ./dev bench"
need bench
preset=release
[[ " $* " != *" --no-avx512 "* ]] || preset=no-avx512
build "$preset" -DFERRULE_BENCH=ON >&2
exec python3 bench/run.py --build-dir "build/$preset" "$@"
