#include "quick/up.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "files/conf_change.h"
#include "io/linux/kernel_query.h"
#include "quick/child.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/dry_run.h"
#include "quick/forwarding.h"
#include "quick/hooks.h"
#include "quick/ipv6.h"
#include "quick/link.h"
#include "quick/record.h"
#include "quick/routes.h"

namespace ferrule::quick {

Attempt<Implementation> choose_implementation(const QuickFile& file) {
  const auto text = control::interface_note(file.document, "Implementation");
  if (!text || *text == "ferruled") return Implementation::daemon;
  if (*text == "kernel") return Implementation::kernel;
  return std::unexpected(
      Failure{fmt::format("{}: Implementation is `kernel' or `ferruled', and not `{}'", file.path,
                          control::without_keys(*text))});
}

Attempt<void> Up::begin() {
  if (!is_free() || !can_run("PreUp", conf_.pre_up) || !can_run("PostUp", conf_.post_up)) {
    return std::unexpected(std::move(failure_));
  }
  if (transaction_.is_dry()) {
    for (const std::string& hook : conf_.pre_up) {
      listener_.step(hook_action(hook, file_.interface).shown);
    }
    return {};
  }
  has_begun_pre_up_ = !conf_.pre_up.empty();
  return run_hooks(file_, "PreUp", conf_.pre_up, listener_);
}

Attempt<void> Up::finish(Opening opening) {
  table_ = opening.table;
  kill_switch_ = opening.kill_switch;
  is_forwarding_ = opening.is_forwarding;
  change_ = files::take_change(file_.configuration, opening.endpoints);
  files::replace_all(change_);
  if (!opening.place.addresses.is_empty()) change_.bind = opening.place.addresses;
  if (!opening.place.interface.empty()) change_.bind_interface = opening.place.interface;
  wait_.emplace();
  const bool is_up = make_link() && configure() && close_other_ways() && add_addresses() &&
                     set_up() && set_dns() && add_routes() && forward() && run_post_up();
  if (!is_up) return std::unexpected(std::move(failure_));
  transaction_.keep();
  if (!transaction_.is_dry()) remember();
  return {};
}

void Up::take_back() {
  transaction_.take_back();
  tell_of_hooks();
}

bool Up::perform(std::string_view key, std::string_view value, const Action& action,
                 std::optional<Action> undo) {
  const auto done = transaction_.perform(action, std::move(undo));
  return done || refuse_at(key, value, done.error().what);
}

bool Up::refuse(const Error& error) {
  failure_ = failed(error).error();
  return false;
}

bool Up::refuse_at(std::string_view key, std::string_view value, std::string what) {
  failure_ = failed_at(file_, key, value, std::move(what)).error();
  return false;
}

bool Up::is_free() {
  auto query = io::KernelQuery::open();
  if (!query) return refuse(query.error());
  if (!query->link(file_.interface)) return true;
  failure_.what = fmt::format("`{}' already exists", file_.interface);
  failure_.hints.push_back(
      devices_.get(file_.interface)
          ? fmt::format("It is up: `ferrule reload {0}' makes it what its file says now, `ferrule "
                        "down {0}' takes it down.",
                        file_.given)
          : fmt::format("It is none of WireGuard's: `ip -d link show {0}' tells what it is, `ip "
                        "link delete {0}' removes it.",
                        file_.interface));
  return false;
}

// The shell would show what it can't read, with keys in it.
bool Up::can_run(std::string_view key, const std::vector<std::string>& hooks) {
  return std::ranges::all_of(hooks, [&](const std::string& hook) {
    if (can_shell_read(hook)) return true;
    return refuse_at(key, hook,
                     "the shell can't read this: perhaps a quote or a bracket is not closed");
  });
}

namespace {

// Of a link that a dry run does not make.
constexpr std::uint32_t kIndexOfNoLink = 0;

// Another program would take the option for a mistake.
bool is_ferruled(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "ferruled";
}

// Where the daemon keeps what it should know again the next time (ferruled(8), --state).
std::string state_path(const std::string& interface) {
  return "/var/lib/ferrule/" + interface + ".state";
}

}  // namespace

Action Up::link_action() const {
  const std::string& name = file_.interface;
  if (implementation_ == Implementation::kernel) {
    return {"ip link add " + name + " type wireguard",
            [this] { return network_.add_link(file_.interface, "wireguard"); }};
  }
  const char* wanted = std::getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");
  const std::string daemon = wanted != nullptr && *wanted != '\0' ? wanted : "ferruled";
  std::vector<std::string> words{daemon, name};
  if (is_ferruled(daemon)) words.insert(words.end(), {"--state", state_path(name)});
  std::string shown;
  for (const std::string& word : words) shown += (shown.empty() ? "" : " ") + word;
  return {shown, [words, daemon] { return run_child(words, daemon); }};
}

bool Up::make_link() {
  if (const auto done = transaction_.perform(link_action()); !done) return refuse(done.error());
  if (transaction_.is_dry()) {
    link_.emplace(network_, file_.interface, kIndexOfNoLink);
    return true;
  }
  auto link = find_link(network_, file_.interface);
  if (!link) return refuse(link.error());
  link_ = std::move(*link);
  transaction_.remember(delete_link_with_daemon(*link_, devices_));
  return true;
}

// What tells the tunnel's own packets apart must be there before the first of them is sent: the kernel
// has something to say on a link as soon as that is up.
bool Up::configure() {
  if (kill_switch_ != KillSwitch::off) {
    const auto mark = choose_mark(network_, devices_, file_.interface, change_.fwmark.value_or(0));
    if (!mark) return refuse(mark.error());
    mark_ = *mark;
    change_.fwmark = mark_;
  }
  const Action action{"wg setconf " + file_.interface + " " + file_.path,
                      [this] { return devices_.set(file_.interface, change_); }};
  if (auto done = transaction_.perform(action); !done) {
    const bool is_elsewhere = change_.bind || change_.bind_interface;
    if (is_elsewhere && done.error().code != EADDRINUSE) {
      done.error().what += " (Bind and BindInterface take ferruled of this version)";
    }
    return refuse(done.error());
  }
  auto device = transaction_.is_dry() ? Result<control::DeviceStatus>(status_after(change_))
                                      : devices_.get(file_.interface);
  if (!device) return refuse(device.error());
  device_ = std::move(*device);
  choose_mtu();
  return true;
}

// Below its least MTU, or where it is switched off, an interface has no IPv6, and takes neither
// addresses nor routes of it: they are left out, as was said.
void Up::choose_mtu() {
  const bool has_v6_inside = std::ranges::any_of(
      conf_.addresses, [](const auto& own) { return own.address.family() == Family::v6; });
  mtu_ = conf_.mtu_bytes ? *conf_.mtu_bytes : automatic_mtu(network_, device_);
  has_v6_ = has_ipv6();
  if (!conf_.mtu_bytes && has_v6_ && has_v6_inside) mtu_ = std::max(mtu_, kLeastMtuOfIPv6);
  if (mtu_ < kLeastMtuOfIPv6) has_v6_ = false;
}

std::vector<io::LinkAddress> Up::wanted_addresses() const {
  std::vector<io::LinkAddress> wanted;
  for (const auto& [address, length] : conf_.addresses) {
    if (can_have(address.family())) wanted.push_back({address, length});
  }
  return wanted;
}

bool Up::add_addresses() {
  return std::ranges::all_of(wanted_addresses(), [this](const io::LinkAddress& wanted) {
    return perform("Address", wanted.address.to_string(), link_->add_address(wanted));
  });
}

// What the kernel takes away again in silence is said.
bool Up::set_up() {
  if (!perform("MTU", std::to_string(mtu_), link_->set_up(mtu_))) return false;
  const auto present = present_addresses();
  if (!present) return refuse(present.error());
  for (const io::LinkAddress& wanted : wanted_addresses()) {
    const bool is_there = std::ranges::any_of(
        *present, [&](const auto& has) { return has.address == wanted.address; });
    if (!is_there) {
      transaction_.warn(fmt::format("the kernel has taken {} from {} again",
                                    wanted.address.to_string(), file_.interface));
    }
  }
  return true;
}

bool Up::set_dns() {
  if (!transaction_.is_dry()) forget_dns(file_.interface);
  if (conf_.dns_servers.empty()) return true;
  const DnsSettings settings{conf_.dns_servers, conf_.dns_search};
  const std::string first = conf_.dns_servers.front().to_string();
  const auto keeper = DnsKeeper::find();
  if (!keeper) {
    return refuse_at("DNS", first, std::string(kNoDnsKeeper));
  }
  // A program that fails may have done half of it.
  transaction_.remember(keeper->unset(file_.interface));
  return perform("DNS", first, keeper->set(file_.interface, settings));
}

Result<std::vector<io::LinkAddress>> Up::present_addresses() {
  if (transaction_.is_dry()) return wanted_addresses();
  return network_.addresses(link_->index());
}

Result<std::vector<io::LinkRoute>> Up::present_routes() {
  if (transaction_.is_dry()) return routes_of_kernel(wanted_addresses(), link_->index());
  std::vector<io::LinkRoute> present;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto routes = network_.routes(family);
    if (!routes) return std::unexpected(routes.error());
    present.insert(present.end(), routes->begin(), routes->end());
  }
  return present;
}

