// What a .conf file configures: the values of a ConfDocument.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "base/keys.h"
#include "base/net.h"
#include "control/conf_document.h"
#include "control/conf_error.h"
#include "control/values.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// Whose keys a file may use: wg's alone, or wg-quick's (Address, DNS, PostUp...) too.
enum class ConfDialect { wg, wg_quick };

/// [Interface]. Where a key comes twice the last one counts, and lists grow, as with wg.
struct InterfaceConf {
  std::optional<PrivateKey> private_key;
  std::optional<std::uint16_t> listen_port;
  std::optional<std::uint32_t> fwmark;
  // wg-quick's
  std::vector<InterfaceAddress> addresses;
  std::vector<IpAddress> dns_servers;
  std::vector<std::string> dns_search;
  std::optional<std::uint16_t> mtu_bytes;
  std::optional<std::string> table;  // "auto", "off", or what `ip route` takes
  std::vector<std::string> pre_up, post_up, pre_down, post_down;
  bool save_config = false;
};

/// [Peer].
struct PeerConf {
  PublicKey public_key;
  std::optional<PresharedKey> preshared_key;
  std::optional<HostPort> endpoint;
  std::optional<std::uint16_t> persistent_keepalive_s;
  bool replace_allowed_ips = true;  // unless one of them has a sign
  protocol::AllowedIpChanges allowed_ips;
  std::size_t section = 0;  // index into the document's sections
};

/// Move-only, since it holds keys.
struct Configuration {
  InterfaceConf interface;
  std::vector<PeerConf> peers;
  ConfErrors warnings;  // what works, but not as it looks
};

/// The values of a document, or everything that is wrong with it, by line.
[[nodiscard]] std::expected<Configuration, ConfErrors> read_configuration(
    const ConfDocument& document, ConfDialect dialect);

}  // namespace ferrule::control
