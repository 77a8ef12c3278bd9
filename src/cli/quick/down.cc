#include "cli/quick/down.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>
#include <thread>

#include "cli/quick/default_route.h"
#include "cli/quick/dns.h"
#include "cli/quick/hooks.h"
#include "cli/quick/leak_protection.h"
#include "cli/quick/quick_command.h"
#include "cli/quick/quick_file.h"
#include "cli/quick/routes.h"
#include "cli/quick/save.h"
#include "cli/quick/signals.h"

namespace ferrule::cli {

namespace {

using namespace std::chrono_literals;

// A daemon ends by itself when its interface goes; whoever brings the interface up again at once must
// not meet the old one.
constexpr auto kDaemonPatience = 2s;
constexpr auto kDaemonPause = 10ms;

class Down {
 public:
  Down(Console& console, const QuickFile& file, LinkActions link)
      : console_(console), file_(file), link_(std::move(link)) {}

  // True when nothing went wrong.
  [[nodiscard]] bool run(const control::DeviceStatus& device) {
    const SignalsWait wait;
    delete_rules(device);
    unset_dns();  // resolvectl knows interfaces only while they are there
    perform(link_.delete_link());
    wait_for_daemon();
    for (const Family family : leak_protected(file_.interface)) {
      perform(delete_leak_protection(file_.interface, family));
    }
    return is_good_;
  }

 private:
  void perform(const Action& action) {
    const auto done = cli::perform(console_.err, action);
    if (!done) refuse(done.error());
  }
  void refuse(const Error& error) {
    console_.err.print("{}: {}\n", console_.program, error.what);
    is_good_ = false;
  }

  void delete_rules(const control::DeviceStatus& device) {
    const auto table = parse_table(file_.configuration.interface.table);
    const bool is_automatic = table && table->kind == TableChoice::Kind::automatic;
    if (!is_automatic || device.fwmark == 0) return;
    const auto prefixes = allowed_ips(device.peers);
    for (const Family family : {Family::v4, Family::v6}) {
      const bool is_default = std::ranges::any_of(prefixes, [&](const Cidr& prefix) {
        return prefix.length() == 0 && prefix.address().family() == family;
      });
      if (!is_default) continue;
      const auto rules = link_.network().rules(family);
      if (!rules) return refuse(rules.error());
      for (const io::RoutingRule& rule : rules_to_delete(*rules, device.fwmark)) {
        perform(link_.delete_rule(rule));
      }
    }
  }

  void wait_for_daemon() {
    for (auto waited = 0ms; waited < kDaemonPatience; waited += kDaemonPause) {
      const auto device = console_.devices->get(file_.interface);
      if (!device && device.error().code == ENODEV) return;
      std::this_thread::sleep_for(kDaemonPause);
    }
  }

  void unset_dns() {
    const bool has_dns = !file_.configuration.interface.dns_servers.empty();
    if (!has_dns && !remembered_dns(file_.interface)) return;
    if (const auto keeper = DnsKeeper::find()) return perform(keeper->unset(file_.interface));
    forget_dns(file_.interface);
    refuse(make_error(ENOENT, std::string(kNoDnsKeeper)));
  }

  Console& console_;
  const QuickFile& file_;
  LinkActions link_;
  bool is_good_ = true;
};

}  // namespace

int run_down(Console& console, Arguments arguments) {
  std::string argument;
  const auto status = read_argument(
      console, arguments, "Takes an interface down, with all that came with it.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  const auto file = read_quick_file(console, argument);
  if (!file) return 1;
  const auto device = get_device(console, file->interface);
  auto network = open_network(console);
  if (!device || !network) return 1;
  auto link = find_link(console, *network, file->interface);
  if (!link) return 1;
  const control::InterfaceConf& conf = file->configuration.interface;
  prepare_environment(file->interface, file->path);
  if (!run_hooks(console, *file, "PreDown", conf.pre_down)) return 1;
  const QuickPlace place{file->interface, file->path, file->given};
  if (conf.save_config && !save_configuration(console, place)) return 1;
  const bool is_good = Down(console, *file, std::move(*link)).run(*device);
  return run_hooks(console, *file, "PostDown", conf.post_down) && is_good ? 0 : 1;
}

}  // namespace ferrule::cli
