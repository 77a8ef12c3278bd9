// Whom this machine asks for names, and by which interface.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/net.h"

namespace ferrule::diagnosis {

/// A name server that would be asked.
struct Resolver {
  IpAddress address;
  std::string interface;  // by which questions leave; "": there is no route
  bool is_here = false;   // a program of this machine, which asks others in turn
};

struct ResolverFacts {
  std::string path;  // of what was read
  std::vector<Resolver> servers;
  std::vector<IpAddress> wanted;  // that the tunnel's file names
};

/// The addresses in a resolv.conf, in its order.
[[nodiscard]] std::vector<IpAddress> name_servers_in(std::string_view resolv_conf);

/// What systemd-resolved keeps of one interface, as it stands in its file: name servers that are asked for
/// all names, where there are such.
[[nodiscard]] std::vector<IpAddress> servers_for_all_names(std::string_view link_state);

/// Where the route to a name server leads.
using InterfaceOf = std::function<std::string(const IpAddress&)>;

/// Reads /etc/resolv.conf, and where that leads to systemd-resolved, whom it asks: the servers of the links
/// that want all names, or else all.
[[nodiscard]] ResolverFacts find_resolvers(const InterfaceOf& interface_of);

}  // namespace ferrule::diagnosis
