#include "cli/terminal/first_look.h"

#include <cerrno>
#include <cstring>

#include "cli/terminal/not_there.h"

namespace ferrule::cli {

bool is_found(Console& console, const monitor::Snapshot& snapshot,
              const std::vector<std::string>& names) {
  if (snapshot.list_error != 0) {
    console.err.print("{}: the interfaces can't be listed: {}\n", console.program,
                      std::strerror(snapshot.list_error));
    return false;
  }
  if (names.empty() && !snapshot.devices.empty()) return true;
  bool is_found = true;
  for (const monitor::AbsentDevice& device : snapshot.absent) {
    if (names.empty() && device.code == ENODEV) continue;  // has gone since it was listed
    if (device.code == ENODEV) {
      say_no_interface(console, device.name);
    } else {
      console.err.print("{}: {}: {}\n", console.program, device.name, std::strerror(device.code));
    }
    is_found = false;
  }
  return is_found;
}

}  // namespace ferrule::cli
