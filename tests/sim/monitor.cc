#include "sim/monitor.h"

#include <array>
#include <utility>

#include "protocol/configuration.h"
#include "sim/dice.h"
#include "sim/packets.h"
#include "sim/world.h"

namespace ferrule::sim {

namespace {

constexpr std::uint64_t kNoNumber = UINT64_MAX;  // the ledger knows nothing of pings

// The n-th peer's inner address, and where it is said to be.
IpAddress inner_address(std::size_t n) {
  return IpAddress::v4(std::array<std::uint8_t, 4>{172, 16, static_cast<std::uint8_t>(n >> 8),
                                                   static_cast<std::uint8_t>(n)});
}
Endpoint endpoint(std::size_t n) {
  return {IpAddress::v4(std::array<std::uint8_t, 4>{203, 0, 113, 1}),
          static_cast<std::uint16_t>(1000 + n), 0};
}

}  // namespace

void Monitor::begin(const Plan& plan) {
  end();
  plan_ = plan;
  DiceRng rng(plan.seed);
  for (std::size_t n = 0; n < plan.peers; ++n) (void)rng.fill(peers_.emplace_back().bytes);
  configure();
  ping(plan.burst);
  ping_later();
}

void Monitor::go_on() {
  if (!peers_.empty()) ping_later();
}

void Monitor::end() {
  ++number_;
  if (peers_.empty()) return;
  peers_.clear();
  world_.reconcile(plan_.host);
}

std::span<const PublicKey> Monitor::peers_of(HostId host) const noexcept {
  return host == plan_.host ? std::span<const PublicKey>(peers_) : std::span<const PublicKey>();
}

void Monitor::configure() {
  protocol::DeviceChange change;
  for (std::size_t n = 0; n < peers_.size(); ++n) {
    protocol::PeerChange& peer = change.peers.emplace_back();
    peer.public_key = peers_[n];
    peer.endpoint = endpoint(n);
    peer.allowed_ips.push_back({Cidr(inner_address(n), 32), false});
  }
  world_.host(plan_.host).apply(std::move(change));
}

void Monitor::ping(std::size_t times) {
  Host& host = world_.host(plan_.host);
  if (world_.now() < host.asleep_until) return;
  const IpAddress source = World::inner_address(plan_.host, Family::v4, 1);
  for (std::size_t n = 0; n < peers_.size(); ++n) {
    const std::vector<Packet> pings(
        times, make_packet({kNoNumber, source, inner_address(n), plan_.size, 0}));
    host.send(pings);
  }
}

void Monitor::ping_later() {
  world_.later(plan_.every, [this, number = ++number_] {
    if (number != number_) return;
    ping(1);
    ping_later();
  });
}

}  // namespace ferrule::sim
