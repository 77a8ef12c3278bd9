#!/usr/bin/env bash
# fmt [FILE...]             formats the C++ sources, or just these
source tools/lib.sh
need lint
if (($# == 0)); then
  mapfile -t files < <(git ls-files --cached --others --exclude-standard '*.cc' '*.h')
  set -- "${files[@]}"
fi
exec clang-format-19 -i "$@"
