#!/usr/bin/env bash
# demo                      two tunnels on this machine, set up and shown (needs root)
# needs: tests/e2e/demo.py
source tools/lib.sh
((EUID == 0)) || die "The demo makes network namespaces, which needs root: sudo ./dev demo"
need demo
FERRULE_TESTS=OFF FERRULE_TARGETS="ferruled ferrule" build release >&2
exec python3 tests/e2e/demo.py --build-dir build/release "$@"
