# For what zig can link for: the environment's FERRULE_ZIG_SYSTEM and FERRULE_ZIG_PROCESSOR say what that is
# by CMake's names. Its compilers for that target are in the folder of `tools/cross_libraries.sh`.
set(CMAKE_SYSTEM_NAME $ENV{FERRULE_ZIG_SYSTEM})
set(CMAKE_SYSTEM_PROCESSOR $ENV{FERRULE_ZIG_PROCESSOR})
include(${CMAKE_CURRENT_LIST_DIR}/libraries.cmake)
foreach(language C CXX)
  string(REPLACE CXX c++ compiler ${language})
  string(REPLACE C cc compiler ${compiler})
  set(CMAKE_${language}_COMPILER ${FERRULE_CROSS}/bin/${compiler})
endforeach()
set(CMAKE_AR ${FERRULE_CROSS}/bin/ar)
set(CMAKE_RANLIB ${FERRULE_CROSS}/bin/ranlib)
# Its linker, not the machine's.
set(CMAKE_LINKER ${FERRULE_CROSS}/bin/c++)
set(CMAKE_OSX_SYSROOT "" CACHE STRING "")
