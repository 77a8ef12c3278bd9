#!/usr/bin/env bash
# cross [TARGET...|--all]   libferrule and its unit tests for other systems (./dev cross --help)
source tools/lib.sh

# name | what is built | by | CMake's system and processor, for zig | run by
#   what: tests: the library, and the unit tests of core and ffi, which are run; library: it is linked, no more
table="
  armhf            tests    arm-linux-gnueabihf
  riscv64          tests    riscv64-linux-gnu
  s390x            tests    s390x-linux-gnu
  windows          tests    x86_64-w64-mingw32
  libcxx           tests    clang-19
  musl             tests    zig:x86_64-linux-musl     Linux x86_64
  musl-aarch64     library  zig:aarch64-linux-musl    Linux aarch64
  macos-aarch64    library  zig:aarch64-macos         Darwin arm64
  macos-x86_64     library  zig:x86_64-macos          Darwin x86_64
  freebsd          library  zig:x86_64-freebsd        FreeBSD x86_64
"

usage() {
  cat <<END
usage: ./dev cross [TARGET...|--all]
  Builds libferrule for other systems, its unit tests where they can be run (under qemu-user or wine), and runs
  them. Without a target it says which there are. Libraries are built once, from the distribution's sources.
Targets:
$(awk 'NF { printf "  %-15s %-8s %s\n", $1, $2, $3 }' <<<"$table")
The last line says: N passed, N failed[, N skipped]. A target that is only linked counts as one.
END
}

# The libraries and the options for CMake of a target.
prepare() {
  local name=$1 by=$2 system=${3:-} processor=${4:-}
  export FERRULE_CROSS=$PWD/build/cross/$name
  case $by in
    zig:*)
      bash tools/cross_libraries.sh "$name" zig "${by#zig:}" || return 1
      export FERRULE_ZIG_SYSTEM=$system FERRULE_ZIG_PROCESSOR=$processor
      toolchain=zig
      ;;
    clang-19)
      need sanitize cross-libcxx
      bash tools/cross_libraries.sh "$name" clang-19 || return 1
      toolchain=libcxx
      ;;
    *)
      need "cross-$name"
      bash tools/cross_libraries.sh "$name" "$by" || return 1
      export QEMU_LD_PREFIX=/usr/$by
      toolchain=$name
      ;;
  esac
}

# cross NAME WHAT BY...: the last line is the sum.
cross() {
  local name=$1 what=$2 toolchain tests=OFF
  shift 2
  [[ $what != tests ]] || tests=ON
  prepare "$name" "$@" || return 1
  local build=build/cross/$name/build
  mkdir -p "$build"
  cmake -S . -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DFERRULE_WERROR=ON \
    -DCMAKE_TOOLCHAIN_FILE="$PWD/cmake/toolchains/$toolchain.cmake" -DFERRULE_PARTS=library \
    -DFERRULE_OPENSSL=OFF -DFERRULE_TESTS=$tests \
    -DFERRULE_TEST_FOLDERS="base;crypto;packet;protocol;control;tunnel;ffi" >"$build/configure.log" 2>&1 ||
    { tail -n 30 "$build/configure.log" >&2; return 1; }
  cmake --build "$build" --parallel "${FERRULE_JOBS:-$(nproc)}" >&2 || return 1
  if [[ $tests == ON ]]; then
    python3 tools/unit_tests.py --build-dir "$build"
  else
    echo "ok   $name: libferrule is linked"
    echo "1 passed, 0 failed"
  fi
}

names=("$@")
case ${1:-} in
  "" | -h | --help) usage && exit ;;
  --all) mapfile -t names < <(awk 'NF { print $1 }' <<<"$table") ;;
esac
need build cross

passed=0 failed=0 skipped=0
for name in "${names[@]}"; do
  read -ra target < <(awk -v name="$name" '$1 == name' <<<"$table") || die "There is no target $name."
  echo "=== $name ==="
  log=$(mktemp)
  (cross "${target[@]}") | tee "$log" || true
  if [[ $(tail -n 1 "$log") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
  else
    echo "FAIL $name"
    failed=$((failed + 1))
  fi
  rm -f "$log"
done
echo "$passed passed, $failed failed, $skipped skipped"
((failed == 0))
