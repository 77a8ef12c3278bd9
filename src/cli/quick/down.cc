#include "cli/quick/down.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "base/key_text.h"
#include "cli/quick/quick_command.h"
#include "cli/quick/quick_file.h"
#include "cli/quick/save.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "io/linux/kernel_query.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/hooks.h"
#include "quick/leak_protection.h"
#include "quick/record.h"
#include "quick/routes.h"
#include "quick/signals.h"

namespace ferrule::cli {

namespace {

using namespace std::chrono_literals;

// A daemon ends by itself when its interface goes; whoever brings the interface up again at once must
// not meet the old one.
constexpr auto kDaemonPatience = 2s;
constexpr auto kDaemonPause = 10ms;

constexpr std::size_t kMaxLostTold = 5;

// What is to be taken down: by the record of what `up` did, or else by the file.
struct Doomed {
  QuickFile file;
  std::optional<quick::UpRecord> record;
  std::optional<quick::LinkActions> link;       // none: it is gone already
  std::optional<control::DeviceStatus> device;  // none: nobody answers
};

class Down {
 public:
  Down(Console& console, io::Network& network, const Doomed& doomed)
      : console_(console),
        file_(doomed.file),
        doomed_(doomed),
        link_(doomed.link.value_or(quick::LinkActions(network, doomed.file.interface, 0))) {}

  // True when nothing went wrong.
  [[nodiscard]] bool run() {
    const quick::SignalsWait wait;
    doomed_.record ? delete_recorded_rules() : delete_rules();
    unset_dns();  // resolvectl knows interfaces only while they are there
    if (doomed_.link) perform(link_.delete_link());
    wait_for_daemon();
    for (const Family family : quick::leak_protected(file_.interface)) {
      perform(quick::delete_leak_protection(file_.interface, family));
    }
    quick::forget_record(file_.interface);
    return is_good_;
  }

 private:
  void perform(const quick::Action& action) {
    const auto done = quick::perform(console_.err, action);
    if (!done) refuse(done.error());
  }
  void refuse(const Error& error) {
    console_.err.print("{}: {}\n", console_.program, error.what);
    is_good_ = false;
  }

  // Those that are there still.
  void delete_recorded_rules() {
    for (const Family family : {Family::v4, Family::v6}) {
      const auto present = link_.network().rules(family);
      if (!present) return refuse(present.error());
      for (const io::RoutingRule& rule : doomed_.record->rules) {
        if (std::ranges::find(*present, rule) != present->end()) perform(link_.delete_rule(rule));
      }
    }
  }

