#!/usr/bin/env bash
# bench [OPTION...]         throughput, latency and memory, measured (./dev bench --help)
# needs: bench/run.py
source tools/lib.sh
preset=release
[[ " $* " != *" --no-avx512 "* ]] || preset=no-avx512
asks_for_help "$@" || {
  ((EUID == 0)) || die "Measuring makes network namespaces, which needs root: sudo ./dev bench"
  need bench
  build "$preset" -DFERRULE_BENCH=ON >&2
}
exec python3 bench/run.py --build-dir "build/$preset" "$@"
