#!/usr/bin/env bash
# package [--try]           a tarball and Debian packages in build/packages; --try: in clean roots
# needs: packaging
source tools/lib.sh
case ${1:-} in
  "" | --try) ;;
  *) say "usage: ./dev package [--try]" && exit 2 ;;
esac
need build package
[[ ${1:-} != --try ]] || need try

# The same commit gives the same bytes: every time in the packages is the commit's, or the changelog's
# where there is no git, and modes do not depend on who builds.
umask 022
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md)}
export SOURCE_DATE_EPOCH
build package >&2
out=$PWD/build/packages
rm -rf "$out" && mkdir -p "$out"
(cd build/package && cpack -G DEB -B "$out" >"$out/cpack.log" 2>&1) ||
  { cat "$out/cpack.log" >&2 && die "cpack failed."; }
rm -rf "$out/_CPack_Packages" "$out/cpack.log"

# cpack's tarball would have the times of the build in it.
version=$(sed -n 's/^CMAKE_PROJECT_VERSION:.*=//p' build/package/CMakeCache.txt)
name=ferrule-$version-$(uname -s)
rm -rf build/package/stage
DESTDIR=$PWD/build/package/stage/$name cmake --install build/package --strip >build/package/install.log
tar -C build/package/stage --sort=name --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner \
  --format=gnu -c "$name" | gzip -9n >"$out/$name.tar.gz"
ls -l "$out" >&2
[[ ${1:-} != --try ]] || exec bash tools/try_packages.sh "$out"
