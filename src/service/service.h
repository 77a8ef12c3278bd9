// A running device, on any system: its engine, its configuration socket, and what it follows of the machine.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "base/time.h"
#include "control/endpoint_text.h"
#include "engine/engine.h"
#include "io/network_view.h"
#include "io/poller.h"
#include "io/stream.h"
#include "service/state_keeper.h"
#include "service/uapi_server.h"

namespace ferrule::service {

/// How often the interface is looked at though nothing was told of it.
struct Looks {
  // However reliably the system tells: what is told in one way only may be missed for ever.
  Duration rarely = 30s;
  // That an interface goes down where we can't look is told in no way at all.
  Duration often = 1s;
};

/// One thread, the control thread, waits for everything but data.
class Service {
 public:
  /// What a system brings. The references are kept.
  struct Parts {
    Log& log;
    Rng& rng;
    io::Poller& poller;
    io::NetworkView& network;
    io::Listener& listener;
    control::ScopeLookup scope_of;
    std::vector<engine::TunDoor> tuns;
    engine::UdpOpener open_udp;
    engine::EngineOptions engine = {};  // sources and handshakes are the service's
    // Called within what takes long, between turns: for what may end the service, and nothing else.
    std::function<void()> meanwhile = {};
    Looks looks = {};
  };
  /// `state`: null: nothing is kept.
  Service(Parts parts, StateKeeper* state);

  /// `came` is called, by the control thread, when something has come of `what`: a signal, say.
  [[nodiscard]] Result<void> watch(io::Waitable what, std::function<void()> came);
  /// Waits for programs, at their listener's, and for news of that and of the network. When nobody finds the
  /// listener any more, the service ends.
  [[nodiscard]] Result<void> listen();

  /// Follows the interface as it is now; where that is up, sockets are bound and lanes started. Before,
  /// the calling thread is the only one.
  void start();
  /// Runs until end() is called, or the interface is gone. Then keeps the last state.
  void run();
  /// By the control thread.
  void end(std::string_view why) noexcept;

  [[nodiscard]] engine::Engine& engine() noexcept { return engine_; }

 private:
  enum Tag : std::uint64_t { kHandshakes, kDeadline, kListener, kPlace, kNews, kTun, kFirstOther };
  static constexpr std::uint64_t kFirstClient = 1000;

  [[nodiscard]] std::optional<Instant> next_deadline() noexcept;
  void handle(const io::Ready& ready) noexcept;
  void dispatch(const io::Ready& ready);
  void work();
  void watch_tun();
  void look_again();
  void look_rarely();
  void hear();
  void follow_interface();
  void network_changed();
  void follow_network();
  [[nodiscard]] engine::FoundPlace find_place(const LocalPlace& place);
  void look_at_listener();
  void end_following_network();
  [[nodiscard]] bool goes_on();

  Log& log_;
  io::Poller& poller_;
  io::NetworkView& network_;
  io::Listener& listener_;
  control::ScopeLookup scope_of_;
  Looks looks_;
  io::Waitable tun_;  // of its first queue
  engine::Engine engine_;
  UapiServer server_;
  StateKeeper* state_;
  std::function<void()> meanwhile_;
  std::vector<std::function<void()>> others_;  // by their tags
  std::optional<Instant> look_again_at_;       // an event that told of the system was lost
  std::optional<Instant> follow_network_at_;
  std::optional<Instant> following_since_;  // what the network's change means for each peer
  bool changed_meanwhile_ = false;
  Instant look_rarely_at_ = Instant::never();
  bool is_announced_ = true;  // the system tells of changes of the interface
  Instant network_rests_until_;
  bool tun_watched_ = false;
  bool ended_ = false;
};

}  // namespace ferrule::service
