// What a device has been told to be, kept in the plainest way: the reference for routing, and what a
// device that restarts is configured with.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/keys.h"
#include "base/net.h"
#include "protocol/configuration.h"

namespace ferrule::sim {

class ConfigurationModel {
 public:
  struct Peer {
    std::array<std::uint8_t, kKeySize> psk{};
    std::uint16_t persistent_keepalive_s = 0;
    std::optional<Endpoint> endpoint;  // the configured one, whatever it has become since
  };

  void apply(const protocol::DeviceChange& change);
  /// All of it, for a device that knows nothing.
  [[nodiscard]] protocol::DeviceChange whole() const;

  [[nodiscard]] const PublicKey& public_key() const noexcept { return public_key_; }
  [[nodiscard]] const std::map<PublicKey, Peer>& peers() const noexcept { return peers_; }
  [[nodiscard]] const Peer* peer(const PublicKey& key) const noexcept;
  /// Whose the address is: the owner of the longest prefix that holds it, found one by one.
  [[nodiscard]] std::optional<PublicKey> owner(const IpAddress& address) const noexcept;
  [[nodiscard]] std::vector<Cidr> prefixes_of(const PublicKey& key) const;

 private:
  void apply(const protocol::PeerChange& change);
  void remove(const PublicKey& key);

  PrivateKey private_key_;
  PublicKey public_key_;
  std::map<PublicKey, Peer> peers_;
  std::vector<std::pair<Cidr, PublicKey>> prefixes_;
};

}  // namespace ferrule::sim
