// Where on this machine a device's sockets are to be.
#pragma once

#include <compare>
#include <string>

#include "base/net.h"

namespace ferrule {

/// One own address a family. Where one has any, a family without one is left out. Value type.
struct LocalAddresses {
  IpAddress v4;
  IpAddress v6;

  [[nodiscard]] bool is_empty() const noexcept {
    return v4.family() == Family::none && v6.family() == Family::none;
  }
  [[nodiscard]] const IpAddress& of(Family family) const noexcept {
    return family == Family::v6 ? v6 : v4;
  }
  auto operator<=>(const LocalAddresses&) const noexcept = default;
};

/// What is asked for. Empty: all addresses, all interfaces. Value type.
struct LocalPlace {
  LocalAddresses addresses;
  std::string interface;  // "": any

  [[nodiscard]] bool is_anywhere() const noexcept {
    return addresses.is_empty() && interface.empty();
  }
  bool operator==(const LocalPlace&) const = default;
};

}  // namespace ferrule
