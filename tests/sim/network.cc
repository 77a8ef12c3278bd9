#include "sim/network.h"

#include <array>

namespace ferrule::sim {

namespace {

constexpr std::uint16_t kPort = 51820;

IpAddress numbered_v4(std::uint8_t first, std::uint32_t number) {
  const std::array<std::uint8_t, 4> bytes{first, static_cast<std::uint8_t>(number >> 16),
                                          static_cast<std::uint8_t>(number >> 8),
                                          static_cast<std::uint8_t>(number)};
  return IpAddress::v4(bytes);
}

IpAddress numbered_v6(std::uint32_t number) {
  std::array<std::uint8_t, 16> bytes{0x20, 0x01, 0x0d, 0xb8};
  store_be32(&bytes[12], number);
  return IpAddress::v6(bytes);
}

}  // namespace

void flip_a_bit(Datagram& datagram, Dice& dice) noexcept {
  if (datagram.bytes.empty()) return;
  const bool has_mac2 = datagram.type() == 1 || datagram.type() == 2;
  const std::size_t place = dice.below(datagram.bytes.size());
  datagram.bytes[place] ^= static_cast<std::uint8_t>(1u << dice.below(8));
  if (!has_mac2 || place + protocol::kMac2Size < datagram.bytes.size()) datagram.altered = true;
}

std::size_t Network::add_nat(const Nat::Options& options) {
  nats_.emplace_back(numbered_v4(203, next_address_++), options);
  return nats_.size() - 1;
}

Site Network::make_site(std::optional<std::size_t> nat) {
  const std::uint32_t number = next_address_++;
  Site site;
  site.nat = nat;
  site.v4 = {numbered_v4(nat ? 192 : 198, number), kPort, 0};
  if (!nat) site.v6 = {numbered_v6(number), kPort, 0};
  return site;
}

void Network::place(HostId host, const Site& site) {
  if (host >= sites_.size()) sites_.resize(host + 1);
  std::erase_if(hosts_, [host](const auto& entry) { return entry.second == host; });
  sites_[host] = site;
  hosts_[site.v4] = host;
  if (!site.v6.is_none()) hosts_[site.v6] = host;
}

std::optional<HostId> Network::receiver(Instant now, const Endpoint& from,
                                        const Endpoint& to) const {
  for (const Nat& nat : nats_) {
    if (nat.address() != to.address) continue;
    const std::optional<Endpoint> inside = nat.inbound(now, from, to.port);
    const auto host = inside ? hosts_.find(*inside) : hosts_.end();
    return host == hosts_.end() ? std::nullopt : std::optional(host->second);
  }
  const auto host = hosts_.find(to);
  if (host == hosts_.end() || sites_[host->second].nat) return std::nullopt;
  return host->second;
}

bool Network::reaches(Instant now, HostId host, const Endpoint& to, HostId target) const {
  const Site& here = sites_[host];
  if (to.is_none() || here.zone != sites_[target].zone) return false;
  if (here.nat && to.address.family() == Family::v6) return false;
  // A copy of the NAT says which endpoint the datagram would have, and keeps no trace of it.
  Endpoint from = to.address.family() == Family::v4 ? here.v4 : here.v6;
  if (here.nat) from = Nat(nats_[*here.nat]).outbound(now, here.v4, to);
  return receiver(now, from, to) == target;
}

void Network::send(Instant now, Datagram datagram) {
  const Site& here = sites_[datagram.author];
  if (here.nat) datagram.from = nats_[*here.nat].outbound(now, here.v4, datagram.to);
  if (tap) tap(datagram);
  if (holds_back && holds_back(datagram)) return;
  const std::optional<HostId> target = receiver(now, datagram.from, datagram.to);
  if (target && sites_[*target].zone != here.zone) return;
  if (dice_.chance(faults.loss_percent)) return;
  if (dice_.chance(faults.duplicate_percent)) deliver_later(now, datagram);
  spoil(datagram);
  deliver_later(now, std::move(datagram));
}

void Network::inject(Instant now, Datagram datagram) {
  datagram.injected = true;
  under_way_.emplace(std::pair(now + faults.shortest_delay, sequence_++), std::move(datagram));
}

void Network::spoil(Datagram& datagram) {
  if (dice_.chance(faults.corrupt_percent)) flip_a_bit(datagram, dice_);
  if (dice_.chance(faults.truncate_percent)) {
    datagram.bytes.resize(dice_.below(datagram.bytes.size()));
    datagram.altered = true;
  }
}

void Network::deliver_later(Instant now, Datagram datagram) {
  const Duration delay = dice_.span(faults.shortest_delay, faults.longest_delay);
  under_way_.emplace(std::pair(now + delay, sequence_++), std::move(datagram));
}

std::vector<Datagram> Network::arrivals(Instant now, std::size_t most, HostId& host) {
  std::vector<Datagram> batch;
  host = kNobody;
  while (!under_way_.empty() && under_way_.begin()->first.first <= now && batch.size() < most) {
    Datagram& first = under_way_.begin()->second;
    const std::optional<HostId> target = receiver(now, first.from, first.to);
    if (target && host != kNobody && *target != host) break;
    if (target) {
      host = *target;
      batch.push_back(std::move(first));
    }
    under_way_.erase(under_way_.begin());
  }
  return batch;
}

}  // namespace ferrule::sim
