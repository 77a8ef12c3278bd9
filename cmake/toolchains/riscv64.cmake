# For 64-bit RISC-V, by Debian's g++-riscv64-linux-gnu.
set(FERRULE_TRIPLET riscv64-linux-gnu)
set(FERRULE_QEMU qemu-riscv64)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
