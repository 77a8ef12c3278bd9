# For 64-bit ARM, on Debian with g++-aarch64-linux-gnu and the libraries of architecture arm64
# (docs/testing.md says how to get them). Where qemu-user is installed, tests run under it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(triplet aarch64-linux-gnu)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_LIBRARY_ARCHITECTURE ${triplet})

# Debian keeps the libraries of every architecture side by side: none but these may be found.
set(CMAKE_FIND_ROOT_PATH /usr/lib/${triplet} /usr/${triplet} /usr)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(ENV{PKG_CONFIG_LIBDIR} /usr/lib/${triplet}/pkgconfig:/usr/share/pkgconfig)

find_program(FERRULE_EMULATOR qemu-aarch64)
if(FERRULE_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FERRULE_EMULATOR})
endif()
