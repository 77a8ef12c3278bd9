# For 32-bit ARM, by Debian's g++-arm-linux-gnueabihf.
set(FERRULE_TRIPLET arm-linux-gnueabihf)
set(FERRULE_QEMU qemu-arm)
set(CMAKE_SYSTEM_PROCESSOR armv7l)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