bool Up::add_routes() {
  const auto present = present_routes();
  if (!present) return refuse(present.error());
  std::vector<Cidr> prefixes = allowed_ips(device_.peers);
  std::erase_if(prefixes,
                [this](const Cidr& prefix) { return !can_have(prefix.address().family()); });
  const RoutePlan plan = plan_routes(table_, link_->index(), std::move(prefixes), *present);
  const bool is_done = std::ranges::all_of(plan.routes, [this](const io::LinkRoute& route) {
    return perform("AllowedIPs", route.destination.address().to_string(), link_->add_route(route));
  });
  defaults_ = plan.defaults;
  return is_done && add_defaults(defaults_);
}

bool Up::add_defaults(const std::vector<Family>& families) {
  if (families.empty()) return true;
  if (!mark_packets()) return false;
  const auto addresses = present_addresses();
  if (!addresses) return refuse(addresses.error());
  return std::ranges::all_of(families, [&](Family family) {
    const auto done = add_default_route(transaction_, *link_, family, mark_, *addresses);
    return done || refuse_at("AllowedIPs", everything(family).to_string(), done.error().what);
  });
}

bool Up::mark_packets() {
  const auto mark = choose_mark(network_, devices_, file_.interface, device_.fwmark);
  if (!mark) return refuse(mark.error());
  mark_ = *mark;
  if (device_.fwmark != 0) return true;
  const auto marked = transaction_.perform(set_mark(devices_, file_.interface, mark_));
  return marked || refuse(marked.error());
}

