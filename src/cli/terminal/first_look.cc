#include "cli/terminal/first_look.h"

#include <cerrno>
#include <cstring>

namespace ferrule::cli {

bool is_found(Console& console, const monitor::Snapshot& snapshot,
              const std::vector<std::string>& names) {
  if (snapshot.list_error != 0) {
    console.err.print("Unable to list interfaces: {}\n", std::strerror(snapshot.list_error));
    return false;
  }
  if (names.empty() && !snapshot.devices.empty()) return true;
  bool is_found = true;
  for (const monitor::AbsentDevice& device : snapshot.absent) {
    if (names.empty() && device.code == ENODEV) continue;  // has gone since it was listed
    console.err.print("Unable to access interface {}: {}\n", device.name,
                      std::strerror(device.code));
    is_found = false;
  }
  return is_found;
}

}  // namespace ferrule::cli
