#!/usr/bin/env bash
# try_packages.sh FOLDER: installs the packages in FOLDER on machines that have nothing else, and lets
# them carry a ping. The machines are minimal Debian roots, their network two namespaces; all of it
# goes when this ends. Its last line says `N passed, N failed`.
set -euo pipefail
source tools/lib.sh
((EUID == 0)) || die "Trying packages makes roots and network namespaces, which needs root."

if [[ ${FERRULE_TRY:-} != inside ]]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  sources=(/etc/apt/sources.list.d/*.sources /etc/apt/sources.list)
  for source in "${sources[@]}"; do [[ ! -f $source ]] || break; done
  say "Making a minimal Debian (a minute) ..."
  mmdebstrap --quiet --variant=minbase bookworm "$work/bare" "$source" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2 && die "mmdebstrap failed."; }
  FERRULE_TRY=inside unshare --mount --pid --fork --kill-child --mount-proc \
    bash "$0" "$1" "$work"
  exit
fi

packages=$1 work=$2
passed=0 failed=0
log=$work/log

# check WHAT COMMAND...: one line a fact.
check() {
  local what=$1
  shift
  if "$@" >"$log" 2>&1; then
    echo "ok   $what"
    passed=$((passed + 1))
  else
    echo "FAIL $what"
    sed 's/^/     /' "$log"
    failed=$((failed + 1))
  fi
}

# root NAME: a fresh copy of the bare root, with the kernel's file systems.
root() {
  local at=$work/$1
  mkdir -p "$at" "$work/$1-upper" "$work/$1-work"
  mount -t overlay -o "lowerdir=$work/bare,upperdir=$work/$1-upper,workdir=$work/$1-work" \
    overlay "$at"
  mount -t proc proc "$at/proc"
  mount --rbind /dev "$at/dev"
  mount -t tmpfs tmpfs "$at/run"
  cp -a /etc/apt/. "$at/etc/apt/"
  cp -L /etc/resolv.conf /etc/hosts "$at/etc/"
  mkdir -p "$at/tmp/packages"
  cp "$packages"/* "$at/tmp/packages/"
}

inside() {
  chroot "$work/$1" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive \
    bash -euc "$2"
}

# shellcheck disable=SC2016  # it is for the shell in there
try() {
  local name=$1
  check "$name: ferrule --version" inside "$name" 'ferrule --version'
  check "$name: ferruled --version" inside "$name" 'ferruled --version'
  check "$name: manual pages, completions and units are there" inside "$name" '
    prefix=$(dirname "$(dirname "$(command -v ferruled)")")
    ls "$prefix"/share/man/man8/ferruled.8* "$prefix"/share/man/man8/ferrule.8* \
      "$prefix"/share/man/man5/ferrule.conf.5* "$prefix/lib/systemd/system/ferrule@.service" \
      "$prefix/lib/systemd/system/ferruled@.service" \
      "$prefix/share/bash-completion/completions/ferrule"'
  check "$name: two hosts, two files, a ping" bash tools/try_tunnel.sh "$work/$name"
}

root debian
check "debian: installs with what it depends on" inside debian '
  apt-get update -qq && apt-get install -qq -y --no-install-recommends /tmp/packages/*.deb'
try debian
check "debian: is removed without a trace" inside debian '
  apt-get purge -qq -y ferrule libferrule-dev && ! ls /usr/bin/ferrule* 2>/dev/null'

root tarball
needs=$(dpkg-deb -f "$packages"/ferrule_*.deb Depends | sed 's/ *([^)]*)//g; s/,/ /g')
check "tarball: unpacks over the libraries that it names" inside tarball "
  apt-get update -qq && apt-get install -qq -y --no-install-recommends $needs
  tar -xzf /tmp/packages/*.tar.gz -C / --strip-components=1"
try tarball

echo "$passed passed, $failed failed"
((failed == 0))
