#include "io/linux/ending_signals.h"

namespace ferrule::io {

sigset_t ending_signals() noexcept {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGHUP);
  return signals;
}

SignalsWait::SignalsWait() noexcept {
  const sigset_t signals = ending_signals();
  sigprocmask(SIG_BLOCK, &signals, &before_);
}

SignalsWait::~SignalsWait() { sigprocmask(SIG_SETMASK, &before_, nullptr); }

bool ending_signal_waits() noexcept {
  sigset_t pending;
  sigpending(&pending);
  return sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
         sigismember(&pending, SIGHUP) == 1;
}

}  // namespace ferrule::io
