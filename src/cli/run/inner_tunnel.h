// A tunnel that needs no rights: what a file says, inside namespaces of its own.
#pragma once

#include <optional>
#include <string>

#include "cli/quick/quick_file.h"
#include "cli/run/name_follower.h"
#include "cli/terminal/command.h"
#include "netstack/linux/namespace.h"
#include "netstack/linux/tunnel_process.h"

namespace ferrule::cli {

struct InnerTunnel {
  netstack::Namespace space;
  netstack::TunnelProcess process;
  NameFollower names;
};

/// How the inside is reached: one way only so far, and the word for it on command lines.
struct ReachChoice {
  std::string text = "auto";
  bool is_given = false;
};

struct InnerTunnelOptions {
  ReachChoice reach;
  bool is_for_programs = false;  // that run inside: they get the file's DNS
  bool is_quiet = false;         // ferruled says nothing, where LOG_LEVEL does not say otherwise
};

/// Makes the namespaces and starts ferruled with what the file says; its keys move out of it. Forks: call
/// with no other thread. None: that can't be done, which was said.
[[nodiscard]] std::optional<InnerTunnel> start_inner_tunnel(Console& console, QuickFile& file,
                                                            const InnerTunnelOptions& options);

/// Says what is wrong with the choice, if anything is: false then.
[[nodiscard]] bool check_reach(Console& console, const ReachChoice& reach);

}  // namespace ferrule::cli
