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

# fetch_source PACKAGE FOLDER: the sources of a package of the distribution, unpacked and patched as it builds
# them. From where the machine takes its packages, but in lists of its own: whether it knows of source
# packages or not stays its owner's matter. apt asks for the signatures of the lists, and for the sums in them.
fetch_source() {
  local package=$1 folder=$2 work=$2.part source
  [[ ! -d $folder ]] || return 0
  need package
  rm -rf "$work"
  mkdir -p "$work/lists/partial" "$work/sources"
  for source in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
    [[ -f $source ]] || continue
    sed -e 's/^Types:.*/Types: deb-src/' -e 's/^deb\s/deb-src /' "$source" >"$work/sources/$(basename "$source")"
  done
  [[ ! -f $work/sources/sources.list ]] || mv "$work/sources/sources.list" "$work/sources/machine.list"
  local options=(-o Dir::Etc::SourceList=/dev/null -o "Dir::Etc::SourceParts=$work/sources"
    -o "Dir::State::Lists=$work/lists" -o APT::Sandbox::User= -qq)
  apt-get "${options[@]}" update >&2
  (cd "$work" && apt-get "${options[@]}" source "$package" >log 2>&1) ||
    { cat "$work/log" >&2; die "Could not fetch the sources of $package."; }
  mv "$work/$package"-*/ "$folder"
  rm -rf "$work"
}

# zig: the path of the compiler of that name, from PyPI where the machine has none. It links for systems that
# are not at hand. Its version stands in tools/zig.txt, by hash.
zig() {
  local found=$PWD/build/zig/ziglang/zig
  if type -P zig; then return; fi
  if [[ ! -x $found ]]; then
    say "zig, a compiler for other systems, is fetched from PyPI."
    python3 -m pip install -q --require-hashes --no-deps --target build/zig -r tools/zig.txt >&2 ||
      die "Could not fetch zig."
  fi
  echo "$found"
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
  [[ $preset =~ ^(package|static|no-avx512)$ || $tests == OFF ]] || need unit
  [[ $preset =~ ^(release|no-avx512|package|static|aarch64)$ ]] || need sanitize
  [[ $preset != aarch64 ]] || need arm64
  mkdir -p "build/$preset"
  local ci=OFF bench=OFF  # warnings are errors there, and everything is built
  [[ ${CI:-} == true ]] && ci=ON
  [[ $ci == ON && $preset == release ]] && bench=ON
  (
    flock 9
    [[ $preset =~ ^(package|static|no-avx512|fuzz)$ ]] || set -- -DFERRULE_TESTS="$tests" "$@"
    # What `./dev lwip` has fetched. Not in packages: they are the same wherever they are built, and list
    # what they link by Debian's packages.
    [[ $preset =~ ^(package|static)$ || ! -d build/lwip ]] || set -- -DFERRULE_LWIP="$PWD/build/lwip" "$@"
    cmake --preset "$preset" -DFERRULE_WERROR=$ci -DFERRULE_BENCH=$bench "$@" \
      >"build/$preset/configure.log" 2>&1 || { cat "build/$preset/configure.log" >&2 && exit 1; }
    cmake --build "build/$preset" --target "${targets[@]}" --parallel "${FERRULE_JOBS:-$(nproc)}" \
      -- -k "$([[ $ci == ON ]] && echo 0 || echo 1)"
  ) 9>"build/$preset/.lock" </dev/null || die "The $preset build failed."
}
