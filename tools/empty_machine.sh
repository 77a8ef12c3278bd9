#!/usr/bin/env bash
# empty_machine.sh COMMAND...: runs shell commands, one after the other, in a clone of this tree on a
# machine that has nothing but Debian's smallest root, so that no package that happens to be here hides one
# that no list asks for. The compiler's cache is shared, unless FERRULE_COLD=1. Each command is timed, and
# fails the whole. The last line says `N passed, N failed[, N skipped]`, summed over those that say so; a
# command that does not counts as one.
set -euo pipefail
source tools/lib.sh
source tools/roots.sh
((EUID == 0)) || die "An empty machine is made of namespaces, which needs root."

# Outside: makes the root, and goes in.
if [[ ${FERRULE_EMPTY:-} != inside ]]; then
  bare_root
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  FERRULE_EMPTY=inside unshare --mount --pid --fork --kill-child bash "$0" "$work" "$@"
  exit
fi

# run COMMAND: in the machine, whose root this process has by then.
run() {
  local start=$SECONDS status
  echo "--- $1 ---"
  # The language is one of the things by which the compiler's cache knows a call.
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root CI="${CI:-}" \
    DEBIAN_FRONTEND=noninteractive ${LANG:+LANG="$LANG"} "${cache[@]}" bash -euo pipefail -c "$1" </dev/null 2>&1 | tee /tmp/log
  status=${PIPESTATUS[0]}
  echo "--- $1: status $status, $((SECONDS - start)) s ---"
  if [[ $(tail -n 1 /tmp/log) =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)?$ ]]; then
    passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
    ((status == 0 || BASH_REMATCH[2] > 0)) || failed=$((failed + 1))
  elif ((status)); then
    failed=$((failed + 1))
  else
    passed=$((passed + 1))
  fi
}

# Inside the namespaces: the machine's root becomes this process's.
at=$1/root
shift
mount --make-rprivate /
new_root "$PWD/build/bare" "$at"
mount --rbind /sys "$at/sys"
mkdir -p "$at/cache" "$at/old"
git -c safe.directory='*' clone -q --no-hardlinks . "$at/src"
cache=(CCACHE_DISABLE=1)
if [[ ${FERRULE_COLD:-} != 1 ]]; then
  cache=(CCACHE_DIR=/cache)
  folder=${CCACHE_DIR:-$HOME/.cache/ccache}
  mkdir -p "$folder"
  mount --bind "$folder" "$at/cache"
fi
cd "$at"
pivot_root . old
umount -l /old
cd /src

passed=0 failed=0 skipped=0
for command in "$@"; do run "$command"; done
echo "$passed passed, $failed failed$( ((skipped == 0)) || echo ", $skipped skipped")"
((failed == 0))
