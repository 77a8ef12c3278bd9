// A machine of the simulated world: a device, and in place of an engine what is plainest.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <unordered_set>
#include <vector>

#include "base/log.h"
#include "protocol/device.h"
#include "protocol/handshake_queue.h"
#include "protocol/pipeline.h"
#include "sim/checker.h"
#include "sim/configuration_model.h"
#include "sim/datagram.h"
#include "sim/dice.h"
#include "sim/heap.h"

namespace ferrule::sim {

/// What anybody can know of a session: from when its handshake ended, on the host's own clock.
struct Session {
  Instant birth;
  std::uint32_t remote = 0;
  bool initiator = false;
  // The counters that came and were taken: P43 without a bitmap.
  std::unordered_set<std::uint64_t> accepted;
  std::uint64_t greatest = 0;
};

/// Hands everything on to the fastest backend, and tells the checkers what is sealed.
class WatchedAead final : public crypto::AeadBackend {
 public:
  explicit WatchedAead(const Host& host) noexcept : host_(host) {}
  [[nodiscard]] std::string_view name() const noexcept override { return "watched"; }
  void seal(std::span<const crypto::AeadPacket> packets) const noexcept override;
  void open(std::span<const crypto::AeadPacket> packets,
            std::span<bool> opened) const noexcept override {
    crypto::best_aead_backend().open(packets, opened);
  }

 private:
  const Host& host_;
};

class SilentLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

class Host {
 public:
  static constexpr std::uint16_t kLanes = 2;

  Host(World& world, HostId id, std::uint64_t seed);

  // --- what its user does ---
  /// Hands the device packets from its interface, in one batch.
  void send(std::span<const Packet> batch);
  void apply(protocol::DeviceChange change);
  void up();
  void down();
  /// Writes what a device remembers to a file, with stamps reserved ahead.
  void keep_state();
  /// What a new process reads: nothing, the last file, or the one before it, which somebody put back.
  enum class State : std::uint8_t { none, last, stale };
  /// The process ends without a word and starts again: configuration stays, and what is in the file.
  void restart(State from = State::none);

  // --- what the world does ---
  void receive(std::span<const Datagram> batch);
  /// When it wants to be woken next, by the world's clock.
  [[nodiscard]] Instant next_wake();
  void wake();

  // --- what it is ---
  [[nodiscard]] Now now() const;
  [[nodiscard]] const PublicKey& public_key() const noexcept { return model.public_key(); }
  using DropCounts = std::array<std::uint64_t, protocol::kDropCount>;
  [[nodiscard]] DropCounts drop_counts() const noexcept;
  // The first of the reasons that have been counted since.
  [[nodiscard]] protocol::Drop reason_since(const DropCounts& before) const noexcept;
  [[nodiscard]] std::uint64_t drops_in_all() const noexcept;
  /// Where the device thinks that a peer is.
  [[nodiscard]] Endpoint endpoint_of(const PublicKey& peer) const;
  [[nodiscard]] const Session* session(std::uint32_t local) const noexcept;
  /// The session whose messages carry this receiver index.
  [[nodiscard]] const Session* session_to(std::uint32_t remote) const noexcept;
  /// Whether the device still opens messages with this index. Counts a drop when it does not.
  [[nodiscard]] protocol::Drop probe(std::uint32_t local);

  World& world;
  const HostId id;
  ConfigurationModel model;
  Heap& heap;  // of the device
  Metered<protocol::Device> device;
  std::map<std::uint32_t, Session> sessions;  // by local index, since the last restart
  std::map<std::uint32_t, std::uint32_t> by_remote;
  std::uint64_t staged = 0;                // packets that wait, by their comings and goings
  std::size_t largest_staged = 0;          // the largest packet that ever waited
  Duration boot_offset{};                  // of its boot clock from the world's
  Duration wall_offset{};                  // of its wall clock from its boot clock
  WallTime greatest_wall;                  // at which it sent anything
  WallTime forgotten_wall;                 // the same, but its device no longer knows of it
  std::optional<Instant> remembers_until;  // what it took up to then, since the last restart
  Instant asleep_until;                    // by the world's clock
  DiceRng rng;
  unsigned send_fails_percent = 0;
  unsigned source_refused_percent = 0;
  unsigned tun_fails_percent = 0;

 private:
  struct Kept {
    protocol::DeviceMemory memory;
    Instant at;
  };
  struct Outcome {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;
    std::uint64_t counted = 0;  // of the refused
  };

  [[nodiscard]] std::vector<Endpoint> endpoints() const;
  void make_device();
  [[nodiscard]] protocol::DeviceMemory memory() const;
  void write_state();
  void reserve_stamps(Kept& file, const std::optional<protocol::Timestamp>& floor);
  void take_up(State from);
  void work();
  void attend();
  class Exit;
  void note_departure(Bytes text, PeerId peer, std::uint16_t lane);
  void post(const protocol::OutgoingDatagram& outgoing);
  void transmit(const Datagram& datagram, const Source& source, PeerId peer);
  void queue_handshake(const Datagram& datagram, protocol::MessageType type);
  void handle_handshake();
  void note_session(const Datagram& in, bool accepted, std::span<const Datagram> out);
  void add_session(std::uint32_t local, Session session);
  [[nodiscard]] Outcome receive_data(const std::vector<const Datagram*>& batch);
  void deliver(const protocol::InboundMessage& message, const Datagram& datagram, bool alone);
  std::uint64_t count_unstaged(std::uint64_t drops_before);  // how many
  [[nodiscard]] std::uint64_t staged_drops() const noexcept;

  Dice dice_;
  std::optional<Kept> kept_, kept_before_;
  WatchedAead aead_;
  SilentLog log_;
  protocol::NoExclusion exclusion_;
  std::unique_ptr<protocol::HandshakeQueue> queue_;
  std::deque<Datagram> queued_;  // what the queue holds, with what only we know
  Instant serves_queue_at_ = Instant::never();
  protocol::Pipeline<const Metered<protocol::Device>&> pipeline_;
  std::vector<Datagram>* watched_out_ =
      nullptr;  // what the device sends while it handles a message
  bool flushed_ = false;
};

}  // namespace ferrule::sim
