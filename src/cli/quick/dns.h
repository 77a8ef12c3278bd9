// Name servers of an interface, through whatever keeps the machine's resolv.conf.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/net.h"
#include "cli/quick/transaction.h"

namespace ferrule::cli {

/// resolvconf where it is installed, else systemd-resolved's resolvectl. Value type.
class DnsKeeper {
 public:
  /// None where the machine has neither.
  [[nodiscard]] static std::optional<DnsKeeper> find();

  /// These servers answer for all names while the interface is there.
  [[nodiscard]] Action set(const std::string& interface, const std::vector<IpAddress>& servers,
                           const std::vector<std::string>& search) const;
  [[nodiscard]] Action unset(const std::string& interface) const;

 private:
  enum class Kind { resolvconf, resolvectl };
  explicit DnsKeeper(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
};

}  // namespace ferrule::cli
