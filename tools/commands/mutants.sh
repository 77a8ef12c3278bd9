#!/usr/bin/env bash
# mutants [FILTER...]       deliberate mistakes, and who notices each
# needs: tests/mutants/run.py
source tools/lib.sh
asks_for_help "$@" || {
  need test
  build release >&2
}
exec python3 tests/mutants/run.py --build-dir build/release "$@"
