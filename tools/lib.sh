# shellcheck shell=bash
# What the scripts in tools/commands share. Sourced, with the root of the tree as working folder.

say() { printf '%s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# need GROUP...: installs the packages of these groups (tools/packages.txt) that are missing.
need() {
  local missing=() package
  command -v dpkg-query >/dev/null || return 0  # not Debian: the user knows best
  for package in $(packages "$@"); do
    # A line an architecture: one is enough.
    dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed ||
      missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  [[ " $* " != *" arm64 "* ]] || know_arm64
  if ((EUID != 0)); then
    say "Some Debian packages are missing. Please run this, then try again:"
    die "  sudo apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "These Debian packages are missing, and are installed now: ${missing[*]}"
  local log
  log=$(mktemp)
  if ! { apt-get update -qq && DEBIAN_FRONTEND=noninteractive \
    apt-get install -qq -y -o DPkg::Lock::Timeout=120 --no-install-recommends "${missing[@]}"; } >"$log" 2>&1 </dev/null; then
    cat "$log" >&2
    die "Could not install the packages."
  fi
  rm -f "$log"
}

# Tells dpkg that there may be packages of arm64 too.
know_arm64() {
  dpkg --print-foreign-architectures | grep -qx arm64 && return
  if ((EUID != 0)); then
    say "Packages for 64-bit ARM are wanted. Please run this first:"
    die "  sudo dpkg --add-architecture arm64 && sudo apt-get update"
  fi
  dpkg --add-architecture arm64
}

# packages GROUP...: the names of these groups' packages, or of all without an argument.
packages() {
  awk -v groups=" $* " '
    /^#/ || !NF { next }
    groups == "  " || index(groups, " " $1 " ") { for (i = 2; i <= NF; i++) print $i }
  ' tools/packages.txt | sort -u
}

# asks_for_help ARGUMENT...: whether there is nothing to do but to tell how.
asks_for_help() {
  local argument
  for argument; do
    [[ $argument != -h && $argument != --help ]] || return 0
  done
  return 1
}

# build PRESET [OPTION...]: configures and builds a preset, or only the targets $FERRULE_TARGETS of it;
# further options go to cmake. Two builds of one preset wait for each other. Without
# FERRULE_TESTS=OFF there are tests in it.
build() {
  local preset=$1 tests=${FERRULE_TESTS:-ON} targets
  shift
  read -ra targets <<<"${FERRULE_TARGETS:-all}"
  need build
  [[ $preset =~ ^(package|no-avx512)$ || $tests == OFF ]] || need unit
  [[ $preset =~ ^(release|no-avx512|package|aarch64)$ ]] || need sanitize
  [[ $preset != aarch64 ]] || need arm64
  mkdir -p "build/$preset"
  local ci=OFF bench=OFF  # warnings are errors there, and everything is built
  [[ ${CI:-} == true ]] && ci=ON
  [[ $ci == ON && $preset == release ]] && bench=ON
  (
    flock 9
    [[ $preset =~ ^(package|no-avx512|fuzz)$ ]] || set -- -DFERRULE_TESTS="$tests" "$@"
    # What `./dev lwip` has fetched. Not in packages: they are the same wherever they are built, and list
    # what they link by Debian's packages.
    [[ $preset == package || ! -d build/lwip ]] || set -- -DFERRULE_LWIP="$PWD/build/lwip" "$@"
    cmake --preset "$preset" -DFERRULE_WERROR=$ci -DFERRULE_BENCH=$bench "$@" \
      >"build/$preset/configure.log" 2>&1 || { cat "build/$preset/configure.log" >&2 && exit 1; }
    cmake --build "build/$preset" --target "${targets[@]}" --parallel "${FERRULE_JOBS:-$(nproc)}" \
      -- -k "$([[ $ci == ON ]] && echo 0 || echo 1)"
  ) 9>"build/$preset/.lock" </dev/null || die "The $preset build failed."
}
