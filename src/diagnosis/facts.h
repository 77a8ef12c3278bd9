// What `doctor` has found out about a tunnel, before it judges. Values; no key but public ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/keys.h"
#include "base/net.h"

namespace ferrule::diagnosis {

/// The way that the kernel would send packets to an address.
struct RouteFacts {
  Cidr to;                // the prefix that was asked for
  IpAddress address;      // within it
  std::string interface;  // by which they leave; "": there is no route
  std::string problem;    // what the kernel said then
};

/// What was sent to a peer through the tunnel, and what came back.
struct ProbeFacts {
  IpAddress target;          // within the tunnel
  bool is_guess = false;     // nobody may have this address
  bool is_answered = false;  // an echo reply came
  bool had_session = false;  // when it began
  bool has_session = false;  // now: a handshake young enough to send with
  std::uint64_t sent_bytes = 0;
  std::uint64_t received_bytes = 0;
  std::uint32_t largest_bytes = 0;  // of an answered packet that may not be cut; 0: not tried
};

struct PeerFacts {
  PublicKey key;
  std::string name;  // from the file, or the key
  Endpoint endpoint;
  RouteFacts endpoint_route;
  std::string host;                       // the endpoint in the file, where it is a name
  std::string service;                    // its port
  std::vector<IpAddress> host_addresses;  // of that name
  std::vector<RouteFacts> routes;         // of its allowed IPs
  std::optional<ProbeFacts> probe;        // none: it was not tried
};

/// A rule of the packet filter that may have to do with it.
struct FirewallRule {
  std::string table;  // "inet filter"
  std::string chain;
  std::string text;
};

struct DoctorFacts {
  std::string interface;
  bool is_there = false;
  bool is_up = false;
  std::uint32_t mtu_bytes = 0;
  std::string daemon_problem;  // "": the daemon answers
  bool has_private_key = false;
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;
  bool is_port_bound = false;
  std::string port_owner;  // another program that has the port
  std::vector<IpAddress> addresses;
  std::vector<PeerFacts> peers;
  std::vector<FirewallRule> firewall;
  std::map<std::string, std::uint64_t> counted;  // what the daemon's counters rose by meanwhile
};

}  // namespace ferrule::diagnosis
