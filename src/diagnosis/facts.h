// What `doctor` has found out about a tunnel, before it judges. Values; no key but public ones.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/keys.h"
#include "base/local_place.h"
#include "base/net.h"
#include "diagnosis/packet_filter.h"
#include "diagnosis/resolvers.h"
#include "io/linux/network.h"

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
  IpAddress target;                     // within the tunnel: who answered, or should have
  bool is_guess = false;                // nobody may have this address
  bool is_answered = false;             // an echo request was: so data gets there and back
  std::optional<bool> is_passed_on;     // whether the peer forwards; none: that was not tried
  bool has_data = false;                // more came than handshakes and keepalives could be
  bool had_session = false;             // when it began, by the age of its handshake
  bool has_session = false;             // now, and something has come by it
  bool is_renewed = false;              // by a handshake meanwhile
  bool has_moved = false;               // meanwhile, to another endpoint
  std::uint64_t sent_bytes = 0;         // to the peer, by the device; keepalives alone are none
  std::uint64_t received_bytes = 0;     // from it
  std::uint32_t largest_bytes = 0;      // of an answered packet that may not be cut; 0: not tried
  std::optional<double> round_trip_ms;  // the shortest
  unsigned echoes = 0;                  // that were sent to measure
  unsigned lost = 0;                    // of them
};

struct PeerFacts {
  PublicKey key;
  std::string name;  // from the file, or the key
  Endpoint endpoint;
  RouteFacts endpoint_route;
  bool is_caller = false;   // it has no endpoint in the file: it calls us
  bool has_called = false;  // something came from it, ever
  bool is_expired = false;
  std::optional<std::int64_t> handshake_age_s;  // none: there was none
  std::string host;                             // the endpoint in the file, where it is a name
  std::string service;                          // its port
  std::optional<std::vector<IpAddress>> host_addresses;  // of that name, if it was looked up
  std::vector<RouteFacts> routes;                        // of its allowed IPs
  std::optional<ProbeFacts> probe;                       // none: it was not tried
};

/// A peer that the file has and the device should not.
struct LeftOutPeer {
  std::string name;
  std::string expired_on;  // "": it is disabled
};

/// A rule that stops packets of the tunnel, and which.
struct StoppedPackets {
  std::string which;  // "datagrams from its peers"
  FirewallRule rule;
  bool is_forwarded = false;  // they are of others
};

struct DoctorFacts {
  std::string interface;
  std::string path;  // of its file
  bool has_file = false;
  bool is_there = false;
  bool is_tunnel = true;  // a kind of interface that WireGuard could be
  bool is_up = false;
  std::uint32_t mtu_bytes = 0;
  std::string daemon_problem;  // "": the daemon answers
  bool has_private_key = false;
  bool is_server = false;     // peers call it
  bool is_about_one = false;  // peer, who was named
  std::uint16_t listen_port = 0;
  std::uint32_t fwmark = 0;
  LocalPlace place;                  // that it is bound to alone
  std::vector<std::string> missing;  // of it: not on the machine now
  bool is_port_bound = false;
  std::string port_owner;  // another program that has the port
  std::vector<io::LinkAddress> addresses;
  std::vector<PeerFacts> peers;
  std::vector<LeftOutPeer> left_out;
  std::vector<StoppedPackets> stopped;
  std::vector<std::string> unread_tables;        // of the old iptables interface
  bool is_forwarding_missed = false;             // something here wants it, and it is off
  std::vector<std::string> strict_interfaces;    // whose reverse path filter drops answers
  std::optional<ResolverFacts> resolvers;        // none: not looked at
  bool is_full_tunnel = false;                   // all of a family goes to a peer
  std::map<std::string, std::uint64_t> counted;  // what the daemon's counters rose by meanwhile
  std::map<std::string, std::uint64_t> totals;   // since it runs
};

/// What is looked at, one after the other.
enum class Step : std::uint8_t {
  interface,
  port,
  routes,
  endpoints,
  filter,
  data,
  size,
  resolvers
};
constexpr std::size_t kStepCount = 8;

}  // namespace ferrule::diagnosis
