// The running daemon: what a service needs, as Linux has it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "crypto/random.h"
#include "daemon/options.h"
#include "daemon/stderr_log.h"
#include "io/linux/event_loop.h"
#include "io/linux/network_view.h"
#include "io/linux/tun.h"
#include "io/poller.h"
#include "io/stream.h"
#include "service/service.h"
#include "service/state_keeper.h"

namespace ferrule::daemon {

class Daemon {
 public:
  /// Opens all that a daemon needs; signals are blocked already, and go to `signals`.
  [[nodiscard]] static Result<std::unique_ptr<Daemon>> open(const Options& options,
                                                            io::SignalFd signals);

  /// The interface's name: an adopted one has its own, whatever was asked for.
  [[nodiscard]] const std::string& interface() const noexcept { return interface_; }
  [[nodiscard]] StderrLog& log() noexcept { return log_; }
  /// The folder of the state file, for the sandbox; -1 without one.
  [[nodiscard]] int state_directory() const noexcept { return state_directory_; }

  /// Follows the interface as it is now; where that is up, sockets are bound and lanes started. Before,
  /// the calling thread is the only one.
  void start();
  /// Runs until it is told to end: a signal, the socket or the interface removed. Then keeps the last
  /// state.
  void run() { service_.run(); }

 private:
  struct Doors;

  Daemon(Doors doors, const Options& options, io::SignalFd signals);
  Result<void> watch();
  [[nodiscard]] service::StateKeeper* open_state(const Options& options);
  [[nodiscard]] service::Service::Parts parts(const Options& options);
  void handle_signal();

  std::string interface_;
  StderrLog log_;
  crypto::SystemRng rng_;
  io::SignalFd signals_;
  std::unique_ptr<io::Poller> poller_;
  std::unique_ptr<io::TunInterface> tun_;
  io::LinuxNetworkView network_;
  std::unique_ptr<io::Listener> listener_;
  int state_directory_ = -1;
  std::optional<service::StateKeeper> state_;
  service::Service service_;
};

}  // namespace ferrule::daemon
