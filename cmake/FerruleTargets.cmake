# What a folder of src/ becomes. A folder is described in two lines; its sources are found by name:
#   x.cc          part of the folder's library, sub-folders included
#   x_test.cc     a unit test; all of a folder's tests make one program
#   x_testing.cc  a helper of the tests, only in that program
#   main.cc       only in the folder's program (ferrule_program)
#   linux/x.cc    only where that system is built for (FERRULE_SYSTEMS); so bsd/ (macOS too), windows/ and
#                 posix/ (all but Windows). The only places that name a system.
# A folder without sources is a header-only library, and one without tests has no test program.
#
# A source that needs instructions beyond the baseline marks its functions with
# __attribute__((target("..."))). Where that does not do, the folder's CMakeLists.txt can say
#   set_source_files_properties(x.cc PROPERTIES COMPILE_OPTIONS "-mavx512f;-mavx512ifma")

if(CMAKE_SYSTEM_NAME MATCHES "^(Linux|Android)$")
  set(FERRULE_SYSTEMS linux posix)
elseif(CMAKE_SYSTEM_NAME MATCHES "^(Darwin|iOS|FreeBSD|OpenBSD)$")
  set(FERRULE_SYSTEMS bsd posix)
elseif(CMAKE_SYSTEM_NAME STREQUAL "Windows")
  set(FERRULE_SYSTEMS windows)
else()
  message(FATAL_ERROR "Nothing is known of ${CMAKE_SYSTEM_NAME}: see cmake/FerruleTargets.cmake")
endif()

# Takes what is for other systems out of a list of sources.
function(ferrule_keep_system list)
  set(others linux bsd windows posix)
  list(REMOVE_ITEM others ${FERRULE_SYSTEMS})
  list(JOIN others "|" pattern)
  set(kept ${${list}})
  list(FILTER kept EXCLUDE REGEX "^${CMAKE_CURRENT_SOURCE_DIR}/(.*/)?(${pattern})/")
  set(${list} ${kept} PARENT_SCOPE)
endfunction()

# ferrule_library(<folder> [DEPENDS <target>...])
# Makes the library ferrule_<folder>, and ferrule_<folder>_test from its tests.
function(ferrule_library folder)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEPENDS")
  set(target ferrule_${folder})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  ferrule_keep_system(sources)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test(ing)?\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test(ing)?|/main)\\.cc$")

  if(sources)
    add_library(${target} STATIC ${sources})
    target_link_libraries(${target} PUBLIC ferrule_flags ${arg_DEPENDS})
  else()
    add_library(${target} INTERFACE)
    target_link_libraries(${target} INTERFACE ferrule_flags ${arg_DEPENDS})
  endif()
  ferrule_test(${folder} SOURCES ${tests} DEPENDS ${target})
endfunction()

# ferrule_part(<name> <folder> SOURCES <file>...)
# Takes sources out of a folder's library and makes another of them, ferrule_<name>, on which the first one
# then depends.
function(ferrule_part name folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "SOURCES")
  list(TRANSFORM arg_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/)
  set(whole ferrule_${folder})
  get_target_property(sources ${whole} SOURCES)
  list(REMOVE_ITEM sources ${arg_SOURCES})
  set_target_properties(${whole} PROPERTIES SOURCES "${sources}")
  get_target_property(dependencies ${whole} LINK_LIBRARIES)
  add_library(ferrule_${name} STATIC ${arg_SOURCES})
  target_link_libraries(ferrule_${name} PUBLIC ${dependencies})
  target_link_libraries(${whole} PUBLIC ferrule_${name})
endfunction()

# ferrule_program(<name> <folder> [DEPENDS <target>...])
# Makes the program <name> from the folder's main.cc and a library of everything else, so that its
# parts can be tested too.
function(ferrule_program name folder)
  cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "DEPENDS")
  ferrule_library(${folder} DEPENDS ${arg_DEPENDS})
  file(GLOB main CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/main.cc)
  if(main)
    add_executable(${name} ${main})
    target_link_libraries(${name} PRIVATE ferrule_${folder})
    if(FERRULE_STATIC)
      # Behind CMake's own -pie, which it replaces.
      target_link_libraries(${name} PRIVATE -static-pie -Wl,--gc-sections)
    endif()
    install(TARGETS ${name} RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ferrule)
  endif()
endfunction()

# ferrule_test(<name> SOURCES <file>... [DEPENDS <target>...])
# Makes the GoogleTest program ferrule_<name>_test and has `./dev test` run it. No sources, no test.
function(ferrule_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  if(NOT FERRULE_TESTS OR NOT arg_SOURCES)
    return()
  endif()
  if(FERRULE_TEST_FOLDERS AND NOT name IN_LIST FERRULE_TEST_FOLDERS)
    return()
  endif()
  set(target ferrule_${name}_test)
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES
    FERRULE_IS_TEST ON RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE
    ${arg_DEPENDS} ferrule_flags nlohmann_json::nlohmann_json GTest::gmock_main)
  add_test(NAME ${name} COMMAND ${target})
  set_property(GLOBAL APPEND PROPERTY FERRULE_TEST_PROGRAMS $<TARGET_FILE:${target}>)
endfunction()

# ferrule_fuzzer(<name> SOURCES <file>... [DEPENDS <target>...])
# Makes the libFuzzer program fuzz/<name>, in the fuzz preset only.
function(ferrule_fuzzer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  if(NOT FERRULE_SANITIZE MATCHES "fuzzer")
    return()
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/fuzz)
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPENDS} ferrule_flags)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
endfunction()

# Writes the paths of all test programs to tests.txt in the build folder, for tools/unit_tests.py:
# what lies in the folder could be left over from a test that has been renamed.
function(ferrule_write_test_list)
  get_property(programs GLOBAL PROPERTY FERRULE_TEST_PROGRAMS)
  list(JOIN programs "\n" lines)
  file(GENERATE OUTPUT ${PROJECT_BINARY_DIR}/tests.txt CONTENT "${lines}\n")
endfunction()
