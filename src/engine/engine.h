// A running device: the protocol core, its lanes, and the control side that serves both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "crypto/aead.h"
#include "engine/control.h"
#include "engine/crew.h"
#include "engine/doors.h"
#include "engine/handshake_door.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "engine/lane.h"
#include "engine/locks.h"
#include "protocol/device.h"

namespace ferrule::engine {

struct EngineOptions {
  std::size_t workers_per_lane = 1;
  const crypto::AeadBackend* aead = nullptr;  // null: the best
  protocol::SourceJudge judge_source = {};    // Device::judge_sources
  // Asked between the turns of a call that takes long: false ends it as it stands, since the device is to
  // be taken apart. Null: it never is.
  std::function<bool()> goes_on = {};
  LocalPlace place = {};        // until a change says another
  PlaceFinder find_place = {};  // null: the machine has no places to choose from
  bool route_marks = true;      // false: the system has none (io::Udp::set_route_mark)
  // How the control thread waits for sockets for handshake messages: where the opener opens such.
  std::optional<HandshakeDoor::Watcher> handshake_watcher = {};
  io::PollerOpener open_poller = io::open_poller;  // what lanes wait with
};

/// Everything here is for one thread, the control thread, which waits on `wake`, on `next_deadline()` and
/// for handshakes, and calls `work`. Data runs in the lanes' own threads while the device is up.
class Engine {
 public:
  /// One lane for each of `tuns`. Keeps references to all but the options. `wake` is called by any
  /// thread when there is control work.
  Engine(std::vector<TunDoor> tuns, UdpOpener open_udp, Rng& rng, Log& log,
         std::function<void()> wake, EngineOptions options);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// One turn: a bounded share of all that is due. `wake` has been called when there is more.
  void work(const Now& now);
  /// The poller gave the tag of the handshakes' watcher. `work` follows.
  void handshakes_came() noexcept {
    if (handshake_door_) handshake_door_->became_readable();
  }
  /// When `work` is wanted next though nobody wakes it.
  [[nodiscard]] std::optional<Instant> next_deadline();
  /// Whether a lane has found since the last call that its interface fails; it has stopped reading then.
  /// Either the interface is gone, or restart_lanes() is due.
  [[nodiscard]] bool take_tun_failed() noexcept { return inbox_.take_tun_failed(); }
  /// Starts all lanes anew: at once, or in a second where that was done just now.
  void restart_lanes(const Now& now);
  /// Whether lanes wait on the interface, and so will find out when it goes.
  [[nodiscard]] bool lanes_run() const noexcept { return lanes_run_; }

  /// The interface is up: binds and starts. When the port is taken it is tried again every second,
  /// and the log told once.
  void up(const Now& now);
  void down();
  void set_mtu(std::size_t mtu) { device_.set_mtu(mtu); }
  /// Addresses, routes or MTUs of the machine have changed: forgets what was learned about paths, and
  /// of the sticky sources what `check` finds no longer good (P75), peer by peer with each turn. What is
  /// there of the place, sockets are bound to.
  void network_changed(const Now& now, protocol::SourceCheck check);
  [[nodiscard]] protocol::Device& device() noexcept { return device_; }
  /// What each lane has done since the start.
  struct LaneWork {
    std::uint64_t sent_packets;
    std::uint64_t received_packets;
    Duration cpu_time;
  };
  [[nodiscard]] std::vector<LaneWork> lane_work() const;

  /// All or nothing (P102): an Error, of memory too, means that the device is as it was. With very many
  /// peers it takes long: handshakes and timers have their turns meanwhile.
  [[nodiscard]] Result<void> apply(const Now& now, protocol::DeviceChange change);
  /// Frees a change that will not be applied, with each turn some of it: it may be very large.
  void discard(protocol::DeviceChange change) noexcept;
  /// 0 before the first bind, unless one was asked for.
  [[nodiscard]] std::uint16_t listen_port() const noexcept { return port_; }
  [[nodiscard]] std::uint32_t fwmark() const noexcept { return mark_; }
  /// Where it is to be, and alone there: while nothing of that is there, nothing is bound.
  [[nodiscard]] const LocalPlace& place() const noexcept { return place_; }
  /// What of that the machine does not have now.
  [[nodiscard]] std::vector<std::string> missing_of_place() const { return find_place().missing; }

 private:
  // Also for sockets that die as soon as they are bound, and for interfaces that fail.
  static constexpr Duration kBindRetry = 1s;
  static constexpr Duration kTellFailureAgain = 60s;

  void yield();
  void free_discarded() noexcept;
  [[nodiscard]] FoundPlace find_place() const;
  Result<void> bind(const Now& now, std::uint16_t port);
  Result<std::vector<UdpDoor>> open_sockets(const io::UdpPlace& at);
  Result<void> change_sockets(const Now& now, const protocol::DeviceChange& change);
  Result<void> change_place(const Now& now, std::uint16_t port, LocalPlace place);
  Result<void> change_port(const Now& now, std::uint16_t port);
  void close_sockets();
  void follow_place(const Now& now);
  void tell_missing(const std::vector<std::string>& missing);
  void try_bind(const Now& now);
  void replace_dead_socket(const Now& now);
  Result<void> change_mark(std::uint32_t mark);
  Result<void> start_lanes();
  void stop_lanes();
  void try_restart(const Now& now);
  [[nodiscard]] bool has_handshake_socket() const noexcept;
  [[nodiscard]] io::Udp* udp() const noexcept;  // the control side's; null while there is none

  Log& log_;
  Locks locks_;
  Inbox inbox_;
  HandshakeIntake intake_;
  const crypto::AeadBackend& aead_;
  protocol::Device device_;
  Control control_;
  UdpOpener open_udp_;
  PlaceFinder find_place_;
  std::function<bool()> goes_on_;
  bool route_marks_;
  std::vector<Segments<protocol::PeerChange>> discarded_;
  std::size_t freed_ = 0;  // of the last of these
  std::vector<TunDoor> tuns_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<std::unique_ptr<Crew>> crews_;
  std::optional<HandshakeDoor> handshake_door_;
  std::vector<UdpDoor> sockets_;      // empty while down
  std::shared_ptr<const void> hold_;  // of the port, since it was bound first
  std::uint16_t port_ = 0;
  std::uint32_t mark_ = 0;
  LocalPlace place_;                  // wanted
  io::UdpPlace bound_to_;             // of the sockets, without a port
  std::vector<std::string> missing_;  // as the log has been told
  std::optional<Instant> bound_at_;   // the last time
  std::optional<Instant> bind_again_at_;
  bool lanes_run_ = false;
  std::optional<Instant> restarted_at_;  // the last time
  std::optional<Instant> restart_at_;    // it is due
  std::optional<Instant> failure_told_at_;
  int bind_error_ = 0;  // why it is tried again, as the log has been told
};

}  // namespace ferrule::engine
