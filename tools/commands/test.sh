#!/usr/bin/env bash
# test [OPTION...] [FILTER] lint, unit tests and end-to-end tests (./dev test --help)
source tools/lib.sh

usage() {
  cat <<'EOF'
usage: ./dev test [OPTION...] [FILTER]
  --preset P     test this build (default: release); dev and tsan are the sanitizers' builds, aarch64
                 is for 64-bit ARM, whose unit tests run under qemu
  --lint         only the lint checks; may be combined with the next two
  --unit         only the unit tests
  --e2e          only the end-to-end tests (network namespaces: they need root)
  --kernel       only the tests with the kernel's WireGuard, in virtual machines (about 2.5 minutes;
                 needs root, and downloads Debian's kernel once)
  --vectors DIR  let the unit tests read more test vectors from DIR
  --second-look  run end-to-end tests that failed once more, alone, and name those that pass then
  FILTER         only tests whose name contains this
The last line says: N passed, N failed[, N skipped].
EOF
}

preset=release
parts=()
options=()
while (($#)); do
  case $1 in
    --preset) preset=${2:?} && shift ;;
    --vectors) options+=(--vectors "$(realpath "${2:?}")") && shift ;;
    --second-look) options+=("$1") ;;
    --lint | --unit | --e2e | --kernel) parts+=("${1#--}") ;;
    -h | --help) usage && exit ;;
    -*) usage >&2 && exit 2 ;;
    *) options+=(--filter "$1") ;;
  esac
  shift
done
((${#parts[@]})) || parts=(lint unit e2e)

groups=(test)
for part in lint kernel; do
  [[ " ${parts[*]} " != *" $part "* ]] || groups+=("$part")
done
need "${groups[@]}"
if [[ ${parts[*]} != lint ]] && ! (build "$preset"); then
  echo "0 passed, 1 failed"
  exit 1
fi
exec python3 tools/test.py --build-dir "build/$preset" "${options[@]}" "${parts[@]}"
