#include "cli/quick/up.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "cli/doctor/warnings.h"
#include "cli/quick/follow.h"
#include "cli/quick/quick_command.h"
#include "cli/quick/quick_file.h"
#include "cli/terminal/options.h"
#include "control/named_peers.h"
#include "diagnosis/machine_findings.h"
#include "files/conf_change.h"
#include "io/linux/kernel_query.h"
#include "quick/child.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/hooks.h"
#include "quick/ipv6.h"
#include "quick/record.h"
#include "quick/routes.h"
#include "quick/signals.h"

namespace ferrule::cli {

namespace {

enum class Implementation { daemon, kernel };

// One run of `up`. Each step says what is wrong, if anything is, and then returns false.
class Up {
 public:
  Up(Console& console, QuickFile& file, io::Network& network, Implementation implementation)
      : console_(console),
        file_(file),
        conf_(file.configuration.interface),
        network_(network),
        implementation_(implementation),
        transaction_(console.err) {}

  [[nodiscard]] bool run() {
    if (!is_free() || !can_run("PreUp", conf_.pre_up) || !can_run("PostUp", conf_.post_up))
      return false;
    if (!run_hooks(console_, file_, "PreUp", conf_.pre_up) || !read_peers()) {
      tell_of_hooks();
      return false;
    }
    const quick::SignalsWait wait;
    const bool is_up = make_link() && configure() && add_addresses() && set_up() && set_dns() &&
                       add_routes() && run_post_up();
    if (is_up) {
      transaction_.keep();
      remember();
    } else {
      transaction_.take_back();
      tell_of_hooks();
    }
    return is_up;
  }

 private:
  [[nodiscard]] bool is_free();
  [[nodiscard]] bool read_peers();
  [[nodiscard]] bool can_run(std::string_view key, const std::vector<std::string>& hooks);
  [[nodiscard]] bool make_link();
  [[nodiscard]] bool configure();
  void choose_mtu();
  [[nodiscard]] bool add_addresses();
  [[nodiscard]] bool set_up();
  [[nodiscard]] bool set_dns();
  [[nodiscard]] bool add_routes();
  [[nodiscard]] bool add_defaults(const std::vector<Family>& families);
  [[nodiscard]] bool run_post_up();
  void remember();
  void tell_of_hooks();

  [[nodiscard]] quick::Action link_action() const;
  [[nodiscard]] bool can_have(Family family) const { return family == Family::v4 || has_v6_; }

  // Makes a step that comes from a value in the file.
  [[nodiscard]] bool perform(std::string_view key, std::string_view value,
                             const quick::Action& action, std::optional<quick::Action> undo = {}) {
    const auto done = transaction_.perform(action, std::move(undo));
    if (!done) report_at(console_, file_, key, value, done.error().what);
    return done.has_value();
  }
  [[nodiscard]] bool refuse(const Error& error) {
    console_.err.print("{}: {}\n", console_.program, error.what);
    return false;
  }

