// A device and its control side with very many peers, which the rows of control_bench are about.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "engine/control.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "engine/locks.h"
#include "protocol/device.h"

namespace ferrule::engine {

using Clock = std::chrono::steady_clock;
using protocol::DeviceChange;
using protocol::PeerChange;

inline const Endpoint kNowhere = Endpoint::parse("192.0.2.1:51820").value();

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

class NoUdp final : public io::Udp {
 public:
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams>) override { return 0; }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override {
    sent += batch.size();
    return batch.size();
  }
  std::uint16_t port() const noexcept override { return 51820; }
  std::uint64_t send_failures() const noexcept override { return 0; }

  std::size_t sent = 0;
};

inline double milliseconds(Clock::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

// What the calling thread has used.
inline Duration cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// Keeps the longest time between two looks.
class Longest {
 public:
  void start() { last_ = cpu_time(); }
  void look() {
    const Duration now = cpu_time();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
  }
  [[nodiscard]] double ms() const { return milliseconds(longest_); }

 private:
  Duration last_{0};
  Duration longest_{0};
};

// Locks that know for how long the tables were held exclusively at the most.
class TimedLocks final : public protocol::Exclusion {
 public:
  void lock_tables() noexcept override {
    locks.lock_tables();
    longest.start();
    ++holds;
  }
  void unlock_tables() noexcept override {
    longest.look();
    locks.unlock_tables();
  }
  void lock_peer(PeerId peer) noexcept override { locks.lock_peer(peer); }
  void unlock_peer(PeerId peer) noexcept override { locks.unlock_peer(peer); }
  void lock_staging() noexcept override { locks.lock_staging(); }
  void unlock_staging() noexcept override { locks.unlock_staging(); }

  Locks locks{2};
  Longest longest;
  std::size_t holds = 0;
};

inline PrivateKey new_key() {
  crypto::SystemRng rng;
  return crypto::generate_private_key(rng).value();
}

inline IpAddress address(std::uint32_t number) {
  std::array<std::uint8_t, 4> bytes;
  store_be32(bytes.data(), 0x0A000000u + number);
  return IpAddress::v4(bytes);
}

class Gateway {
 public:
  Gateway() : Gateway(new_key()) {}
  explicit Gateway(PrivateKey own) : key(std::move(own)) {
    DeviceChange change;
    change.private_key = PrivateKey(key.clone());
    apply(std::move(change));
    device.up();
  }
  void apply(DeviceChange change) {
    if (!device.prepare(change)) std::abort();
    device.apply(now, std::move(change), control.outbox());
    control.send(&udp);
  }
  // Peers that do not answer, with an allowed IP each.
  static DeviceChange dead_peers(std::size_t count, std::uint16_t keepalive_s = 0) {
    DeviceChange change;
    for (std::uint32_t i = 0; i < count; ++i) {
      PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i + 1);
      peer.public_key.bytes[30] = 9;
      peer.endpoint = kNowhere;
      peer.persistent_keepalive_s = keepalive_s;
      peer.allowed_ips.push_back({Cidr(address(i), 32), false});
    }
    return change;
  }
  // A packet for each of them comes from the tunnel.
  void sweep(std::size_t count) {
    protocol::Attention attention;
    std::array<std::uint8_t, 20> packet{0x45, 0, 0, 20};
    for (std::uint32_t i = 0; i < count; ++i) {
      store_be32(packet.data() + 16, 0x0A000000u + i);
      protocol::OutboundPacket outbound;
      outbound.inner = packet;
      protocol::SendPlan plan;
      device.plan_send(now, {&outbound, 1}, plan, attention);
      device.stage(now, outbound.place_of(0), packet, 0, attention);
    }
    inbox.post(attention);
  }
  // Takes turns until there is nothing more to do at once, or it has seen enough of them.
  void settle(Longest& longest, std::size_t& turns) {
    constexpr std::size_t kEnough = 5000;
    longest.start();
    for (std::size_t i = 0; i < kEnough; ++i) {
      woken = false;
      control.work(now, &udp);
      longest.look();
      ++turns;
      if (!woken) return;
    }
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  crypto::SystemRng rng;
  PrivateKey key;
  NullLog log;
  NoUdp udp;
  TimedLocks locks;
  bool woken = false;
  Inbox inbox{[this] { woken = true; }};
  HandshakeIntake intake{1, [this] { inbox.rouse(); }};
  protocol::Device device{rng, crypto::best_aead_backend(), locks, log};
  Control control{device, inbox, intake, [](std::span<const PeerId>) {}};
};

}  // namespace ferrule::engine
