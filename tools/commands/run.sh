#!/usr/bin/env bash
# run [FILE]                a scratch machine with the fresh programs and a peer to play with (needs root)
# needs: tests/e2e/playground.py
source tools/lib.sh
asks_for_help "$@" || {
  ((EUID == 0)) || die "The scratch machine is made of network namespaces, which needs root: sudo ./dev run"
  need demo
  FERRULE_TESTS=OFF FERRULE_TARGETS="ferruled ferrule" build release >&2
}
exec python3 tests/e2e/playground.py --build-dir build/release "$@"
