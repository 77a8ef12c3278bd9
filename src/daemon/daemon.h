// The running daemon: doors, engine, UAPI and what it hears from the system.
#pragma once

#include <memory>
#include <optional>

#include "base/error.h"
#include "crypto/random.h"
#include "daemon/background.h"
#include "daemon/options.h"
#include "daemon/state_keeper.h"
#include "daemon/stderr_log.h"
#include "daemon/uapi_socket.h"
#include "engine/engine.h"
#include "io/linux/event_loop.h"
#include "io/linux/interface_monitor.h"
#include "io/linux/kernel_query.h"
#include "io/linux/tun.h"
#include "io/poller.h"
#include "service/uapi_server.h"

namespace ferrule::daemon {

/// One thread, the control thread, waits for everything but data.
class Daemon {
 public:
  /// Opens all that a daemon needs; signals are blocked already, and go to `signals`.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> open(const Options& options,
                                                            io::SignalFd signals);

  /// The interface's name: an adopted one has its own, whatever was asked for.
  [[nodiscard]] const std::string& interface() const noexcept { return interface_; }
  [[nodiscard]] StderrLog& log() noexcept { return log_; }
  /// The folder of the state file, for the sandbox; -1 without one.
  [[nodiscard]] int state_directory() const noexcept { return state_ ? state_->directory() : -1; }

  /// Follows the interface as it is now; where that is up, sockets are bound and lanes started. Before,
  /// the calling thread is the only one.
  void start();
  /// Runs until it is told to end: a signal, the socket or the interface removed. Then keeps the last
  /// state.
  void run();

 private:
  struct Doors;
  enum Tag : std::uint64_t {
    kHandshakes,
    kDeadline,
    kSignal,
    kListener,
    kSocketWatch,
    kNews,
    kFarNews,
    kTun,
    kFirstClient
  };

  Daemon(Doors doors, const Options& options, io::SignalFd signals);
  Result<void> watch();
  [[nodiscard]] std::optional<Instant> next_deadline() noexcept;
  void handle(const io::Ready& ready) noexcept;
  void dispatch(const io::Ready& ready);
  void work();
  void watch_tun();
  void look_again();
  void look_rarely();
  void handle_signal();
  void hear(io::InterfaceMonitor& monitor);
  void follow_interface();
  void network_changed();
  void follow_network();
  void end(std::string_view why) noexcept;

  std::string interface_;
  StderrLog log_;
  crypto::SystemRng rng_;
  io::SignalFd signals_;
  std::unique_ptr<io::Poller> poller_;
  io::TunInterface tun_;
  io::InterfaceMonitor news_;
  std::optional<io::InterfaceMonitor> far_news_;  // of other network namespaces
  io::KernelQuery kernel_;
  UapiSocket socket_;
  engine::Engine engine_;
  service::UapiServer server_;
  std::optional<StateKeeper> state_;
  std::optional<Instant> look_again_at_;  // an event that told of the system was lost
  std::optional<Instant> follow_network_at_;
  Instant look_rarely_at_ = Instant::never();
  bool is_announced_ = true;  // the system tells of changes of the interface
  Instant network_rests_until_;
  bool tun_watched_ = false;
  bool ended_ = false;
};

}  // namespace ferrule::daemon
