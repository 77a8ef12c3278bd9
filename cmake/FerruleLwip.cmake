# lwIP's sources: a folder, or a release that is fetched and must be the one that was meant.
if(FERRULE_LWIP OR NOT FERRULE_LWIP_FETCH)
  return()
endif()
string(LENGTH "${FERRULE_LWIP_SHA256}" length)
if(NOT length EQUAL 64)
  message(FATAL_ERROR "FERRULE_LWIP_FETCH: say the release's sum, too: FERRULE_LWIP_SHA256")
endif()

include(FetchContent)
FetchContent_Declare(lwip_release
  URL ${FERRULE_LWIP_FETCH}
  URL_HASH SHA256=${FERRULE_LWIP_SHA256}
  DOWNLOAD_EXTRACT_TIMESTAMP OFF
  SOURCE_SUBDIR only-its-sources)  # of which src/stack makes a library, with our options
FetchContent_MakeAvailable(lwip_release)
set(FERRULE_LWIP ${lwip_release_SOURCE_DIR})
if(NOT EXISTS ${FERRULE_LWIP}/src/Filelists.cmake)
  message(FATAL_ERROR "FERRULE_LWIP_FETCH: ${FERRULE_LWIP_FETCH} is no release of lwIP's sources")
endif()
