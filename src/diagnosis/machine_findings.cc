#include "diagnosis/machine_findings.h"

#include <linux/capability.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <utility>

#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "control/near_miss.h"
#include "crypto/x25519.h"
#include "diagnosis/udp_port.h"
#include "files/conf_file.h"
#include "io/linux/kernel_query.h"
#include "io/linux/network.h"
#include "io/linux/udp.h"
#include "quick/bind.h"
#include "quick/child.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/forwarding.h"
#include "quick/hooks.h"
#include "quick/ipv6.h"
#include "quick/kill_switch.h"
#include "quick/leak_protection.h"
#include "quick/nftables.h"
#include "quick/routes.h"

namespace ferrule::diagnosis {

namespace {

using control::ConfEntry;
using control::ConfError;
using control::ConfFinding;
using control::ConfSection;
using control::Severity;

constexpr const char* kTunDevice = "/dev/net/tun";

std::optional<std::uint32_t> mode_of(const std::string& file) {
  struct stat status;
  if (stat(file.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return std::nullopt;
  return status.st_mode & 0777u;
}

// The way to an endpoint that does not lead through the tunnel of this very file: it may be up.
void ask_route(io::KernelQuery& kernel, const std::string& tunnel, control::EndpointFacts& facts) {
  const auto route = kernel.find_route(facts.addresses.front(), 0);
  if (!route) return;
  const auto link = kernel.link(route->interface_index);
  if (!link || link->name == tunnel) return;
  facts.mtu_bytes = route->mtu_bytes.value_or(link->mtu);
  facts.route_length = route->prefix_length;
}

control::MachineFacts gather_facts(const FileToCheck& file,
                                   const std::vector<files::PeerEndpoint>& endpoints,
                                   bool is_offline) {
  control::MachineFacts facts;
  facts.file_mode = mode_of(file.path);
  const auto& private_key = file.configuration.interface.private_key;
  if (private_key) facts.own_key = crypto::public_key_of(*private_key);
  auto kernel = io::KernelQuery::open();
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    if (endpoints[i].addresses.empty()) continue;
    control::EndpointFacts& endpoint = facts.endpoints.emplace_back();
    endpoint.host = file.configuration.peers[i].endpoint->host;
    for (const Endpoint& address : endpoints[i].addresses) {
      endpoint.addresses.push_back(address.address);
    }
    if (!is_offline && kernel) ask_route(*kernel, file.interface, endpoint);
  }
  return facts;
}

bool has_right(unsigned capability) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("CapEff:")) continue;
    return (std::strtoull(line.c_str() + 7, nullptr, 16) >> capability & 1) != 0;
  }
  return true;
}

quick::RoutePlan plan_of(const control::Configuration& configuration,
                         const quick::TableChoice& table) {
  std::set<Cidr> prefixes;
  for (const control::PeerConf& peer : configuration.peers) {
    for (const auto& ip : peer.allowed_ips) {
      if (!ip.remove) prefixes.insert(ip.cidr);
    }
  }
  std::vector<io::LinkRoute> connected;
  for (const auto& [address, length] : configuration.interface.addresses) {
    connected.push_back({Cidr(address, length), RT_TABLE_MAIN, 0, true});
  }
  return quick::plan_routes(table, 0, {prefixes.begin(), prefixes.end()}, connected);
}

class Obstacles {
 public:
  Obstacles(client::DeviceClient& devices, const FileToCheck& file,
            const std::vector<files::PeerEndpoint>& endpoints)
      : devices_(devices),
        file_(file),
        conf_(file.configuration.interface),
        endpoints_(endpoints) {}

  std::vector<ConfFinding> find() {
    find_unresolved();
    find_other_interface();
    find_port();
    find_place();
    find_routes();
    find_missing();
    if (!quick::has_ipv6()) find_ipv6();
    return std::move(findings_);
  }

