// A small world for tests: devices in virtual time, joined by a network that does as it is told.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "protocol/device.h"
#include "protocol/pipeline.h"

namespace ferrule::protocol::testing {

using Packet = std::vector<std::uint8_t>;

/// Deterministic; can be told to fail.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed) : engine_(seed) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(engine_());
    return !fails;
  }
  bool fails = false;

 private:
  std::mt19937_64 engine_;
};

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

/// Excludes nobody, and tells when a peer's lock is free again: what another thread does just then.
class WatchedExclusion final : public Exclusion {
 public:
  void lock_tables() noexcept override {}
  void unlock_tables() noexcept override {}
  void lock_peer(PeerId) noexcept override {}
  void unlock_peer(PeerId peer) noexcept override {
    if (unlocked) unlocked(peer);
  }
  void lock_staging() noexcept override {}
  void unlock_staging() noexcept override {}
  std::function<void(PeerId)> unlocked;
};

/// Keeps what is told at the default level.
class KeptLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel level) const noexcept override {
    return level == LogLevel::error;
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    if (wants(level)) lines.emplace_back(line);
  }

  std::vector<std::string> lines;
};

/// A datagram on its way.
struct Datagram {
  Endpoint from;
  Endpoint to;
  std::uint8_t traffic_class = 0;
  Packet bytes;

  [[nodiscard]] std::uint8_t type() const { return bytes.at(0); }
};

/// An inner packet: 20 bytes of IPv4 header and `payload` bytes.
[[nodiscard]] Packet ipv4(std::string_view source, std::string_view destination,
                          std::size_t payload = 64, std::uint8_t tos = 0);
[[nodiscard]] Packet ipv6(std::string_view source, std::string_view destination,
                          std::size_t payload = 64);

class World;

/// A device, its address, and what it delivered.
class Host {
 public:
  Host(World& world, std::string_view endpoint, std::uint64_t seed);

  /// Gives it a private key; null: none.
  void set_key(std::uint64_t seed);
  void apply(DeviceChange change);
  /// Adds or changes a peer; returns the change for more. Applied at once.
  void add_peer(const Host& peer, std::string_view allowed_ips, bool knows_endpoint = true,
                std::uint16_t persistent_keepalive_s = 0);
  void up();
  void down();

  /// Hands the device a packet from its interface, as a lane would.
  OutboundPacket send(const Packet& inner);
  /// Hands it a datagram from the network.
  void receive(const Datagram& datagram);
  /// What the control side does when it is woken or a deadline comes.
  void work();

  [[nodiscard]] PublicKey public_key() const;
  [[nodiscard]] PeerStatus status(const Host& peer);
  [[nodiscard]] std::uint64_t drops(Drop drop) { return device->drops()[drop]; }

  World& world;
  Endpoint endpoint;
  SeededRng rng;
  KeptLog log;
  WatchedExclusion exclusion;
  std::unique_ptr<Device> device;
  std::vector<Packet> delivered;
  bool under_load = false;
  std::optional<PrivateKey> key;

 private:
  class Exit;
  void receive_data(const Datagram& datagram);

  Pipeline<const std::unique_ptr<Device>&> pipeline_;  // of whatever device is there by then
};

class World {
 public:
  explicit World(std::uint64_t seed = 1) : seed_(seed) {}

  Host& host(std::string_view endpoint);
  /// Two hosts that know each other: 10.0.0.1/32 + fd00::1/128 and 10.0.0.2/32 + fd00::2/128, up.
  void pair(Host& a, Host& b);

  void post(Datagram datagram);
  /// Lets everything that is under way arrive, and what that leads to, in no time.
  void settle();
  /// Goes on by `span`, stopping at every deadline on the way.
  void run(Duration span);
  [[nodiscard]] Now now() const { return now_; }

  Now now_{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  std::deque<Datagram> network;
  std::vector<Datagram> sent;  // everything ever posted
  /// False loses the datagram. Empty: nothing is lost.
  std::function<bool(const Datagram&)> passes;
  /// The same, when it would arrive.
  std::function<bool(const Datagram&)> arrives;
  /// How long datagrams are under way, one way; `settle` waits for none of them.
  Duration delay{};

  [[nodiscard]] std::size_t count_sent(std::uint8_t type, const Host& from) const;

 private:
  void advance(Duration span);
  void deliver(const Datagram& datagram);
  void deliver_what_is_due();
  std::uint64_t seed_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::multimap<Instant, Datagram> under_way_;  // with a delay, by when it arrives
};

}  // namespace ferrule::protocol::testing
