#include "quick/down.h"

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <set>
#include <utility>

#include "files/conf_file.h"
#include "io/linux/ending_signals.h"
#include "io/linux/kernel_query.h"
#include "quick/default_route.h"
#include "quick/dns.h"
#include "quick/find_file.h"
#include "quick/forwarding.h"
#include "quick/kill_switch.h"
#include "quick/leak_protection.h"
#include "quick/link.h"
#include "quick/routes.h"

namespace ferrule::quick {

namespace {

std::string interface_of(std::string_view argument) {
  if (files::is_interface_name(argument)) return std::string(argument);
  return std::filesystem::path(argument).stem();
}

}  // namespace

std::optional<UpRecord> record_of_what_is_there(const std::string& interface,
                                                std::optional<std::uint32_t> index) {
  auto record = read_record(interface);
  if (record && index && *index != record->link_index) record.reset();
  return record;
}

std::optional<QuickFile> file_of(const UpRecord& record, const std::string& interface,
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

Attempt<Doomed> find_doomed(client::DeviceClient& devices, io::Network& network,
                            const std::string& argument, files::Listener& listener) {
  const std::string interface = interface_of(argument);
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(interface) : std::unexpected(query.error());
  auto record =
      record_of_what_is_there(interface, link ? std::optional(link->index) : std::nullopt);
  auto recorded = record ? file_of(*record, interface, argument) : std::nullopt;
  if (!recorded) record.reset();
  std::optional<control::Configuration> today;
  bool is_of_record = recorded.has_value();
  if (recorded && std::filesystem::exists(recorded->path)) {
    (void)find_quick_file(argument, listener);  // for what it says of readers
    if (auto text = files::read_conf_text(recorded->path)) today = std::move(text->configuration);
    is_of_record = recorded->path == record->path;
  }
  auto file =
      is_of_record ? Attempt<QuickFile>(std::move(*recorded)) : read_quick_file(argument, listener);
  if (!file) return std::unexpected(std::move(file.error()));
  Doomed doomed{std::move(*file), std::move(record), {}, {}, std::move(today)};
  if (link) doomed.link.emplace(network, interface, link->index);
  if (!link && doomed.record) return doomed;
  auto device = get_device(devices, doomed.file.interface);
  if (device) {
    doomed.device = std::move(*device);
  } else if (!doomed.record) {
    return std::unexpected(std::move(device.error()));
  } else {
    listener.fail(device.error().what);
  }
  return doomed;
}

std::vector<const protocol::PeerStatus*> peers_of_no_file(const Doomed& doomed) {
  std::vector<const protocol::PeerStatus*> peers;
  if (!doomed.device) return peers;
  std::set<PublicKey> kept;
  const auto keep = [&](const control::Configuration& configuration) {
    for (const control::PeerConf& peer : configuration.peers) kept.insert(peer.public_key);
  };
  keep(doomed.file.configuration);
  if (doomed.today) keep(*doomed.today);
  for (const protocol::PeerStatus& peer : doomed.device->peers) {
    if (!kept.contains(peer.public_key)) peers.push_back(&peer);
  }
  return peers;
}

bool Down::run() {
  const io::SignalsWait wait;
  doomed_.record ? delete_recorded_rules() : delete_rules();
  unset_dns();  // resolvectl knows interfaces only while they are there
  if (doomed_.link) perform(link_.delete_link());
  wait_for_end_of_daemon(devices_, file_.interface);
  for (const Family family : {Family::v4, Family::v6}) {
    for (const PacketFilter filter : leak_protection_of(file_.interface, family)) {
      perform(delete_leak_protection(filter, file_.interface, family));
    }
  }
  stop_forwarding();
  // The last: until then nothing shall leave by another way.
  if (has_kill_switch(file_.interface)) perform(delete_kill_switch(file_.interface));
  forget_record(file_.interface);
  return is_good_;
}

void Down::perform(const Action& action) {
  const auto done = quick::perform(listener_, action);
  if (!done) refuse(done.error());
}

void Down::refuse(const Error& error) {
  listener_.fail(error.what);
  is_good_ = false;
}

// Those that are there still.
void Down::delete_recorded_rules() {
  for (const Family family : {Family::v4, Family::v6}) {
    const auto present = link_.network().rules(family);
    if (!present) return refuse(present.error());
    for (const io::RoutingRule& rule : doomed_.record->rules) {
      if (std::ranges::find(*present, rule) != present->end()) perform(link_.delete_rule(rule));
    }
  }
}

void Down::delete_rules() {
  const auto table = parse_table(file_.configuration.interface.table);
  const bool is_automatic = table && table->kind == TableChoice::Kind::automatic;
  if (!is_automatic || !doomed_.device || doomed_.device->fwmark == 0) return;
  const auto prefixes = allowed_ips(doomed_.device->peers);
  for (const Family family : {Family::v4, Family::v6}) {
    const bool is_default = std::ranges::any_of(prefixes, [&](const Cidr& prefix) {
      return prefix.length() == 0 && prefix.address().family() == family;
    });
    if (!is_default) continue;
    const auto rules = link_.network().rules(family);
    if (!rules) return refuse(rules.error());
    for (const io::RoutingRule& rule : rules_to_delete(*rules, doomed_.device->fwmark)) {
      perform(link_.delete_rule(rule));
    }
  }
}

void Down::stop_forwarding() {
  if (has_masquerade(file_.interface)) perform(delete_masquerade(file_.interface));
  if (!doomed_.record) return;
  for (const Family family : families_to_stop(file_.interface, doomed_.record->forwarded)) {
    if (is_forwarding(family)) perform(set_forwarding(family, false));
  }
}

void Down::unset_dns() {
  const bool has_dns = !file_.configuration.interface.dns_servers.empty();
  if (!has_dns && !remembered_dns(file_.interface)) return;
  if (const auto keeper = DnsKeeper::find()) {
    if (doomed_.link) return perform(keeper->unset(file_.interface));
    // What knows interfaces only while they are there has forgotten this one.
    (void)quick::perform(listener_, keeper->unset(file_.interface));
    return;
  }
  forget_dns(file_.interface);
  refuse(make_error(ENOENT, std::string(kNoDnsKeeper)));
}

}  // namespace ferrule::quick
