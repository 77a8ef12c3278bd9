# For s390x, whose bytes begin at the other end, by Debian's g++-s390x-linux-gnu.
set(FERRULE_TRIPLET s390x-linux-gnu)
set(FERRULE_QEMU qemu-s390x)
set(CMAKE_SYSTEM_PROCESSOR s390x)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
