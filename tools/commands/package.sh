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
build package >&2
out=$PWD/build/packages
rm -rf "$out" && mkdir -p "$out"
for generator in DEB TGZ; do
  (cd build/package && cpack -G "$generator" -B "$out" >"$out/cpack.log" 2>&1) ||
    { cat "$out/cpack.log" >&2 && die "cpack failed."; }
done
rm -rf "$out/_CPack_Packages" "$out/cpack.log"
ls -l "$out" >&2
[[ ${1:-} != --try ]] || exec bash tools/try_packages.sh "$out"
