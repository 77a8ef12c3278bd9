// A small world for tests: hosts made of real lanes and a real control side, joined by doors that exist
// in memory only, in virtual time and without threads.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "engine/control.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "engine/lane.h"
#include "engine/locks.h"
#include "io/memory/memory_tun.h"
#include "io/memory/memory_udp.h"
#include "packet/packets_testing.h"
#include "protocol/device.h"
#include "protocol/rng_testing.h"

namespace ferrule::engine::testing {

using packet::testing::Packet;
using packet::testing::Spec;

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

/// A worker that is alone has nobody to pass the lead to.
class NoLead final : public Lead {
 public:
  void pass() noexcept override {}
};

/// A call's entry as it was handed to a socket.
struct Train {
  std::vector<std::size_t> parts;  // their sizes
  std::size_t segment_size = 0;
  std::uint8_t traffic_class = 0;
  Endpoint to;

  [[nodiscard]] std::size_t bytes() const;
};

/// A socket that remembers what lanes hand it. Does not own the one behind it.
class RecordingUdp final : public io::Udp {
 public:
  explicit RecordingUdp(io::Udp& inner) noexcept : inner_(inner) {}
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams> slots) override {
    return inner_.receive(slots);
  }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override;
  std::uint16_t port() const noexcept override { return inner_.port(); }
  Result<void> set_route_mark(std::uint32_t mark) override { return inner_.set_route_mark(mark); }
  std::uint64_t send_failures() const noexcept override { return inner_.send_failures(); }

  std::vector<Train> trains;

 private:
  io::Udp& inner_;
};

struct HostOptions {
  std::size_t lanes = 1;
  packet::OffloadSupport tun = {.tcp = true, .udp = true};
  bool coalesces = true;  // received datagrams come as UDP_GRO gives them
};

class World;

/// One machine: a tunnel interface, an address of each family, and Ferrule between them.
class Host {
 public:
  Host(World& world, std::uint8_t number, const HostOptions& options);

  void add_peer(const Host& peer, std::string_view allowed_ips, bool knows_endpoint = true,
                std::uint16_t persistent_keepalive_s = 0);
  void apply(protocol::DeviceChange change);
  void up();
  void down();

  /// The machine sends a packet or super-packet into the tunnel. False: its queue is full.
  bool sends(Packet packet, packet::Offload offload = {}, std::size_t lane = 0);
  /// The packets that came out of the tunnel since the last call.
  std::vector<io::MemoryPacket> receives();

  /// Lets lanes and control do what there is to do now. False when there was nothing.
  bool work();
  /// When there is something to do next, if nothing comes.
  [[nodiscard]] std::optional<Instant> next_deadline();
  [[nodiscard]] std::uint64_t drops(protocol::Drop drop) { return device.drops()[drop]; }
  [[nodiscard]] protocol::PeerStatus status(const Host& peer);
  [[nodiscard]] PublicKey public_key() const;

  World& world;
  Endpoint v4;  // 192.0.2.<number>:51820
  Endpoint v6;  // [2001:db8::<number>]:51820
  PrivateKey key;
  std::vector<std::unique_ptr<io::MemoryTun>> tuns;
  std::unique_ptr<io::MemoryUdp> udp;  // all lanes share it
  std::unique_ptr<RecordingUdp> recorder;

 private:
  NullLog log_;
  test::RepeatableRng rng_;
  Locks locks_;
  bool woken_ = false;
  Inbox inbox_;
  HandshakeIntake intake_;

 public:
  protocol::Device device;

 private:
  Control control_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Scratch> scratch_;
};

class World {
 public:
  World();

  Host& host(const HostOptions& options = {});
  /// Two hosts that know each other's IPv4 address, up. What packet::testing::build makes goes from
  /// `a` (10.0.0.0/24, fd00::/64) to `b` (10.1.0.99, fd00:1::63).
  void pair(Host& a, Host& b);

  /// Lets everything that is under way arrive, and what that leads to, in no time.
  void settle();
  /// Goes on by `span`, stopping at every deadline on the way.
  void run(Duration span);
  [[nodiscard]] const Now& now() const noexcept { return now_; }

  /// Datagrams sent so far, of one message type (first byte), by one host.
  [[nodiscard]] std::size_t count_sent(std::uint8_t type, const Host& from) const;
  /// From now on the datagrams for which this is true are lost.
  void lose(std::function<bool(const io::MemoryDatagram&)> lost);

  io::MemoryNetwork network;

 private:
  void advance(Duration span);
  Now now_{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  std::vector<std::unique_ptr<Host>> hosts_;
};

/// A UDP packet from `a` to `b` of a pair, or back.
[[nodiscard]] Packet there(std::size_t payload, bool v6 = false, std::uint8_t fill = 0x5A);
[[nodiscard]] Packet back(std::size_t payload, bool v6 = false, std::uint8_t fill = 0xA5);
/// The bytes of packets, in order; super-packets cut into what they stand for.
[[nodiscard]] std::vector<Packet> plain(const std::vector<io::MemoryPacket>& packets);

}  // namespace ferrule::engine::testing
