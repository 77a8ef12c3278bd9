#!/usr/bin/env bash
# lint [OPTION...]          style and structure; --fix: updates docs/protocol.md, --tidy: clang-tidy
source tools/lib.sh
if [[ ${1:-} == --tidy ]]; then
  shift
  need lint tidy
  build release
  exec python3 tools/tidy.py --build-dir build/release "$@"
fi
need lint
exec python3 tools/lint/run.py "$@"
