#!/usr/bin/env bash
# pictures                  draws docs/pictures anew, from the programs at work (needs root)
# needs: tests/e2e/pictures.py
source tools/lib.sh
((EUID == 0)) || die "The pictures show network namespaces, which needs root: sudo ./dev pictures"
need demo pictures
FERRULE_TESTS=OFF FERRULE_TARGETS="ferruled ferrule" build release >&2
exec python3 tests/e2e/pictures.py --build-dir build/release "$@"
