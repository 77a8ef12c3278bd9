#!/usr/bin/env bash
# demo                      two tunnels on this machine, set up and shown (needs root)
# needs: tests/e2e/demo.py
source tools/lib.sh
((EUID == 0)) || die "The demo makes network namespaces, which needs root: sudo ./dev demo"
need demo
# Only what it runs: the keys are wg's where ferrule is not built, which would take twice as long again.
FERRULE_TESTS=OFF FERRULE_TARGETS=ferruled build release >&2
exec python3 tests/e2e/demo.py --build-dir build/release "$@"