  void delete_rules() {
    const auto table = quick::parse_table(file_.configuration.interface.table);
    const bool is_automatic = table && table->kind == quick::TableChoice::Kind::automatic;
    if (!is_automatic || !doomed_.device || doomed_.device->fwmark == 0) return;
    const auto prefixes = quick::allowed_ips(doomed_.device->peers);
    for (const Family family : {Family::v4, Family::v6}) {
      const bool is_default = std::ranges::any_of(prefixes, [&](const Cidr& prefix) {
        return prefix.length() == 0 && prefix.address().family() == family;
      });
      if (!is_default) continue;
      const auto rules = link_.network().rules(family);
      if (!rules) return refuse(rules.error());
      for (const io::RoutingRule& rule : quick::rules_to_delete(*rules, doomed_.device->fwmark)) {
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
    if (!has_dns && !quick::remembered_dns(file_.interface)) return;
    if (const auto keeper = quick::DnsKeeper::find()) {
      if (doomed_.link) return perform(keeper->unset(file_.interface));
      // What knows interfaces only while they are there has forgotten this one.
      (void)quick::perform(console_.err, keeper->unset(file_.interface));
      return;
    }
    quick::forget_dns(file_.interface);
    refuse(make_error(ENOENT, std::string(quick::kNoDnsKeeper)));
  }

  Console& console_;
  const QuickFile& file_;
  const Doomed& doomed_;
  quick::LinkActions link_;
  bool is_good_ = true;
};

std::string interface_of(std::string_view argument) {
  if (files::is_interface_name(argument)) return std::string(argument);
  return std::filesystem::path(argument).stem();
}

// The file as it was when it was applied; its hooks are told of the one that was named.
std::optional<QuickFile> file_of(const quick::UpRecord& record, const std::string& interface,
                                 const std::string& argument) {
  const std::string given =
      files::is_interface_name(argument) ? files::conf_path_of(argument) : argument;
  std::error_code gone;
  std::string path = std::filesystem::canonical(given, gone);
  if (gone) path = given;
  control::ConfDocument document(path, record.conf.view());
  auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) return std::nullopt;
  return QuickFile{interface, path, given, std::move(document), std::move(*configuration)};
}

// The commands of PreDown in today's file; none where it can't be read.
std::vector<std::string> pre_down_of_today(const std::string& path) {
  const auto text = files::read_file(path);
  if (!text) return {};
  const control::ConfDocument document(path, text->view());
  const auto conf = control::read_configuration(document, control::ConfDialect::wg_quick);
  return conf ? conf->interface.pre_down : std::vector<std::string>();
}

// A command that fails ends it, as long as the file has it: without it, that is the way out.
bool run_pre_down(Console& console, const Doomed& doomed) {
  const std::vector<std::string>& hooks = doomed.file.configuration.interface.pre_down;
  if (run_hooks(console, doomed.file, "PreDown", hooks)) return true;
  if (!doomed.record || pre_down_of_today(doomed.file.path) == hooks) return false;
  console.err.write("Warning: the file has other commands by now: going on\n");
  return true;
}

// A record counts while its interface is the one that is there, or none is.
std::optional<Doomed> find_doomed(Console& console, io::Network& network,
                                  const std::string& argument) {
  const std::string interface = interface_of(argument);
  auto record = quick::read_record(interface);
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(interface) : std::unexpected(query.error());
  if (record && link && link->index != record->link_index) record.reset();
  auto file = record ? file_of(*record, interface, argument) : std::nullopt;
  if (!file) {
    record.reset();
    file = read_quick_file(console, argument);
  } else if (std::filesystem::exists(file->path)) {
    (void)find_quick_file(console, argument);  // for what it says of readers
    // Who names another file wants its commands.
    if (file->path != record->path) file = read_quick_file(console, argument);
  }
  if (!file) return std::nullopt;
  Doomed doomed{std::move(*file), std::move(record), {}, {}};
  if (link) doomed.link.emplace(network, interface, link->index);
  if (link || !doomed.record) {
    auto device = get_device(console, doomed.file.interface);
    if (device) doomed.device = std::move(*device);
    if (!doomed.device && !doomed.record) return std::nullopt;
  }
  return doomed;
}

std::set<PublicKey> keys_in(const QuickFile& file) {
  std::set<PublicKey> keys;
  for (const control::PeerConf& peer : file.configuration.peers) keys.insert(peer.public_key);
  // Today's file, too: others may have been written there meanwhile.
  const auto text = files::read_file(file.path);
  if (!text) return keys;
  const control::ConfDocument document(file.path, text->view());
  const auto today = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!today) return keys;
  for (const control::PeerConf& peer : today->peers) keys.insert(peer.public_key);
  return keys;
}

// Peers that were added by hand and are in no file go with the interface.
void tell_of_lost_peers(Console& console, const Doomed& doomed) {
  if (!doomed.device) return;
  const std::set<PublicKey> kept = keys_in(doomed.file);
  std::size_t lost = 0;
  for (const protocol::PeerStatus& peer : doomed.device->peers) {
    if (kept.contains(peer.public_key)) continue;
    if (++lost > kMaxLostTold) continue;
    std::string prefixes;
    for (const Cidr& prefix : peer.allowed_ips) {
      prefixes += (prefixes.empty() ? ", allowed IPs " : ", ") + prefix.to_string();
    }
    console.err.print("Warning: peer {}{} is not in {}, and is gone now\n",
                      to_base64(peer.public_key), prefixes, doomed.file.path);
  }
  if (lost > kMaxLostTold) console.err.print("Warning: and {} more\n", lost - kMaxLostTold);
  if (lost > 0) {
    console.err.write("`ferrule save' before `down', or SaveConfig = true, would have kept it\n");
  }
}

// What the interface has may be nowhere else: that it is lost is said, and no reason to leave it up.
void save_if_wanted(Console& console, const Doomed& doomed) {
  const QuickFile& file = doomed.file;
  if (!file.configuration.interface.save_config) return tell_of_lost_peers(console, doomed);
  const QuickPlace place{file.interface, file.path, file.given};
  if (doomed.link && doomed.device && save_configuration(console, place)) return;
  console.err.print("Warning: {} is not saved: it stays as it is\n", file.path);
  tell_of_lost_peers(console, doomed);
}

}  // namespace

int run_down(Console& console, Arguments arguments) {
  std::string argument;
  const auto status = read_argument(
      console, arguments, "Takes an interface down, with all that came with it.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  auto network = open_network(console);
  if (!network) return 1;
  const auto doomed = find_doomed(console, *network, argument);
  if (!doomed) return 1;
  const QuickFile& file = doomed->file;
  const control::InterfaceConf& conf = file.configuration.interface;
  quick::prepare_environment(file.interface, file.path);
  if (!run_pre_down(console, *doomed)) return 1;
  save_if_wanted(console, *doomed);
  const bool is_good = Down(console, *network, *doomed).run();
  return run_hooks(console, file, "PostDown", conf.post_down) && is_good ? 0 : 1;
}

}  // namespace ferrule::cli
