#!/usr/bin/env bash
# same_packages.sh FOLDER: builds once more, of a copy of this tree in another folder, by another name, in
# another time zone, with no compiler's cache, and succeeds if it makes the same bytes. That is the daemon,
# which takes a third of the time; with FERRULE_SAME=packages it is all packages, as they are in FOLDER.
set -euo pipefail
source tools/lib.sh
packages=$(realpath "$1")
built=$PWD/build/package
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
copy=$work/another/name
mkdir -p "$copy"
git ls-files --cached --others --exclude-standard -z | tar --null -T - -c | tar -x -C "$copy"
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH CCACHE_DISABLE=1 TZ=Asia/Tokyo
umask 027
cd "$copy"
if [[ ${FERRULE_SAME:-} == packages ]]; then
  ./dev package
  files=("$packages"/*) there=$copy/build/packages
else
  FERRULE_TARGETS=ferruled build package
  files=("$built/ferruled") there=$copy/build/package
fi
for file in "${files[@]}"; do
  cmp "$file" "$there/$(basename "$file")" || die "Two builds of one commit differ."
done
