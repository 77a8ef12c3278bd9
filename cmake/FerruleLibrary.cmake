# libferrule: all of src/core, as one static library for other programs.
set(folders base crypto packet protocol control tunnel)

set(objects)
foreach(folder ${folders})
  get_target_property(type ferrule_${folder} TYPE)
  if(type STREQUAL "STATIC_LIBRARY")
    list(APPEND objects $<TARGET_OBJECTS:ferrule_${folder}>)
  endif()
endforeach()

add_library(libferrule STATIC ${objects})
set_target_properties(libferrule PROPERTIES
  OUTPUT_NAME ferrule LINKER_LANGUAGE CXX ARCHIVE_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR})
target_link_libraries(libferrule PUBLIC PkgConfig::sodium fmt::fmt)
set(private libsodium fmt)
if(FERRULE_OPENSSL)
  target_link_libraries(libferrule PUBLIC OpenSSL::Crypto)
  list(PREPEND private libcrypto)
endif()
list(JOIN private " " FERRULE_REQUIRES_PRIVATE)

# Users write #include "protocol/device.h" as we do: the headers keep their folders, below one of ours.
configure_file(${PROJECT_SOURCE_DIR}/cmake/ferrule.pc.in ferrule.pc @ONLY)
install(TARGETS libferrule ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT libferrule-dev)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/ferrule.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  COMPONENT libferrule-dev)
install(FILES ${PROJECT_BINARY_DIR}/generated/base/version.h
  DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferrule/base COMPONENT libferrule-dev)
foreach(folder ${folders})
  install(DIRECTORY ${PROJECT_SOURCE_DIR}/src/core/${folder}
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/ferrule COMPONENT libferrule-dev
    FILES_MATCHING PATTERN "*.h" PATTERN "*_testing.h" EXCLUDE)
endforeach()
