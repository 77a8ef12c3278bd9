#!/usr/bin/env bash
# package [--static] [--try] packages in build/packages; --static: ferruled in one file; --try: in clean roots
# needs: packaging
source tools/lib.sh
case ${*:-} in
  "" | --try) ;;
  --static | "--static --try")
    # One file for machines that have nothing, or other libraries than Debian's.
    need build static
    FERRULE_TARGETS=ferruled build static >&2
    mkdir -p build/packages
    out=build/packages/ferruled-$(uname -m)
    strip -o "$out" build/static/ferruled
    ls -l "$out" >&2
    [[ $* != *--try ]] || exec bash tools/try_static.sh "$out"
    exit
    ;;
  *) say "usage: ./dev package [--static] [--try]" && exit 2 ;;
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
