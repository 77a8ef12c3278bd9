# Compiler and linker flags that every target shares, as the interface target `ferrule_flags`.
include(CheckPIESupported)
check_pie_supported(LANGUAGES CXX)

add_library(ferrule_flags INTERFACE)
target_include_directories(ferrule_flags INTERFACE
  ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/src/core ${PROJECT_BINARY_DIR}/generated)

# Line tables are enough for a backtrace and a profile, and halve the time to link.
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O2 -g1 -DNDEBUG")
set(CMAKE_CXX_FLAGS_DEBUG "-O1 -g1")

target_compile_options(ferrule_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow
  # Literals in tests would need a cast each.
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:FERRULE_IS_TEST>>>:-Wconversion> -Wno-sign-conversion
  -Wnon-virtual-dtor -Woverloaded-virtual -Wcast-align -Wformat=2
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>  # stable_partition in GCC 12's library
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>  # GCC 12 suspects every literal + std::string
  $<$<BOOL:${FERRULE_WERROR}>:-Werror>)

# Times after 2038 and large files, where a word alone does not hold them.
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
  target_compile_definitions(ferrule_flags INTERFACE _TIME_BITS=64 _FILE_OFFSET_BITS=64)
endif()

# The same bytes wherever the tree lies. Not for developers: their clones then share less of a compiler's cache.
if(FERRULE_REPRODUCIBLE)
  target_compile_options(ferrule_flags INTERFACE -ffile-prefix-map=${PROJECT_SOURCE_DIR}=.)
endif()

if(FERRULE_SANITIZE)
  # Lets the daemon leave its sandbox out: a sanitizer writes reports to files, and traces itself.
  target_compile_definitions(ferrule_flags INTERFACE FERRULE_SANITIZED)
  target_compile_options(ferrule_flags INTERFACE
    -fsanitize=${FERRULE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(ferrule_flags INTERFACE -fsanitize=${FERRULE_SANITIZE})
else()
  # _FORTIFY_SOURCE needs an optimizer, and hides from the sanitizers what they look for.
  target_compile_options(ferrule_flags INTERFACE
    -fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
  target_link_options(ferrule_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
