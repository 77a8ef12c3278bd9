#include "service/uapi_place.h"

#include <system_error>

namespace ferrule::service {

std::string uapi_socket_path(const std::string& interface, const std::string& directory) {
  return directory + "/" + interface + ".sock";
}

Result<std::unique_ptr<io::Listener>> listen_for_uapi(const std::string& interface,
                                                      const std::string& directory) {
  Result<std::unique_ptr<io::Listener>> listener =
      io::listen_at(uapi_socket_path(interface, directory));
  if (listener) return listener;
  Error& error = listener.error();
  if (error.is(std::errc::address_in_use)) {
    error.what.insert(0, interface + " is already running: ");
  } else if (error.is(std::errc::permission_denied) ||
             error.is(std::errc::operation_not_permitted)) {
    error.what += "; needs root, or a socket by WG_UAPI_FD";
  }
  return listener;
}

}  // namespace ferrule::service