// Who wants that wants no tunnel without it.
bool Up::close_other_ways() {
  if (kill_switch_ == KillSwitch::off) return true;
  const auto done = transaction_.perform(add_kill_switch(file_.interface, kill_switch_, mark_),
                                         delete_kill_switch(file_.interface));
  return done || refuse_at("", "", "KillSwitch: " + done.error().what);
}

bool Up::forward() {
  if (!is_forwarding_) return true;
  auto started = start_forwarding(transaction_, file_.interface, wanted_addresses());
  if (!started) return refuse_at("", "", "Forward: " + started.error().what);
  forwarded_ = std::move(*started);
  return true;
}

// For `down` and `reload`.
void Up::remember() {
  UpRecord record;
  record.link_index = link_->index();
  record.mark = mark_;
  if (!defaults_.empty()) record.rules = rules_of_tunnel(network_, mark_);
  record.forwarded = forwarded_;
  if (!conf_.listen_port) {
    const auto device = devices_.get(file_.interface);
    if (device) record.port = device->listen_port;
  }
  record.path = file_.path;
  record.conf = file_.document.text();
  if (const auto written = write_record(file_.interface, record); !written) {
    listener_.warn(written.error().what);
  }
}

void Up::tell_of_hooks() {
  if (!has_begun_pre_up_ && !has_begun_post_up_) return;
  listener_.warn(
      fmt::format("what {} did, if anything, stays: nobody but you knows how to take it back",
                  !has_begun_post_up_  ? "PreUp"
                  : !has_begun_pre_up_ ? "PostUp"
                                       : "PreUp and PostUp"));
}

bool Up::run_post_up() {
  has_begun_post_up_ = !conf_.post_up.empty() && !transaction_.is_dry();
  return std::ranges::all_of(conf_.post_up, [this](const std::string& hook) {
    return perform("PostUp", hook, hook_action(hook, file_.interface));
  });
}

}  // namespace ferrule::quick
