// The simulated network: addresses, NATs, and everything that may become of a datagram on its way.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "sim/datagram.h"
#include "sim/dice.h"
#include "sim/nat.h"

namespace ferrule::sim {

/// What happens to each datagram, by chance.
struct Faults {
  unsigned loss_percent = 0;
  unsigned duplicate_percent = 0;
  unsigned corrupt_percent = 0;
  unsigned truncate_percent = 0;
  Duration shortest_delay = 5ms;
  Duration longest_delay = 5ms;  // longer than the shortest: datagrams overtake each other
};

/// Where a host is. Behind a NAT it has an IPv4 address only, which nobody outside can name.
struct Site {
  Endpoint v4;
  Endpoint v6;
  std::optional<std::size_t> nat;
  unsigned zone = 0;  // hosts of different zones do not reach each other
};

/// Changes one bit. What is left may still be what the author made: mac2 counts only under load.
void flip_a_bit(Datagram& datagram, Dice& dice) noexcept;

class Network {
 public:
  explicit Network(Dice& dice) noexcept : dice_(dice) {}

  std::size_t add_nat(const Nat::Options& options);
  /// A fresh address for a host, behind a NAT or not.
  [[nodiscard]] Site make_site(std::optional<std::size_t> nat);
  /// Puts a host there, and takes it away from where it was.
  void place(HostId host, const Site& site);
  [[nodiscard]] const Site& site(HostId host) const { return sites_.at(host); }
  [[nodiscard]] std::vector<Nat>& nats() noexcept { return nats_; }
  void set_zone(HostId host, unsigned zone) { sites_.at(host).zone = zone; }

  /// Sends what a host made, from its own address; NAT and faults do their part.
  void send(Instant now, Datagram datagram);
  /// Sends what the attacker made, from wherever he likes, without faults.
  void inject(Instant now, Datagram datagram);
  /// Who would get a datagram from `from`, an endpoint in public, to `to`.
  [[nodiscard]] std::optional<HostId> receiver(Instant now, const Endpoint& from,
                                               const Endpoint& to) const;
  /// Whether what `host` sends to `to` would reach `target`. Makes no mapping in a NAT.
  [[nodiscard]] bool reaches(Instant now, HostId host, const Endpoint& to, HostId target) const;

  [[nodiscard]] Instant next_arrival() const noexcept {
    return under_way_.empty() ? Instant::never() : under_way_.begin()->first.first;
  }
  /// What arrives now for one host, in order: at most `most` datagrams, all for `host`.
  [[nodiscard]] std::vector<Datagram> arrivals(Instant now, std::size_t most, HostId& host);
  void lose_what_is_under_way() noexcept { under_way_.clear(); }

  Faults faults;
  /// Sees every datagram that a host sends as it looks in public.
  std::function<void(const Datagram&)> tap;
  /// While set: takes a host's datagram out of the network. It comes back by inject().
  std::function<bool(const Datagram&)> holds_back;

 private:
  void spoil(Datagram& datagram);
  void deliver_later(Instant now, Datagram datagram);

  Dice& dice_;
  std::vector<Nat> nats_;
  std::vector<Site> sites_;  // by host
  std::map<Endpoint, HostId> hosts_;
  std::map<std::pair<Instant, std::uint64_t>, Datagram> under_way_;
  std::uint64_t sequence_ = 0;
  std::uint32_t next_address_ = 1;
};

}  // namespace ferrule::sim
