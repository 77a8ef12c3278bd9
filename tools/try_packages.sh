#!/usr/bin/env bash
# try_packages.sh FOLDER: installs the packages in FOLDER on machines that have nothing else, and lets
# them carry a ping. The machines are minimal Debian roots, their network two namespaces; all of it
# goes when this ends. Its last line says `N passed, N failed`.
set -euo pipefail
source tools/lib.sh
source tools/roots.sh
source tools/checks.sh
((EUID == 0)) || die "Trying packages makes roots and network namespaces, which needs root."

if [[ ${FERRULE_TRY:-} != inside ]]; then
  bare_root
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  FERRULE_TRY=inside unshare --mount --pid --fork --kill-child --mount-proc \
    bash "$0" "$1" "$work"
  exit
fi

packages=$1 work=$2
log=$work/log

# root NAME: a fresh machine, with the packages in /tmp.
root() {
  new_root "$PWD/build/bare" "$work/$1"
  mkdir -p "$work/$1/tmp/packages"
  cp "$packages"/* "$work/$1/tmp/packages/"
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
# shellcheck disable=SC2016  # it is for the shell in there
check "debian: what is linked is listed, all that it depends on" inside debian '
  list=/usr/share/doc/ferrule/ferrule.spdx.json
  grep "\"spdxVersion\": \"SPDX-2.3\"" $list
  for package in $(dpkg-query -W -f "\${Depends}" ferrule | sed "s/ *([^)]*)//g; s/,/ /g"); do
    grep "\"name\": \"$package\"" $list
  done'
check "container: a full tunnel under a container's limits" bash tools/try_container.sh "$work/debian"
check "debian: is removed without a trace" inside debian '
  apt-get purge -qq -y ferrule libferrule-dev && ! ls /usr/bin/ferrule* 2>/dev/null'

# The same files by the version before, which had no maintainer scripts: what an upgrade does to tunnels
# that are up is theirs to decide.
root upgrade
older=$work/upgrade/tmp/older
dpkg-deb -R "$packages"/ferrule_*.deb "$older"
sed -i 's/^Version: .*/Version: 0.1.0/' "$older/DEBIAN/control"
rm "$older"/DEBIAN/post*
dpkg-deb -b "$older" "$older.deb" >"$log"
check "upgrade: 0.1.0 installs" inside upgrade '
  apt-get update -qq && apt-get install -qq -y --no-install-recommends /tmp/older.deb'
check "upgrade: tunnels stay up, no packet waits for more than half a second" \
  bash tools/try_upgrade.sh "$work/upgrade" "/tmp/packages/$(basename "$packages"/ferrule_*.deb)"
sed -n 's/^[0-9]* answers/     &/p' "$log"

check "the same commit in another folder makes the same daemon" bash tools/same_packages.sh "$packages"

root tarball
needs=$(dpkg-deb -f "$packages"/ferrule_*.deb Depends | sed 's/ *([^)]*)//g; s/,/ /g')
check "tarball: unpacks over the libraries that it names" inside tarball "
  apt-get update -qq && apt-get install -qq -y --no-install-recommends $needs
  tar -xzf /tmp/packages/*.tar.gz -C / --strip-components=1"
try tarball

sum_up
