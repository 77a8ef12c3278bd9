#include "sim/nat.h"

namespace ferrule::sim {

namespace {

// The part of an endpoint that a kind tells apart.
Endpoint part_of(const Endpoint& endpoint, NatKind kind) noexcept {
  switch (kind) {
    case NatKind::endpoint_independent:
      return {};
    case NatKind::address_dependent:
      return {endpoint.address, 0, 0};
    case NatKind::address_and_port:
      return endpoint;
  }
  return endpoint;
}

}  // namespace

std::string_view name_of(NatKind kind) noexcept {
  switch (kind) {
    case NatKind::endpoint_independent:
      return "endpoint-independent";
    case NatKind::address_dependent:
      return "address-dependent";
    case NatKind::address_and_port:
      return "address-and-port-dependent";
  }
  return "?";
}

void Nat::expire(Instant now) {
  std::erase_if(mappings_, [&](const auto& entry) { return !alive(now, entry.second); });
}

Endpoint Nat::outbound(Instant now, const Endpoint& inside, const Endpoint& to) {
  expire(now);
  Mapping& mapping = mappings_[{inside, part_of(to, options_.mapping)}];
  if (mapping.port == 0) {
    mapping.port = next_port_;
    next_port_ = next_port_ == UINT16_MAX ? 1024 : next_port_ + 1;
  }
  mapping.used = now;
  mapping.allowed.insert(part_of(to, options_.filter));
  return {address_, mapping.port, 0};
}

std::optional<Endpoint> Nat::inbound(Instant now, const Endpoint& from, std::uint16_t port) const {
  for (const auto& [key, mapping] : mappings_) {
    if (mapping.port != port || !alive(now, mapping)) continue;
    if (!mapping.allowed.contains(part_of(from, options_.filter))) return std::nullopt;
    return key.inside;
  }
  return std::nullopt;
}

}  // namespace ferrule::sim
