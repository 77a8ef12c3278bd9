# shellcheck shell=bash
# Machines that have nothing but Debian's smallest root. Sourced after lib.sh, by scripts that run as root.

# bare_root: makes build/bare, which the machines are layers over, unless there is one of today's.
bare_root() {
  local source
  need try
  [[ -z $(find build/bare -maxdepth 0 -mtime -1 2>/dev/null) ]] || return 0
  for source in /etc/apt/sources.list.d/*.sources /etc/apt/sources.list; do
    [[ ! -f $source ]] || break
  done
  say "Making a minimal Debian (a minute) ..."
  rm -rf build/bare build/bare.new && mkdir -p build
  mmdebstrap --quiet --variant=minbase bookworm build/bare.new "$source" >build/bare.log 2>&1 ||
    { cat build/bare.log >&2 && die "mmdebstrap failed."; }
  touch build/bare.new && mv build/bare.new build/bare
}

# new_root BARE FOLDER: a machine over BARE in FOLDER, with the kernel's file systems and this machine's
# way to packages. To be called in a mount namespace: everything goes with it, but for the folders.
new_root() {
  local bare=$1 at=$2
  mkdir -p "$at" "$at-upper" "$at-work"
  mount -t overlay -o "lowerdir=$bare,upperdir=$at-upper,workdir=$at-work" overlay "$at"
  mount -t proc proc "$at/proc"
  mount --rbind /dev "$at/dev"
  mount -t tmpfs -o mode=755 tmpfs "$at/run"
  rm -rf "$at"/etc/apt/sources.list*
  cp -a /etc/apt/. "$at/etc/apt/"
  cp -L /etc/resolv.conf /etc/hosts "$at/etc/"
}
