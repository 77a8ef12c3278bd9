// A tunnel that needs no rights: what a file says, inside namespaces of its own.
#pragma once

#include <optional>
#include <string>

#include "cli/quick/quick_file.h"
#include "cli/terminal/command.h"
#include "netstack/linux/namespace.h"
#include "netstack/linux/tunnel_process.h"

namespace ferrule::cli {

struct InnerTunnel {
  netstack::Namespace space;
  netstack::TunnelProcess process;
};

/// How the inside is reached: one way only so far, and the word for it on command lines.
struct ReachChoice {
  std::string text = "auto";
  bool is_given = false;
};

/// Makes the namespaces and starts ferruled with what the file says; its keys move out of it. Where
/// programs are to run inside, they get the file's DNS. Forks: call with no other thread. None: that can't
/// be done, which was said.
[[nodiscard]] std::optional<InnerTunnel> start_inner_tunnel(Console& console, QuickFile& file,
                                                            bool for_programs,
                                                            const ReachChoice& reach);

/// Says what is wrong with the choice, if anything is: false then.
[[nodiscard]] bool check_reach(Console& console, const ReachChoice& reach);

}  // namespace ferrule::cli
