#!/usr/bin/env bash
# fuzz [NAME [SECONDS]]     feeds a fuzzer; alone lists them (./dev fuzz --help)
# needs: tests/fuzz
source tools/lib.sh
asks_for_help "$@" || {
  need build sanitize
  FERRULE_TARGETS=fuzzers build fuzz >&2
}
exec python3 tests/fuzz/run.py --build-dir build/fuzz "$@"
