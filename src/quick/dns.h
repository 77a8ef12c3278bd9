// Name servers of an interface, through whatever keeps the machine's resolv.conf.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// Value type.
struct DnsSettings {
  std::vector<IpAddress> servers;
  std::vector<std::string> search;
  [[nodiscard]] bool operator==(const DnsSettings&) const = default;
};

constexpr std::string_view kNoDnsKeeper =
    "DNS: there is no program to set it: install openresolv, resolvconf or systemd-resolved";

/// resolvconf where it is installed, else systemd-resolved's resolvectl, of which a resolvconf may be
/// but another name. Value type.
class DnsKeeper {
 public:
  /// None where the machine has neither.
  [[nodiscard]] static std::optional<DnsKeeper> find();

  /// These servers answer for all names while the interface is there. What was set is remembered.
  [[nodiscard]] Action set(const std::string& interface, const DnsSettings& settings) const;
  [[nodiscard]] Action unset(const std::string& interface) const;

 private:
  enum class Kind { resolvconf, resolvectl };
  explicit DnsKeeper(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
};

/// What a keeper was last told of an interface, by whichever process: files may change while the
/// interface is up.
[[nodiscard]] std::optional<DnsSettings> remembered_dns(const std::string& interface);
/// For an interface that has no DNS: there may have been another of its name.
void forget_dns(const std::string& interface);

}  // namespace ferrule::quick