 private:
  void find_unresolved() {
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (endpoints_[i].why_not.empty()) continue;
      const control::PeerConf& peer = file_.configuration.peers[i];
      const ConfSection& section = file_.document.sections()[peer.section];
      const auto entry = std::ranges::find_if(section.entries, [](const ConfEntry& candidate) {
        return control::is_named(candidate.key, "Endpoint");
      });
      if (entry == section.entries.end()) continue;
      findings_.push_back(
          {Severity::error, "unresolved",
           file_.document.error_at(
               entry->line, entry->value,
               fmt::format("Endpoint: the name was not found: {}", endpoints_[i].why_not))});
    }
  }

  void find_other_interface() {
    auto query = io::KernelQuery::open();
    const auto link = query ? query->link(file_.interface) : std::unexpected(query.error());
    if (!link) return;
    own_index_ = link->index;
    is_up_ = devices_.get(file_.interface).has_value();
    if (is_up_) return;
    tell(Severity::error, "name-taken", "", "",
         fmt::format("an interface {} is there already, and it is none of WireGuard's",
                     file_.interface));
  }

  void find_port() {
    const std::uint16_t port = conf_.listen_port.value_or(0);
    if (port == 0) return;
    // Of what is bound to another interface nothing is in the way, and the kernel's list does not tell.
    const auto place = quick::place_of(file_.document);
    if (!place || !place->interface.empty()) return;
    const std::string owner = other_owner_of(devices_, port, file_.interface, place->addresses);
    if (owner.empty()) return;
    tell(Severity::error, "port-taken", "ListenPort", std::to_string(port),
         fmt::format("ListenPort: {} is {}: choose another, or end that first", port, owner));
  }

  // It comes up all the same, and is bound once they are there.
  void find_place() {
    const auto place = quick::place_of(file_.document);
    if (!place) return;
    const std::uint32_t index =
        place->interface.empty() ? 0 : if_nametoindex(place->interface.c_str());
    if (!place->interface.empty() && index == 0) {
      return tell(
          Severity::warning, "bind-missing", "", "",
          fmt::format("BindInterface: there is no interface {} now: until there is, nothing "
                      "is sent or received",
                      place->interface));
    }
    for (const IpAddress& address : {place->addresses.v4, place->addresses.v6}) {
      if (address.family() == Family::none || io::can_bind_to(address, index)) continue;
      tell(
          Severity::warning, "bind-missing", "", "",
          fmt::format("Bind: {} is no address of this machine now: until it is, nothing is sent or "
                      "received there",
                      address.to_string()));
    }
  }

  // What is in the way in the tables that routes would go to.
  void find_routes() {
    const auto table = quick::parse_table(conf_.table);
    auto network = io::Network::open();
    if (!table || !network) return;
    quick::RoutePlan plan = plan_of(file_.configuration, *table);
    const std::uint32_t mark = conf_.fwmark.value_or(0);
    for (const Family family : plan.defaults) {
      if (mark != 0) plan.routes.push_back({quick::everything(family), mark, 0});
    }
    std::set<std::pair<Cidr, std::uint32_t>> wanted;
    for (const io::LinkRoute& route : plan.routes) wanted.emplace(route.destination, route.table);
    for (const Family family : {Family::v4, Family::v6}) {
      const auto present = network->exclusive_routes(family);
      if (!present) continue;
      for (const io::LinkRoute& route : *present) {
        if (route.interface_index == own_index_) continue;
        if (wanted.contains({route.destination, route.table})) tell_route(route);
      }
    }
  }

  void tell_route(const io::LinkRoute& route) {
    tell(Severity::error, "route-taken", "AllowedIPs", route.destination.address().to_string(),
         fmt::format("AllowedIPs: {} has a route already, by {}", route.destination.to_string(),
                     name_of_link(route.interface_index)));
  }

  static std::string name_of_link(std::uint32_t index) {
    auto query = io::KernelQuery::open();
    const auto link = query ? query->link(index) : std::unexpected(query.error());
    return link ? link->name : "another interface";
  }

  void find_missing() {
    if (!conf_.dns_servers.empty() && !quick::DnsKeeper::find()) {
      tell(Severity::error, "no-resolvconf", "DNS", conf_.dns_servers.front().to_string(),
           std::string(quick::kNoDnsKeeper));
    }
    find_packet_filter();
    if (geteuid() == 0 && !has_right(CAP_NET_ADMIN)) {
      tell(Severity::error, "no-rights", "", "",
           "CAP_NET_ADMIN is missing, without which no interface can be made: in a container, "
           "--cap-add NET_ADMIN");
    }
    if (is_up_ || control::interface_note(file_.document, "Implementation") == "kernel") return;
    const char* wanted = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
    const std::string daemon = wanted != nullptr && *wanted != '\0' ? wanted : "ferruled";
    if (!quick::find_program(daemon) && !quick::find_program(quick::own_folder() + '/' + daemon)) {
      tell(Severity::error, "no-daemon", "", "",
           daemon + ", which is to run the interface, is not here");
    } else if (access(kTunDevice, F_OK) != 0) {
      tell(Severity::error, "no-tun", "", "",
           "there is no /dev/net/tun: modprobe tun, or in a container, --device /dev/net/tun");
    }
  }

  // What was asked for, and not what only protects.
  void find_packet_filter() {
    const auto kill_switch = quick::kill_switch_of(file_.document);
    const bool is_needed = (kill_switch && *kill_switch != quick::KillSwitch::off) ||
                           quick::forwarding_of(file_.document).value_or(false);
    if (!is_needed || geteuid() != 0 || quick::run_nft("list tables")) return;
    tell(Severity::error, "no-nftables", "", "",
         "KillSwitch and Forward need nftables, which this kernel does not have");
  }

  // It comes up without; but who wanted IPv6 is to know.
  void find_ipv6() {
    for (const auto& own : conf_.addresses) {
      if (own.address.family() != Family::v6) continue;
      return tell(Severity::warning, "no-ipv6", "Address", own.address.to_string(),
                  "Address: IPv6 is switched off on this machine: the tunnel is without it");
    }
    for (const control::PeerConf& peer : file_.configuration.peers) {
      for (const auto& ip : peer.allowed_ips) {
        if (ip.cidr.address().family() != Family::v6) continue;
        return tell(Severity::warning, "no-ipv6", "AllowedIPs", ip.cidr.address().to_string(),
                    "AllowedIPs: IPv6 is switched off on this machine: the tunnel is without it");
      }
    }
  }

  void tell(Severity severity, std::string_view rule, std::string_view key, std::string_view value,
            std::string what) {
    findings_.push_back(
        {severity, rule, files::error_about(file_.document, key, value, std::move(what))});
  }

  client::DeviceClient& devices_;
  const FileToCheck& file_;
  const control::InterfaceConf& conf_;
  const std::vector<files::PeerEndpoint>& endpoints_;
  std::uint32_t own_index_ = 0;
  bool is_up_ = false;
  std::vector<ConfFinding> findings_;
};

