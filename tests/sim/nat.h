// A network address translator, of the kinds that RFC 4787 tells apart.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "base/net.h"
#include "base/time.h"

namespace ferrule::sim {

/// What a mapping or a filter depends on besides the endpoint inside (RFC 4787 §4.1 and §5).
enum class NatKind : std::uint8_t { endpoint_independent, address_dependent, address_and_port };

/// One public IPv4 address with hosts behind it. Mappings live while something goes out (REQ-6).
class Nat {
 public:
  struct Options {
    NatKind mapping = NatKind::endpoint_independent;
    NatKind filter = NatKind::address_and_port;
    Duration lifetime = 120s;
  };
  Nat(const IpAddress& address, const Options& options) noexcept
      : address_(address), options_(options) {}

  /// The public endpoint that a datagram from `inside` to `to` leaves from.
  [[nodiscard]] Endpoint outbound(Instant now, const Endpoint& inside, const Endpoint& to);
  /// Who gets a datagram that comes from `from` to a port of ours, if anybody.
  [[nodiscard]] std::optional<Endpoint> inbound(Instant now, const Endpoint& from,
                                                std::uint16_t port) const;
  /// Forgets every mapping: the next ones have other ports.
  void rebind() noexcept { mappings_.clear(); }
  [[nodiscard]] const IpAddress& address() const noexcept { return address_; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  [[nodiscard]] std::size_t size() const noexcept { return mappings_.size(); }

 private:
  struct Key {
    Endpoint inside;
    Endpoint to;  // as much of it as the kind of mapping looks at
    auto operator<=>(const Key&) const noexcept = default;
  };
  struct Mapping {
    std::uint16_t port = 0;
    Instant used;
    std::set<Endpoint> allowed;  // as much of them as the kind of filter looks at
  };
  [[nodiscard]] bool alive(Instant now, const Mapping& mapping) const noexcept {
    return now - mapping.used < options_.lifetime;
  }
  void expire(Instant now);

  IpAddress address_;
  Options options_;
  std::map<Key, Mapping> mappings_;
  std::uint16_t next_port_ = 1024;
};

[[nodiscard]] std::string_view name_of(NatKind kind) noexcept;

}  // namespace ferrule::sim
