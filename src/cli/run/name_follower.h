// The process that looks up the names of a tunnel's peers again while these do not answer.
#pragma once

#include <sys/types.h>

#include <optional>
#include <utility>

#include "base/error.h"
#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "netstack/linux/tunnel_process.h"

namespace ferrule::cli {

/// A child of ours, since name servers may take their time: it knows the names and no keys, and speaks with
/// ferruled over a connection of its own. It ends when this object goes, or ferruled does.
class NameFollower {
 public:
  /// Forks: call with no other thread. `file` is wiped in the child. Nothing is started where no peer's
  /// endpoint is a name.
  [[nodiscard]] static Result<NameFollower> start(Console& console, QuickFile& file,
                                                  netstack::TunnelConnection& tunnel);
  NameFollower(NameFollower&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  NameFollower& operator=(NameFollower&&) = delete;
  ~NameFollower();

 private:
  explicit NameFollower(pid_t pid) noexcept : pid_(pid) {}
  pid_t pid_;  // -1: there is none
};

}  // namespace ferrule::cli
