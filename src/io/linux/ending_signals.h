// Signals that would end the program between two steps.
#pragma once

#include <csignal>

namespace ferrule::io {

/// While it lives, SIGINT, SIGTERM and SIGHUP wait; then what has come takes effect. So what was begun
/// can be taken back first. Programs that are started meanwhile get the signals as ever.
class SignalsWait {
 public:
  SignalsWait() noexcept;
  ~SignalsWait();
  SignalsWait(const SignalsWait&) = delete;
  SignalsWait& operator=(const SignalsWait&) = delete;

 private:
  sigset_t before_;
};

/// Those that wait.
[[nodiscard]] sigset_t ending_signals() noexcept;
/// True when one of them has come and waits.
[[nodiscard]] bool ending_signal_waits() noexcept;

}  // namespace ferrule::io