void add_mistakes_in_comments(const control::PeerList& list, std::vector<ConfFinding>& findings) {
  for (const ConfError& error : list.errors) {
    findings.push_back({Severity::error, "expiry", error});
  }
  for (const ConfError& error : list.errors_of_disabled) {
    findings.push_back({Severity::warning, "disabled", error});
  }
  for (const ConfError& error : list.dates_of_nobody) {
    findings.push_back({Severity::warning, "expiry", error});
  }
}

}  // namespace

std::string other_owner_of(client::DeviceClient& devices, std::uint16_t port,
                           const std::string& interface, const LocalAddresses& addresses) {
  const PortState state = look_at_port(port, interface, addresses);
  if (!state.is_bound) return {};
  const auto own = devices.get(interface);
  if (own && own->listen_port == port) return {};
  const auto names = devices.list();
  for (const std::string& name : names.value_or(std::vector<std::string>())) {
    const auto device = devices.get(name);
    if (device && device->listen_port == port) return name + "'s";
  }
  if (state.other_owner.empty()) return "somebody else's";
  return "taken by " + state.other_owner;
}

namespace {

// Comments of ours that decide what `up` does: one that is written wrong would be passed over in silence.
void find_misspelt_notes(const FileToCheck& file, std::vector<ConfFinding>& findings) {
  constexpr std::array<std::string_view, 5> kNotes{"KillSwitch", "Forward", "Implementation",
                                                   "Bind", "BindInterface"};
  for (const ConfSection& section : file.document.sections()) {
    if (section.kind != control::ConfSectionKind::interface) continue;
    for (std::size_t i = section.header_line + 1; i < section.end_line; ++i) {
      const auto note = control::note_in(file.document.line(i));
      const auto meant = note ? control::nearest(note->key, kNotes) : std::nullopt;
      if (!meant || control::is_named(note->key, *meant)) continue;
      findings.push_back({Severity::warning, "misspelt-comment",
                          file.document.error_at(i, note->key,
                                                 fmt::format("this says nothing; did you mean "
                                                             "`# {}'?",
                                                             *meant))});
    }
  }
}

}  // namespace

