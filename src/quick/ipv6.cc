#include "quick/ipv6.h"

#include <fstream>

namespace ferrule::quick {

bool has_ipv6() {
  std::ifstream file("/proc/sys/net/ipv6/conf/default/disable_ipv6");
  int is_disabled = 1;  // no IPv6, no file
  return file >> is_disabled && is_disabled == 0;
}

}  // namespace ferrule::quick
