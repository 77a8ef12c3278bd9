#!/usr/bin/env bash
# Builds what libferrule needs for another system, in build/cross/NAME: libsodium of the distribution's source
# package, fmt's headers, and for the tests GoogleTest and nlohmann's JSON. Once; then it is there.
#   tools/cross_libraries.sh NAME HOST          by HOST-gcc and HOST-g++ (or those with -posix)
#   tools/cross_libraries.sh NAME clang-19      for this machine
#   tools/cross_libraries.sh NAME zig TARGET    by zig, for one of its targets
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
source tools/lib.sh

name=${1:?} compiler=${2:?}
folder=$PWD/build/cross/$name
[[ ! -f $folder/done ]] || exit 0
mkdir -p "$folder"/{bin,lib/pkgconfig,lib/cmake,include,scratch}

host=$compiler
if [[ $compiler == zig ]]; then
  # It is many tools in one: a script each.
  target=${3:?}
  for tool in cc c++ ar ranlib; do
    arguments=$tool
    [[ $tool != c* ]] || arguments+=" -target $target"
    printf '#!/bin/sh\nexec "%s" %s "$@"\n' "$(zig)" "$arguments" >"$folder/bin/$tool"
    chmod +x "$folder/bin/$tool"
  done
  export CC=$folder/bin/cc CXX=$folder/bin/c++ AR=$folder/bin/ar RANLIB=$folder/bin/ranlib
  host=${target/macos/apple-darwin}
elif [[ $compiler == clang* ]]; then
  export CC=$compiler CXX=${compiler/clang/clang++}
  host=
else
  variant=
  ! command -v "$host-gcc-posix" >/dev/null || variant=-posix
  export CC=$host-gcc$variant CXX=$host-g++$variant AR=$host-ar RANLIB=$host-ranlib
fi

sources=$PWD/build/sources/libsodium
fetch_source libsodium "$sources"
say "libsodium for $name"
sodium() {
  [[ -f $sources/configure ]] || (cd "$sources" && autoreconf -fi) || return 1
  cd "$folder/scratch" || return 1
  "$sources/configure" ${host:+--host="$host"} --prefix="$folder" --disable-shared --disable-dependency-tracking \
    --disable-pie CFLAGS="-O2 -fPIC" &&
    make -j"${FERRULE_JOBS:-$(nproc)}" -C src install && make install-pkgconfigDATA
}
(sodium) >"$folder/scratch/log" 2>&1 ||
  { tail -n 30 "$folder/scratch/log" >&2; die "libsodium can't be built for $name."; }

cp -r /usr/include/fmt /usr/include/nlohmann "$folder/include/"
mkdir -p "$folder/lib/cmake/"{fmt,nlohmann_json,GTest}
cat >"$folder/lib/cmake/fmt/fmt-config.cmake" <<END
add_library(fmt::fmt INTERFACE IMPORTED)
target_compile_definitions(fmt::fmt INTERFACE FMT_HEADER_ONLY)
target_include_directories(fmt::fmt INTERFACE $folder/include)
END
cat >"$folder/lib/cmake/nlohmann_json/nlohmann_json-config.cmake" <<END
add_library(nlohmann_json::nlohmann_json INTERFACE IMPORTED)
target_include_directories(nlohmann_json::nlohmann_json INTERFACE $folder/include)
END
# Two files are all of GoogleTest; they are compiled with the first test that is built.
cat >"$folder/lib/cmake/GTest/GTestConfig.cmake" <<END
if(NOT TARGET GTest::gmock_main)
  add_library(ferrule_gtest STATIC EXCLUDE_FROM_ALL /usr/src/googletest/googletest/src/gtest-all.cc
    /usr/src/googletest/googlemock/src/gmock-all.cc /usr/src/googletest/googlemock/src/gmock_main.cc)
  target_include_directories(ferrule_gtest SYSTEM PUBLIC /usr/src/googletest/googletest/include
    /usr/src/googletest/googlemock/include PRIVATE /usr/src/googletest/googletest
    /usr/src/googletest/googlemock)
  target_compile_options(ferrule_gtest PRIVATE -w)
  add_library(GTest::gmock_main ALIAS ferrule_gtest)
endif()
END
rm -rf "$folder/scratch"
touch "$folder/done"