  Console& console_;
  QuickFile& file_;
  control::InterfaceConf& conf_;
  io::Network& network_;
  Implementation implementation_;
  quick::Transaction transaction_;
  quick::TableChoice table_;
  protocol::DeviceChange change_;
  control::DeviceStatus device_;
  std::uint32_t mtu_ = 0;
  std::uint32_t mark_ = 0;  // of the tunnel's own packets, where all traffic goes through it
  bool has_v6_ = true;
  bool has_begun_post_up_ = false;
  std::optional<quick::LinkActions> link_;
};

bool Up::is_free() {
  auto query = io::KernelQuery::open();
  if (!query) return refuse(query.error());
  if (!query->link(file_.interface)) return true;
  console_.err.print("{}: `{}' already exists\n", console_.program, file_.interface);
  if (console_.devices->get(file_.interface)) {
    console_.err.print(
        "It is up: `ferrule reload {0}' makes it what its file says now, `ferrule down "
        "{0}' takes it down.\n",
        file_.given);
  } else {
    console_.err.print(
        "It is none of WireGuard's: `ip -d link show {0}' tells what it is, `ip link "
        "delete {0}' removes it.\n",
        file_.interface);
  }
  return false;
}

// Names are looked up, and all that can be known is said, before anything is there to be taken back. A
// peer whose name nobody knows now is its own trouble: `resolve --follow' goes on asking.
bool Up::read_peers() {
  const auto table = quick::parse_table(conf_.table);
  if (!table) {
    report_at(console_, file_, "Table", *conf_.table,
              "Table: there is no routing table of this name");
    return false;
  }
  table_ = *table;
  const auto endpoints = files::look_up_endpoints(console_.err, file_.configuration);
  const diagnosis::FileToCheck to_check{file_.path, file_.interface, file_.document,
                                        file_.configuration};
  warn_of(console_, diagnosis::find_everything(*console_.devices, to_check, endpoints, false),
          file_.given);
  change_ = files::take_change(file_.configuration, endpoints);
  files::replace_all(change_);
  return true;
}

// The shell would show what it can't read, with keys in it.
bool Up::can_run(std::string_view key, const std::vector<std::string>& hooks) {
  return std::ranges::all_of(hooks, [&](const std::string& hook) {
    if (quick::can_shell_read(hook)) return true;
    report_at(console_, file_, key, hook,
              "the shell can't read this: perhaps a quote or a bracket is not closed");
    return false;
  });
}

namespace {

// Another program would take the option for a mistake.
bool is_ferruled(std::string_view program) {
  return program.substr(program.rfind('/') + 1) == "ferruled";
}

// Where the daemon keeps what it should know again the next time (ferruled(8), --state).
std::string state_path(const std::string& interface) {
  return "/var/lib/ferrule/" + interface + ".state";
}

}  // namespace

quick::Action Up::link_action() const {
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
  return {shown, [words, daemon] { return quick::run_child(words, daemon); }};
}

bool Up::make_link() {
  if (const auto done = transaction_.perform(link_action()); !done) return refuse(done.error());
  link_ = find_link(console_, network_, file_.interface);
  if (!link_) return false;
  transaction_.remember(link_->delete_link());
  return true;
}

bool Up::configure() {
  const quick::Action action{"wg setconf " + file_.interface + " " + file_.path,
                             [this] { return console_.devices->set(file_.interface, change_); }};
  if (const auto done = transaction_.perform(action); !done) return refuse(done.error());
  auto device = console_.devices->get(file_.interface);
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
  has_v6_ = quick::has_ipv6();
  if (!conf_.mtu_bytes && has_v6_ && has_v6_inside) mtu_ = std::max(mtu_, quick::kLeastMtuOfIPv6);
  if (mtu_ < quick::kLeastMtuOfIPv6) has_v6_ = false;
}

bool Up::add_addresses() {
  return std::ranges::all_of(conf_.addresses, [this](const control::InterfaceAddress& address) {
    if (!can_have(address.address.family())) return true;
    const io::LinkAddress added{address.address, address.prefix_length};
    return perform("Address", address.address.to_string(), link_->add_address(added));
  });
}

// What the kernel takes away again in silence is said.
bool Up::set_up() {
  if (!perform("MTU", std::to_string(mtu_), link_->set_up(mtu_))) return false;
  const auto present = network_.addresses(link_->index());
  if (!present) return refuse(present.error());
  for (const control::InterfaceAddress& wanted : conf_.addresses) {
    if (!can_have(wanted.address.family())) continue;
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
  quick::forget_dns(file_.interface);
  if (conf_.dns_servers.empty()) return true;
  const quick::DnsSettings settings{conf_.dns_servers, conf_.dns_search};
  const std::string first = conf_.dns_servers.front().to_string();
  const auto keeper = quick::DnsKeeper::find();
  if (!keeper) {
    report_at(console_, file_, "DNS", first, quick::kNoDnsKeeper);
    return false;
  }
  // A program that fails may have done half of it.
  transaction_.remember(keeper->unset(file_.interface));
  return perform("DNS", first, keeper->set(file_.interface, settings));
}

bool Up::add_routes() {
  std::vector<io::LinkRoute> present;
  for (const Family family : {Family::v4, Family::v6}) {
    const auto routes = network_.routes(family);
    if (!routes) return refuse(routes.error());
    present.insert(present.end(), routes->begin(), routes->end());
  }
  std::vector<Cidr> prefixes = quick::allowed_ips(device_.peers);
  std::erase_if(prefixes,
                [this](const Cidr& prefix) { return !can_have(prefix.address().family()); });
  const quick::RoutePlan plan =
      quick::plan_routes(table_, link_->index(), std::move(prefixes), present);
  const bool is_done = std::ranges::all_of(plan.routes, [this](const io::LinkRoute& route) {
    return perform("AllowedIPs", route.destination.address().to_string(), link_->add_route(route));
  });
  return is_done && add_defaults(plan.defaults);
}

bool Up::add_defaults(const std::vector<Family>& families) {
  if (families.empty()) return true;
  const auto mark = quick::choose_mark(network_, device_.fwmark);
  if (!mark) return refuse(mark.error());
  mark_ = *mark;
  if (device_.fwmark == 0) {
    const auto marked =
        transaction_.perform(quick::set_mark(*console_.devices, file_.interface, *mark));
    if (!marked) return refuse(marked.error());
  }
  const auto addresses = network_.addresses(link_->index());
  if (!addresses) return refuse(addresses.error());
  return std::ranges::all_of(families, [&](Family family) {
    const auto done = quick::add_default_route(transaction_, *link_, family, *mark, *addresses);
    if (!done) {
      report_at(console_, file_, "AllowedIPs", family == Family::v4 ? "0.0.0.0/0" : "::/0",
                done.error().what);
    }
    return done.has_value();
  });
}

// For `down` and `reload`.
void Up::remember() {
  quick::UpRecord record;
  record.link_index = link_->index();
  record.mark = mark_;
  record.rules = quick::rules_of_tunnel(network_, mark_);
  const auto device = console_.devices->get(file_.interface);
  if (device && !conf_.listen_port) record.port = device->listen_port;
  record.path = file_.path;
  record.conf = file_.document.text();
  if (const auto written = quick::write_record(file_.interface, record); !written) {
    console_.err.print("Warning: {}\n", written.error().what);
  }
}

void Up::tell_of_hooks() {
  if (conf_.pre_up.empty() && !has_begun_post_up_) return;
  console_.err.print(
      "Warning: what {} did, if anything, stays: nobody but you knows how to take it back\n",
      !has_begun_post_up_    ? "PreUp"
      : conf_.pre_up.empty() ? "PostUp"
                             : "PreUp and PostUp");
}

bool Up::run_post_up() {
  has_begun_post_up_ = !conf_.post_up.empty();
  return std::ranges::all_of(conf_.post_up, [this](const std::string& hook) {
    return perform("PostUp", hook, quick::hook_action(hook, file_.interface));
  });
}

std::optional<Implementation> choose_implementation(Console& console, const QuickFile& file,
                                                    bool wants_kernel) {
  if (wants_kernel) return Implementation::kernel;
  const auto text = control::interface_note(file.document, "Implementation");
  if (!text || *text == "ferruled") return Implementation::daemon;
  if (*text == "kernel") return Implementation::kernel;
  console.err.print("{}: {}: Implementation is `kernel' or `ferruled', and not `{}'\n",
                    console.program, file.path, *text);
  return std::nullopt;
}

}  // namespace

int run_up(Console& console, Arguments arguments) {
  std::string argument;
  bool wants_kernel = false;
  CLI::App app{"Brings an interface up as its file says, or leaves everything as it was."};
  add_file(app, argument);
  app.add_flag("--kernel", wants_kernel, "by the kernel's module instead of ferruled");
  if (const auto status = read_options(app, console, arguments)) return *status;
  auto file = read_file_to_apply(console, argument);
  if (!file) return 1;
  const auto implementation = choose_implementation(console, *file, wants_kernel);
  auto network = open_network(console);
  if (!implementation || !network) return 1;
  quick::prepare_environment(file->interface, file->path);
  if (!Up(console, *file, *network, *implementation).run()) return 1;
  return follow_names(console, *file) ? 0 : 1;
}

}  // namespace ferrule::cli
