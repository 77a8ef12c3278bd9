#!/usr/bin/env bash
# same_packages.sh FOLDER: builds the packages once more, of a copy of this tree in another folder, by
# another name, in another time zone, with no compiler's cache, and succeeds if they are those in FOLDER
# to the byte.
set -euo pipefail
source tools/lib.sh
packages=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/another/name
mkdir -p "$copy"
git ls-files --cached --others --exclude-standard -z | tar --null -T - -c | tar -x -C "$copy"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CCACHE_DISABLE=1 TZ=Asia/Tokyo
(umask 027 && cd "$copy" && ./dev package)
for package in "$packages"/*; do
  if ! cmp "$package" "$copy/build/packages/$(basename "$package")"; then
    die "Two builds of one commit differ."
  fi
done
