#include "quick/reload.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fstream>
#include <map>
#include <ranges>
#include <set>
#include <string>
#include <utility>

#include "files/conf_change.h"
#include "io/linux/kernel_query.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/dry_run.h"
#include "quick/forwarding.h"
#include "quick/leak_protection.h"
#include "quick/routes.h"

namespace ferrule::quick {

namespace {

constexpr std::array kFamilies{Family::v6, Family::v4};

bool holds(const auto& list, const auto& item) {
  return std::ranges::find(list, item) != list.end();
}

bool promotes_secondaries(const std::string& interface) {
  return std::ranges::any_of(std::array<std::string, 2>{"all", interface}, [](const auto& name) {
    std::ifstream file("/proc/sys/net/ipv4/conf/" + name + "/promote_secondaries");
    int value = 0;
    return file >> value && value != 0;
  });
}

}  // namespace

Reload::Reload(client::DeviceClient& devices, QuickFile& file, const LinkActions& link,
               const control::DeviceStatus& device, files::Listener& listener, Run run)
    : devices_(devices),
      file_(file),
      conf_(file.configuration.interface),
      network_(link.network()),
      link_(link),
      device_(device),
      record_(read_record(link.name())),
      listener_(listener),
      transaction_(listener, run),
      has_v6_(has_ipv6()) {
  if (record_ && record_->link_index != link.index()) record_.reset();
}

Result<Reloaded> Reload::run(const Opening& opening) {
  read_file(opening);
  wait_.emplace();
  if (auto done = apply(); !done) return std::unexpected(std::move(done.error()));
  transaction_.keep();
  if (!transaction_.is_dry()) remember();
  return Reloaded{std::move(changes_), transaction_.done()};
}

void Reload::read_file(const Opening& opening) {
  table_ = opening.table;
  kill_switch_ = opening.kill_switch;
  is_forwarding_ = opening.is_forwarding;
  if (record_) {
    const control::ConfDocument applied(record_->path, record_->conf.view());
    kill_switch_before_ = kill_switch_of(applied).value_or(KillSwitch::off);
    was_forwarding_ = forwarding_of(applied).value_or(false);
    forwarded_ = record_->forwarded;
  }
  const std::vector<bool> is_as_applied = compare_endpoints();
  change_ = files::take_change(file_.configuration, opening.endpoints);
  keep_endpoints(opening.endpoints, is_as_applied);
  join_sections(change_.peers, device_);
  if (!change_.private_key) change_.private_key.emplace();
  change_.bind = opening.place.addresses;
  change_.bind_interface = opening.place.interface;
  change_.replace_peers = true;
  files::keep_peers(change_, device_);
}

// Of each peer, whether the file says where it is as it did when it was applied or saved last.
std::vector<bool> Reload::compare_endpoints() const {
  std::multimap<PublicKey, control::HostPort> known;
  if (record_) known = known_endpoints(*record_);
  std::vector<bool> is_same;
  for (const control::PeerConf& peer : file_.configuration.peers) {
    const auto [first, last] = known.equal_range(peer.public_key);
    is_same.push_back(std::any_of(
        first, last, [&](const auto& before) { return peer.endpoint == before.second; }));
  }
  return is_same;
}

// A peer may have roamed since, and a name has several addresses: where the file says nothing new, a
// peer stays where it is.
void Reload::keep_endpoints(const std::vector<files::PeerEndpoint>& endpoints,
                            const std::vector<bool>& is_as_applied) {
  std::map<PublicKey, Endpoint> here;
  for (const protocol::PeerStatus& peer : device_.peers) {
    if (!peer.endpoint.is_none()) here.emplace(peer.public_key, peer.endpoint);
  }
  for (std::size_t i = 0; i < change_.peers.size(); ++i) {
    protocol::PeerChange& peer = change_.peers[i];
    const auto has = here.find(peer.public_key);
    if (has == here.end()) continue;
    const auto& addresses = endpoints[i].addresses;
    const bool is_there = std::ranges::find(addresses, has->second) != addresses.end();
    if (is_there || is_as_applied[i]) peer.endpoint.reset();
  }
}

// For `down`, and for the next reload.
void Reload::remember() {
  UpRecord record;
  record.link_index = link_.index();
  record.mark = mark_;
  if (!conf_.listen_port && record_) record.port = record_->port;
  // The mark of a kill switch alone has no rules; those of its number are another tunnel's.
  const bool has_rules = kill_switch_ == KillSwitch::off || !plan_.defaults.empty() ||
                         (record_ && !record_->rules.empty());
  if (has_rules) record.rules = rules_of_tunnel(network_, mark_);
  record.forwarded = forwarded_;
  record.path = file_.path;
  record.conf = file_.document.text();
  if (const auto written = write_record(link_.name(), record); !written) {
    listener_.warn(written.error().what);
  }
}

Result<void> Reload::apply() {
  if (auto done = change_addresses(); !done) return done;
  if (auto done = change_mtu(); !done) return done;
  if (auto done = change_dns(); !done) return done;
  if (auto done = plan(); !done) return done;
  if (auto done = change_mark(); !done) return done;
  if (auto done = change_kill_switch(); !done) return done;
  if (auto done = change_defaults(); !done) return done;
  if (auto done = change_routes(); !done) return done;
  if (auto done = change_forwarding(); !done) return done;
  return change_device();
}

// New ones come before old ones go, because with its last IPv4 address an interface loses its routes;
// but IPv6 does not have an address twice, with different prefixes. An address may take others of its
// network with it: hence the second look.
Result<void> Reload::change_addresses() {
  const auto before = network_.addresses(link_.index());
  if (!before) return std::unexpected(before.error());
  addresses_before_ = *before;
  expected_addresses_ = *before;
  std::vector<io::LinkAddress> wanted;
  for (const auto& [address, length] : conf_.addresses) {
    if (can_have(address.family())) wanted.push_back({address, length});
  }
  std::vector<io::LinkAddress> unwanted;
  for (const io::LinkAddress& address : *before) {
    if (!holds(wanted, address) && !address.address.is_link_local()) unwanted.push_back(address);
  }
  if (auto done = delete_addresses(unwanted, Family::v6); !done) return done;
  for (const io::LinkAddress& address : wanted) {
    if (holds(*before, address)) continue;
    if (auto done = add_address(address); !done) return done;
  }
  if (auto done = delete_addresses(unwanted, Family::v4); !done) return done;
  auto after = present_addresses();
  if (!after) return std::unexpected(after.error());
  for (const io::LinkAddress& address : wanted) {
    if (holds(*after, address)) continue;
    if (auto done = transaction_.perform(link_.add_address(address)); !done) return done;
    expected_addresses_.push_back(address);
  }
  after = present_addresses();
  if (!after) return std::unexpected(after.error());
  addresses_ = *after;
  return {};
}

Result<std::vector<io::LinkAddress>> Reload::present_addresses() {
  if (transaction_.is_dry()) return expected_addresses_;
  return network_.addresses(link_.index());
}

Result<void> Reload::add_address(const io::LinkAddress& address) {
  expected_addresses_.push_back(address);
  return perform(link_.add_address(address), link_.delete_address(address));
}

Result<void> Reload::delete_addresses(const std::vector<io::LinkAddress>& addresses,
                                      Family family) {
  // The last first: with the first address of a network the kernel takes away its others.
  for (const io::LinkAddress& address : addresses | std::views::reverse) {
    if (address.address.family() != family) continue;
    auto done = perform(link_.delete_address(address), link_.add_address(address));
    if (!done) return done;
    expected_addresses_ = addresses_after(std::move(expected_addresses_), {address},
                                          promotes_secondaries(link_.name()));
  }
  return {};
}

Result<void> Reload::change_mtu() {
  if (!conf_.mtu_bytes) return {};
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(link_.name()) : std::unexpected(query.error());
  if (!link) return std::unexpected(link.error());
  if (link->mtu == *conf_.mtu_bytes) return {};
  return perform(link_.set_up(*conf_.mtu_bytes), link_.set_up(link->mtu));
}

Result<void> Reload::change_dns() {
  const DnsSettings wanted{conf_.dns_servers, conf_.dns_search};
  const DnsSettings before = remembered_dns(link_.name()).value_or(DnsSettings{});
  if (wanted == before || (wanted.servers.empty() && before.servers.empty())) return {};
  const auto keeper = DnsKeeper::find();
  if (!keeper) return std::unexpected(make_error(ENOENT, std::string(kNoDnsKeeper)));
  // A program that fails may have done half of it.
  transaction_.remember(before.servers.empty() ? keeper->unset(link_.name())
                                               : keeper->set(link_.name(), before));
  return transaction_.perform(wanted.servers.empty() ? keeper->unset(link_.name())
                                                     : keeper->set(link_.name(), wanted));
}

bool Reload::has_default_route(Family family) const {
  return std::ranges::any_of(routes_, [&](const io::LinkRoute& route) {
    return route.destination.length() == 0 && route.table == device_.fwmark &&
           route.destination.address().family() == family;
  });
}

// What leads into the interface now, and what is to; the kernel's own routes for its addresses count
// as there, and so do those that are not for allowed IPs: somebody else has made them.
Result<void> Reload::plan() {
  for (const Family family : kFamilies) {
    const auto routes = network_.routes(family);
    if (!routes) return std::unexpected(routes.error());
    for (const io::LinkRoute& route : *routes) {
      if (route.interface_index == link_.index()) routes_.push_back(route);
    }
  }
  if (transaction_.is_dry()) {
    routes_ = routes_after(routes_, addresses_before_, addresses_, link_.index());
  }
  const std::vector<Cidr> prefixes_before = allowed_ips(device_.peers);
  std::vector<io::LinkRoute> foreign;
  for (const io::LinkRoute& route : routes_) {
    if (route.is_kernels || !holds(prefixes_before, route.destination)) foreign.push_back(route);
  }
  std::set<Cidr> prefixes;
  for (const protocol::PeerChange& peer : change_.peers) {
    for (const protocol::AllowedIpChange& ip : peer.allowed_ips) {
      if (!ip.remove && can_have(ip.cidr.address().family())) prefixes.insert(ip.cidr);
    }
  }
  plan_ = plan_routes(table_, link_.index(), {prefixes.begin(), prefixes.end()}, foreign);
  return {};
}

// The mark that `up` chose is not in the file.
Result<void> Reload::change_mark() {
  mark_ = conf_.fwmark.value_or(0);
  const std::uint32_t chosen = is_chosen_mark(device_.fwmark) ? device_.fwmark : 0;
  // Where the table is off rules stay, and without their mark would lead the tunnel into itself.
  if (mark_ == 0 && table_.kind == TableChoice::Kind::off) mark_ = chosen;
  const bool is_needed = !plan_.defaults.empty() || kill_switch_ != KillSwitch::off;
  if (mark_ == 0 && is_needed) {
    const auto mark = choose_mark(network_, devices_, link_.name(), chosen);
    if (!mark) return std::unexpected(mark.error());
    mark_ = *mark;
  }
  change_.fwmark = mark_;
  if (mark_ == device_.fwmark || !is_needed) return {};
  // Before all traffic goes into the tunnel, what comes out of it must be told apart.
  return perform(set_mark(devices_, link_.name(), mark_),
                 set_mark(devices_, link_.name(), device_.fwmark));
}

Result<void> Reload::change_kill_switch() {
  const bool is_same = kill_switch_ == kill_switch_before_ &&
                       (kill_switch_ == KillSwitch::off || mark_ == device_.fwmark);
  if (is_same) return {};
  const Action undo = kill_switch_before_ == KillSwitch::off
                          ? delete_kill_switch(link_.name())
                          : add_kill_switch(link_.name(), kill_switch_before_, device_.fwmark);
  return perform(kill_switch_ == KillSwitch::off
                     ? delete_kill_switch(link_.name())
                     : add_kill_switch(link_.name(), kill_switch_, mark_),
                 undo);
}

Result<void> Reload::change_forwarding() {
  if (is_forwarding_ && (!was_forwarding_ || addresses_ != addresses_before_)) {
    const auto started = start_forwarding(transaction_, link_.name(), addresses_);
    if (!started) return std::unexpected(started.error());
    forwarded_.insert(forwarded_.end(), started->begin(), started->end());
  }
  if (is_forwarding_ || !was_forwarding_) return {};
  auto done =
      perform(delete_masquerade(link_.name()), add_masquerade(link_.name(), addresses_before_));
  if (!done) return done;
  const auto stopped =
      transaction_.is_dry() ? forwarded_ : families_to_stop(link_.name(), forwarded_);
  forwarded_.clear();
  for (const Family family : stopped) {
    done = perform(set_forwarding(family, false), set_forwarding(family, true));
    if (!done) return done;
  }
  return {};
}

Result<void> Reload::change_defaults() {
  for (const Family family : kFamilies) {
    // There are machines without what protects.
    deleted_priorities_.clear();
    const bool is_protected =
        has_default_route(family) || !leak_protection_of(link_.name(), family).empty();
    const bool stays = holds(plan_.defaults, family) && mark_ == device_.fwmark;
    if (is_protected && !stays && table_.kind != TableChoice::Kind::off) {
      if (auto done = remove_default(family); !done) return done;
    }
    if (!holds(plan_.defaults, family)) continue;
    if (auto done = add_default(family, is_protected && stays); !done) return done;
  }
  return {};
}

Result<void> Reload::add_default(Family family, bool is_protected) {
  if (!is_protected) {
    return add_default_route(transaction_, link_, family, mark_, addresses_, deleted_priorities_);
  }
  // An exchange of addresses may have cost the interface its routes.
  if (!has_default_route(family)) {
    const io::LinkRoute route{everything(family), mark_, link_.index()};
    if (auto done = perform(link_.add_route(route), link_.delete_route(route)); !done) return done;
  }
  if (addresses_ == addresses_before_) return {};
  for (const PacketFilter filter : leak_protection_of(link_.name(), family)) {
    auto done =
        perform(add_leak_protection(filter, {link_.name(), family, mark_, addresses_}),
                add_leak_protection(filter, {link_.name(), family, mark_, addresses_before_}));
    if (!done) return done;
  }
  return {};
}

Result<void> Reload::remove_default(Family family) {
  const std::uint32_t mark = device_.fwmark;
  Result<void> done;
  for (const PacketFilter filter : leak_protection_of(link_.name(), family)) {
    done = perform(delete_leak_protection(filter, link_.name(), family),
                   add_leak_protection(filter, {link_.name(), family, mark, addresses_before_}));
    if (!done) return done;
  }
  const auto rules = network_.rules(family);
  if (!rules) return std::unexpected(rules.error());
  for (const io::RoutingRule& rule : rules_to_delete(*rules, mark)) {
    done = perform(link_.delete_rule(rule), link_.add_rule(rule));
    if (!done) return done;
    if (transaction_.is_dry() && rule.priority) deleted_priorities_.push_back(*rule.priority);
  }
  if (!has_default_route(family)) return {};
  const io::LinkRoute route{everything(family), mark, link_.index()};
  return perform(link_.delete_route(route), link_.add_route(route));
}

Result<void> Reload::change_routes() {
  if (table_.kind == TableChoice::Kind::off) return {};
  for (const io::LinkRoute& route : plan_.routes) {
    if (holds(routes_, route)) continue;
    auto done = perform(link_.add_route(route), link_.delete_route(route));
    if (!done) return done;
  }
  const std::vector<Cidr> prefixes_before = allowed_ips(device_.peers);
  for (const io::LinkRoute& route : routes_) {
    const bool is_default = route.destination.length() == 0 && route.table == device_.fwmark;
    if (route.is_kernels || is_default || holds(plan_.routes, route) ||
        !holds(prefixes_before, route.destination)) {
      continue;
    }
    auto done = perform(link_.delete_route(route), link_.add_route(route));
    if (!done) return done;
  }
  return {};
}

Result<void> Reload::change_device() {
  // Who does not tell has no place of its own.
  const auto settings = devices_.settings(link_.name());
  changes_ = keep_differences(change_, device_, settings ? settings->place : LocalPlace());
  if (changes_.empty() || transaction_.is_dry()) return {};
  return devices_.set(link_.name(), change_);
}

}  // namespace ferrule::quick
