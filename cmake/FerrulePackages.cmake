# What is installed besides programs and libraries, and the packages for Debian made of all of it (ferrule,
# libferrule-dev). `./dev package` makes and tries them, and a tarball.
install(FILES packaging/man/ferruled.8 packaging/man/ferrule.8
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man8 COMPONENT ferrule)
install(FILES packaging/man/ferrule.conf.5
  DESTINATION ${CMAKE_INSTALL_MANDIR}/man5 COMPONENT ferrule)
install(FILES packaging/completions/ferrule.bash RENAME ferrule
  DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT ferrule)
install(FILES packaging/completions/_ferrule
  DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT ferrule)
install(FILES packaging/completions/ferrule.fish
  DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT ferrule)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT ferrule)
install(FILES packaging/grafana/ferrule.json
  DESTINATION ${CMAKE_INSTALL_DATADIR}/ferrule/grafana COMPONENT ferrule)

# What each package links or leaves to be linked, in its folder of documentation.
if(FERRULE_SBOM)
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
  set(sbom ${Python3_EXECUTABLE} ${PROJECT_SOURCE_DIR}/tools/sbom.py --version ${PROJECT_VERSION})
  # Libraries that are all headers have to be named. Anew each time: what is linked may be upgraded without a
  # change of ours.
  add_custom_target(sbom ALL
    COMMAND ${sbom} --name ferrule --contains libcli11-dev nlohmann-json3-dev
      --programs $<TARGET_FILE:ferruled> $<TARGET_FILE:ferrule>
      --out ${PROJECT_BINARY_DIR}/ferrule.spdx.json
    COMMAND ${sbom} --name libferrule-dev --depends libssl-dev libsodium-dev libfmt-dev
      --out ${PROJECT_BINARY_DIR}/libferrule-dev.spdx.json
    DEPENDS ferruled ferrule)
  foreach(package ferrule libferrule-dev)
    install(FILES ${PROJECT_BINARY_DIR}/${package}.spdx.json
      DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${package})
  endforeach()
endif()

# The units name the programs by their full path.
foreach(unit ferrule@.service ferruled@.service ferrule-expire@.service ferrule-expire@.timer)
  configure_file(packaging/systemd/${unit}.in generated/${unit} @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/generated/${unit}
    DESTINATION lib/systemd/system COMPONENT ferrule)
endforeach()

set(CPACK_PACKAGE_NAME ferrule)
set(CPACK_PACKAGE_VENDOR "The Ferrule developers")
set(CPACK_PACKAGE_CONTACT "The Ferrule developers <ferrule@localhost>")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL ferrule libferrule-dev)
set(CPACK_COMPONENTS_GROUPING ONE_PER_GROUP)
set(CPACK_COMPONENT_FERRULE_DESCRIPTION
  "WireGuard in user space: the daemon ferruled and the tool ferrule.\n It takes the place of wireguard-go, wg and wg-quick.")
set(CPACK_COMPONENT_LIBFERRULE-DEV_DESCRIPTION
  "WireGuard's protocol without I/O, as a static library.\n It has no clock, socket, thread or randomness of its own.")

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_FERRULE_PACKAGE_NAME ferrule)
set(CPACK_DEBIAN_FERRULE_PACKAGE_RECOMMENDS "bash, resolvconf | systemd-resolved")
set(CPACK_DEBIAN_FERRULE_PACKAGE_CONTROL_EXTRA
  "${PROJECT_SOURCE_DIR}/packaging/debian/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/postrm")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_LIBFERRULE-DEV_PACKAGE_NAME libferrule-dev)
set(CPACK_DEBIAN_LIBFERRULE-DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBFERRULE-DEV_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_LIBFERRULE-DEV_PACKAGE_DEPENDS "libssl-dev, libsodium-dev, libfmt-dev")
include(CPack)
