# libferrule for other programs: libferrule.a, all of src/core and the C ABI as objects, and libferrule.so, which
# lets out the C ABI (include/ferrule.h) and nothing else.
set(folders base crypto packet protocol control tunnel)

set(objects)
foreach(folder ${folders} uapi ffi)
  get_target_property(type ferrule_${folder} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    list(APPEND objects $<TARGET_OBJECTS:ferrule_${folder}>)
  endif()
endforeach()

add_library(libferrule STATIC ${objects})
set_target_properties(libferrule PROPERTIES
  OUTPUT_NAME ferrule LINKER_LANGUAGE CXX ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
set(libraries PkgConfig::sodium fmt::fmt)
set(private libsodium fmt)
if(FERRULE_OPENSSL)
  list(PREPEND libraries OpenSSL::Crypto)
  list(PREPEND private libcrypto)
endif()
list(JOIN private " " FERRULE_REQUIRES_PRIVATE)
if("windows" IN_LIST FERRULE_SYSTEMS)
  list(APPEND libraries bcrypt)
endif()
target_link_libraries(libferrule PUBLIC ${libraries})

# Another SOVERSION would be another ABI: what is there stays as it is (include/ferrule.h).
add_library(libferrule_shared SHARED ${objects})
set_target_properties(libferrule_shared PROPERTIES
  OUTPUT_NAME ferrule LINKER_LANGUAGE CXX LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}
  SOVERSION 1 VERSION 1.${PROJECT_VERSION})
target_link_libraries(libferrule_shared PRIVATE ferrule_flags ${libraries})
target_include_directories(libferrule_shared INTERFACE ${PROJECT_SOURCE_DIR}/include)

# The names in the map, in the way that the system's linker takes them.
set(map ${PROJECT_SOURCE_DIR}/src/ffi/ferrule.map)
file(STRINGS ${map} names REGEX "^    [a-z_]+;")
list(TRANSFORM names REPLACE "^ *([a-z_]+);.*" "\\1")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${map})
if(APPLE)
  list(TRANSFORM names PREPEND "_")
  list(JOIN names "\n" lines)
  file(WRITE ${PROJECT_BINARY_DIR}/ferrule.exports "${lines}\n")
  target_link_options(libferrule_shared PRIVATE
    -Wl,-exported_symbols_list,${PROJECT_BINARY_DIR}/ferrule.exports)
elseif("windows" IN_LIST FERRULE_SYSTEMS)
  list(JOIN names "\n" lines)
  file(WRITE ${PROJECT_BINARY_DIR}/ferrule.def "EXPORTS\n${lines}\n")
  target_sources(libferrule_shared PRIVATE ${PROJECT_BINARY_DIR}/ferrule.def)
else()
  target_link_options(libferrule_shared PRIVATE -Wl,--version-script=${map})
  if(NOT FERRULE_SANITIZE)  # whose library comes with the program
    target_link_options(libferrule_shared PRIVATE -Wl,-z,defs)
  endif()
  set_target_properties(libferrule_shared PROPERTIES LINK_DEPENDS ${map})
endif()

# Users of C++ write #include "protocol/device.h" as we do: the headers keep their folders, below one of ours.
foreach(file ferrule.pc ferrule-c.pc)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/${file}.in ${file} @ONLY)
  install(FILES ${CMAKE_CURRENT_BINARY_DIR}/${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    COMPONENT libferrule-dev)
endforeach()
install(TARGETS libferrule libferrule_shared
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libferrule-dev
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libferrule-dev
  RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT libferrule-dev)
install(FILES ${PROJECT_SOURCE_DIR}/include/ferrule.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT libferrule-dev)
install(FILES ${PROJECT_BINARY_DIR}/generated/base/version.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferrule/base COMPONENT libferrule-dev)
foreach(folder ${folders})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/core/${folder}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferrule COMPONENT libferrule-dev
    FILES_MATCHING PATTERN "*.h" PATTERN "*_testing.h" EXCLUDE)
endforeach()
