// How a device is configured, and what it says of its configuration.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>

#include "base/error.h"
#include "base/time.h"
#include "protocol/budget.h"
#include "protocol/configuration.h"
#include "protocol/device_tables.h"
#include "protocol/handshaker.h"
#include "protocol/outbox.h"
#include "protocol/restored_memory.h"

namespace ferrule::protocol {

/// What a source that was good is good for when the network has changed.
struct SourceVerdict {
  SourceUse use;
  bool is_the_interfaces;  // the address belongs to that very interface
};
/// SourceJudge's question, when the network has changed.
using SourceCheck = std::function<SourceVerdict(const Endpoint& to, const Source& at)>;

/// The configuration of a Device. One call at a time, none beside one of its Handshaker but where `yield_to`
/// says so; they may run beside the data path, and hold the tables for microseconds where they change them.
///
/// The only std::bad_alloc comes from visit_peers, where lists of the caller's can't grow.
class Configurator {
 public:
  /// Keeps references.
  Configurator(DeviceTables& tables, RestoredMemory& restored, Handshaker& handshaker) noexcept
      : tables_(tables), restored_(restored), handshaker_(handshaker) {}

  /// What takes long with very many peers (prepare, apply, down, forget_sources) calls `others` now and
  /// then, between two steps. It may call what has to do with handshakes, lanes and timers (handle, attend,
  /// fire_timers, catch_up), and nothing that configures. To be set before anything else is called.
  void yield_to(std::function<void()> others) { others_ = std::move(others); }
  /// For `others`: what takes long may end half done, since the device is to be taken apart. A change that
  /// is being prepared is refused.
  void abandon() noexcept { abandoned_ = true; }
  [[nodiscard]] bool is_abandoned() const noexcept { return abandoned_; }

  /// Whether `change` can be applied whole; if so, takes all the memory for that. no_space_on_device
  /// or not_enough_memory otherwise, and nothing has changed.
  [[nodiscard]] Result<void> prepare(const DeviceChange& change);
  /// Gives back what was prepared and will not be applied.
  void unprepare() noexcept;
  /// Applies a prepared change, which can't fail. listen_port and fwmark are the sockets' and not
  /// looked at.
  void apply(const Now& now, DeviceChange change, Outbox& outbox) noexcept;

  /// The interface went up or down (P59a). A device starts down. Keepalives of peers that want them
  /// come with `catch_up` and `fire_timers`, as fast as those are given budgets.
  void up() noexcept;
  void down() noexcept;
  [[nodiscard]] bool is_up() const noexcept { return tables_.up; }
  /// Every sticky source is forgotten: the port or the mark changed (P75).
  void forget_sources();
  /// Calls `check` for each peer that has reached us (P75), as `catch_up` comes to it. From the start again
  /// when that is under way.
  void check_sources(SourceCheck check);
  [[nodiscard]] bool checks_sources() const noexcept { return !checking_.is_over(); }
  /// Goes on with what all peers are to follow (up, check_sources). True: there is more.
  [[nodiscard]] bool catch_up(const Now& now, Budget& budget) noexcept;

  /// Where a walk over the peers stands. The peer may go while the walk rests.
  struct PeerCursor {
    PeerId peer;
    std::uint64_t sequence = 0;
  };
  /// Visits up to `count` peers, oldest first, from the start or from where `cursor` says, and moves
  /// it on: perhaps none, where the one that it rested at has gone. False when there are no more.
  bool visit_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                   const std::function<void(const PeerStatus&)>& visit) const;
  struct MemoryCursor {
    std::optional<PeerCursor> peer;
    bool peers_done = false;
    std::size_t unclaimed = 0;
  };
  /// Visits what is to be remembered of up to `count` peers, and moves the cursor on; at the end, of
  /// those that are not here yet. False when there are no more.
  bool visit_memory(const Now& now, MemoryCursor& cursor, std::size_t count,
                    const std::function<void(const PeerMemory&)>& visit) const;

 private:
  void worked(std::size_t units);
  std::size_t count_added(const DeviceChange& change);
  void take_memory(const DeviceChange& change);
  void set_private_key(const Now& now, PrivateKey key);
  void apply_peer(const Now& now, PeerChange& change, Outbox& outbox);
  Peer& add_peer(const PublicKey& key);
  void set_allowed_ips(PeerId peer, PeerChange& change);
  void remove_other_allowed_ips(PeerId peer, const PeerChange& change);
  void remove_allowed_ips(PeerId peer);
  void remove_peer(Peer& peer);
  void check_source(Peer& peer);

  // configurator_visits.cc
  [[nodiscard]] const Peer* resume(PeerCursor& cursor, std::size_t& count) const noexcept;
  bool walk_peers(std::optional<PeerCursor>& cursor, std::size_t count,
                  const std::function<void(const Peer&)>& visit) const;
  [[nodiscard]] PeerStatus status_of(const Peer& peer) const;
  [[nodiscard]] std::optional<PeerMemory> memory_of(const Now& now, const Peer& peer) const;

  DeviceTables& tables_;
  RestoredMemory& restored_;
  Handshaker& handshaker_;
  PeerSweep waking_;    // the interface came up
  PeerSweep checking_;  // by `source_check_`
  SourceCheck source_check_;
  bool abandoned_ = false;
  std::function<void()> others_;
  std::size_t unyielded_ = 0;  // units of work since they were called last
};

}  // namespace ferrule::protocol
