# For 64-bit Windows, by Debian's g++-mingw-w64-x86-64-posix: the variant that has threads. Where wine is
# installed, tests run under it.
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR AMD64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)
include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)
# One file, without the compiler's libraries beside it.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

find_program(FERRULE_EMULATOR NAMES wine64 wine PATHS /usr/lib/wine)
if(FERRULE_EMULATOR)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FERRULE_EMULATOR})
endif()
