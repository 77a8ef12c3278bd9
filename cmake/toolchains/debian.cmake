# What the toolchain files of Debian's cross compilers have in common: they set FERRULE_TRIPLET and
# FERRULE_QEMU. Libraries come from the folder of `tools/cross_libraries.sh`, the environment's
# FERRULE_CROSS. Where qemu-user is installed, tests run under it.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_C_COMPILER ${FERRULE_TRIPLET}-gcc)
set(CMAKE_CXX_COMPILER ${FERRULE_TRIPLET}-g++)
include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)

find_program(FERRULE_EMULATOR ${FERRULE_QEMU})
if(FERRULE_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FERRULE_EMULATOR} -L /usr/${FERRULE_TRIPLET})
endif()
