// A tunnel that needs no rights: what a file says, inside namespaces of its own, or behind a TCP/IP stack.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/quick/quick_file.h"
#include "cli/run/name_follower.h"
#include "cli/terminal/command.h"
#include "io/linux/loop.h"
#include "netstack/linux/namespace.h"
#include "netstack/linux/tunnel_process.h"

namespace ferrule::cli {

/// What a TCP/IP stack in this process needs.
struct InnerStack {
  io::UniqueFd tunnel;
  std::vector<IpAddress> addresses;
  std::vector<Cidr> routes;
  std::uint32_t mtu_bytes = 0;
};

struct InnerTunnel {
  std::optional<netstack::Namespace> space;  // or else
  InnerStack stack;
  netstack::TunnelProcess process;
  NameFollower names;
};

/// How the inside is reached: "auto", "namespace" or "lwip".
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

/// The reach into it, which uses the tunnel and the loop: these outlive it.
[[nodiscard]] std::unique_ptr<netstack::Reach> make_reach(InnerTunnel& tunnel, io::Loop& loop);

/// Says what is wrong with the choice, if anything is: false then. Programs need a namespace.
[[nodiscard]] bool check_reach(Console& console, const ReachChoice& reach, bool is_for_programs);

}  // namespace ferrule::cli
