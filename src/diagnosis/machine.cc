#include "diagnosis/machine.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

namespace ferrule::diagnosis {

namespace {

constexpr std::size_t kMaxPaths = 64;  // to peers that are followed through the filter
constexpr int kStrict = 1;             // rp_filter
constexpr std::string_view kTheirs = "datagrams from its peers";
constexpr std::string_view kOurs = "its own datagrams";

class Filters {
 public:
  explicit Filters(DoctorFacts& facts) : facts_(facts), filter_(read_packet_filter()) {}

  void look() {
    std::set<std::tuple<Endpoint, std::string>> seen;
    for (const PeerFacts& peer : facts_.peers) {
      const std::string& outside = peer.endpoint_route.interface;
      if (seen.size() == kMaxPaths) break;
      if (outside.empty() || outside == facts_.interface) continue;
      if (seen.emplace(peer.endpoint, outside).second) follow_datagrams(peer, outside);
    }
    if (seen.empty() && facts_.is_server) follow_call();
    for (const Family family : {Family::v4, Family::v6}) {
      if (has(family)) follow_inner(family);
    }
    facts_.unread_tables = filter_.unread;
    facts_.is_forwarding_missed =
        filter_.rules.has_masquerade() && facts_.is_server && sysctl_of("net/ipv4/ip_forward") == 0;
  }

 private:
  [[nodiscard]] bool has(Family family) const {
    return std::ranges::any_of(facts_.addresses, [family](const io::LinkAddress& own) {
      return own.address.family() == family && !own.address.is_link_local();
    });
  }

  void ask(FilterPacket packet, std::initializer_list<Hook> hooks, std::string_view which,
           bool is_forwarded = false) {
    for (const Hook hook : hooks) {
      packet.hook = hook;
      const auto rule = filter_.rules.stopper_of(packet);
      if (!rule) continue;
      const auto known = std::ranges::find_if(facts_.stopped, [&](const StoppedPackets& other) {
        return other.rule.table == rule->table && other.rule.chain == rule->chain &&
               other.rule.handle == rule->handle && other.which == which;
      });
      if (known == facts_.stopped.end()) {
        facts_.stopped.push_back({std::string(which), *rule, is_forwarded});
      }
    }
  }

  // A peer that calls is new to connection tracking, and one that we call answers.
  void follow_datagrams(const PeerFacts& peer, const std::string& outside) {
    FilterPacket theirs;
    theirs.family = peer.endpoint.address.family();
    theirs.in = outside;
    theirs.source = peer.endpoint.address;
    theirs.source_port = peer.endpoint.port;
    theirs.destination_port = facts_.listen_port;
    theirs.state = peer.is_caller ? "new" : "established";
    ask(theirs, {Hook::prerouting, Hook::input}, kTheirs);
    FilterPacket ours;
    ours.family = theirs.family;
    ours.out = outside;
    ours.destination = peer.endpoint.address;
    ours.source_port = facts_.listen_port;
    ours.destination_port = peer.endpoint.port;
    ours.mark = facts_.fwmark;
    ours.state = "new";
    ask(ours, {Hook::output, Hook::postrouting}, kOurs);
  }

  // Nobody knows yet who calls.
  void follow_call() {
    FilterPacket call;
    call.destination_port = facts_.listen_port;
    call.state = "new";
    ask(call, {Hook::prerouting, Hook::input}, kTheirs);
  }

  void follow_inner(Family family) {
    FilterPacket in;
    in.family = family;
    in.in = facts_.interface;
    in.is_udp = false;
    in.state = "established";
    ask(in, {Hook::prerouting, Hook::input}, "what comes out of the tunnel");
    FilterPacket out;
    out.family = family;
    out.out = facts_.interface;
    out.is_udp = false;
    out.state = "new";
    ask(out, {Hook::output, Hook::postrouting}, "what goes into the tunnel");
    if (!facts_.is_server || sysctl_of("net/ipv4/ip_forward") == 0) return;
    FilterPacket through = in;
    through.state = "new";
    ask(through, {Hook::forward}, "what peers send to others", true);
  }

  DoctorFacts& facts_;
  MachineFilter filter_;
};

// Strict filters want the way back of what comes in to lead out there. Behind a mark it may not, unless
// the mark counts for that too.
void look_at_reverse_paths(DoctorFacts& facts) {
  std::set<std::string> outside;
  for (const PeerFacts& peer : facts.peers) {
    const bool is_v4 = peer.endpoint.address.family() == Family::v4;
    if (is_v4 && !peer.endpoint_route.interface.empty())
      outside.insert(peer.endpoint_route.interface);
  }
  if (facts.fwmark == 0 || !facts.is_full_tunnel) return;
  const int all = sysctl_of("net/ipv4/conf/all/rp_filter");
  for (const std::string& name : outside) {
    const int filter = std::max(all, sysctl_of("net/ipv4/conf/" + name + "/rp_filter"));
    const bool counts_mark = sysctl_of("net/ipv4/conf/all/src_valid_mark") != 0 ||
                             sysctl_of("net/ipv4/conf/" + name + "/src_valid_mark") != 0;
    if (filter == kStrict && !counts_mark) facts.strict_interfaces.push_back(name);
  }
}

}  // namespace

int sysctl_of(const std::string& name) {
  int value = 0;
  std::ifstream("/proc/sys/" + name) >> value;
  return value;
}

void look_at_filters(DoctorFacts& facts) {
  Filters(facts).look();
  look_at_reverse_paths(facts);
}

bool is_shut(const DoctorFacts& facts) {
  return std::ranges::any_of(facts.stopped, [](const StoppedPackets& stopped) {
    return stopped.rule.is_certain && !stopped.is_forwarded;
  });
}

}  // namespace ferrule::diagnosis
