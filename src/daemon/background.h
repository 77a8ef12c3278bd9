// Going to the background only when the daemon works.
#pragma once

#include "base/error.h"
#include "io/linux/fd.h"

namespace ferrule::daemon {

/// Where readiness is told. In the foreground it tells the service manager alone (NOTIFY_SOCKET).
class Readiness {
 public:
  /// Forks. In the parent this never returns: it exits with 0 once the child is ready, with 1 when
  /// the child ends before that. Call before any thread is started.
  [[nodiscard]] static Result<Readiness> go_to_background();
  [[nodiscard]] static Readiness in_foreground() { return Readiness({}); }

  /// Opens what ready() needs, and in the background leaves the working folder. Later no file may be
  /// opened any more.
  void prepare();
  /// The UAPI answers: releases the parent, tells the service manager (sd_notify's READY=1), and
  /// in the background lets go of the terminal; `keep_output` leaves stdout and stderr as they are.
  void ready(bool keep_output);

 private:
  explicit Readiness(io::UniqueFd parent) : parent_(std::move(parent)) {}
  io::UniqueFd parent_;   // the write end of a pipe; empty in the foreground
  io::UniqueFd manager_;  // connected to the service manager; empty without one
  io::UniqueFd null_;     // /dev/null
};

}  // namespace ferrule::daemon