std::vector<ConfFinding> find_unusable_values(const FileToCheck& file) {
  std::vector<ConfFinding> findings;
  const auto tell = [&](std::string_view rule, ConfError where) {
    findings.push_back({Severity::error, rule, std::move(where)});
  };
  if (const auto& table = file.configuration.interface.table; !quick::parse_table(table)) {
    tell("no-table", files::error_about(file.document, "Table", *table,
                                        "Table: there is no routing table of this name"));
  }
  const auto implementation = control::interface_note(file.document, "Implementation");
  if (implementation && *implementation != "kernel" && *implementation != "ferruled") {
    tell("implementation",
         files::error_about(file.document, "", "",
                            fmt::format("Implementation is `kernel' or `ferruled', and not `{}'",
                                        control::without_keys(*implementation))));
  }
  find_misspelt_notes(file, findings);
  if (!quick::kill_switch_of(file.document)) {
    tell("kill-switch",
         files::error_about(file.document, "", "", std::string(quick::kKillSwitchExpected)));
  }
  if (!quick::forwarding_of(file.document)) {
    tell("forward",
         files::error_about(file.document, "", "", std::string(quick::kForwardExpected)));
  }
  const auto place = quick::place_of(file.document);
  if (!place) {
    tell("bind", files::error_about(file.document, "", "", place.error()));
  } else if (!place->is_anywhere() && implementation == "kernel") {
    tell("bind", files::error_about(file.document, "", "", std::string(quick::kBindTakesDaemon)));
  }
  for (const ConfSection& section : file.document.sections()) {
    for (const ConfEntry& entry : section.entries) {
      if (!control::is_command(entry.key) || quick::can_shell_read(std::string(entry.value)))
        continue;
      tell("hook-syntax",
           file.document.error_at(entry.line, entry.value,
                                  fmt::format("{}: the shell can't read this: perhaps a quote or a "
                                              "bracket is not closed",
                                              entry.key)));
    }
  }
  return findings;
}

std::vector<ConfFinding> find_obstacles(client::DeviceClient& devices, const FileToCheck& file,
                                        const std::vector<files::PeerEndpoint>& endpoints) {
  return Obstacles(devices, file, endpoints).find();
}

std::vector<ConfFinding> find_leaks(const FileToCheck& file) {
  const control::InterfaceConf& conf = file.configuration.interface;
  const auto table = quick::parse_table(conf.table);
  if (!table || geteuid() != 0) return {};
  for (const Family family : plan_of(file.configuration, *table).defaults) {
    if (family == Family::v6 && !quick::has_ipv6()) continue;
    quick::LeakRules rules{file.interface, family, conf.fwmark.value_or(0), {}};
    for (const auto& [address, length] : conf.addresses) {
      rules.addresses.push_back({address, length});
    }
    if (const auto possible = quick::can_protect_from_leaks(rules); !possible) {
      return {{Severity::warning, "no-leak-protection",
               files::error_about(file.document, "AllowedIPs",
                                  quick::everything(family).to_string(), possible.error().what)}};
    }
  }
  return {};
}

bool is_obstacle(const ConfFinding& finding) {
  constexpr std::array<std::string_view, 14> kObstacles{
      "name-taken",  "port-taken", "route-taken",    "no-resolvconf", "no-rights",   "no-daemon",
      "no-tun",      "no-table",   "implementation", "hook-syntax",   "kill-switch", "forward",
      "no-nftables", "bind"};
  return finding.severity == Severity::error &&
         std::ranges::find(kObstacles, finding.rule) != kObstacles.end();
}

std::vector<ConfFinding> find_everything(client::DeviceClient& devices, const FileToCheck& file,
                                         const std::vector<files::PeerEndpoint>& endpoints,
                                         Look look) {
  std::vector<ConfFinding> findings = control::check_configuration(
      file.document, file.configuration, gather_facts(file, endpoints, look == Look::offline));
  std::ranges::move(find_unusable_values(file), std::back_inserter(findings));
  if (look != Look::offline) {
    std::ranges::move(find_obstacles(devices, file, endpoints), std::back_inserter(findings));
  }
  if (look == Look::everywhere) {
    std::ranges::move(find_leaks(file), std::back_inserter(findings));
  }
  add_mistakes_in_comments(file.peers, findings);
  std::ranges::stable_sort(findings, {}, [](const ConfFinding& finding) {
    return std::pair(finding.where.line, finding.where.column);
  });
  return findings;
}

}  // namespace ferrule::diagnosis
