#include "cli/quick/save.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "cli/peer/peer_commands.h"
#include "cli/quick/quick_command.h"
#include "cli/show/show_text.h"
#include "cli/terminal/conf_text.h"
#include "client/scopes.h"
#include "control/foreign_text.h"
#include "control/kept_text.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "io/linux/kernel_query.h"
#include "quick/record.h"
#include "quick/signals.h"

namespace ferrule::cli {

namespace {

void print_hooks(Output& out, std::string_view key, const std::vector<std::string>& hooks) {
  for (const std::string& hook : hooks) out.print("{} = {}\n", key, hook);
}

std::set<PublicKey> keys_of(const control::DeviceStatus& device) {
  std::set<PublicKey> keys;
  for (const protocol::PeerStatus& peer : device.peers) keys.insert(peer.public_key);
  return keys;
}

// What stands in [Interface] before what `wg showconf` has there.
void print_interface(Output& out, const control::InterfaceConf& conf,
                     const std::vector<io::LinkAddress>& addresses, std::uint32_t mtu_bytes) {
  for (const io::LinkAddress& address : addresses) {
    // The kernel gives a tunnel interface a link-local address of its own, another one each time.
    const bool is_in_file = std::ranges::any_of(
        conf.addresses, [&](const auto& own) { return own.address == address.address; });
    if (address.address.is_link_local() && !is_in_file) continue;
    out.print("Address = {}\n", address.to_string());
  }
  for (const IpAddress& server : conf.dns_servers) out.print("DNS = {}\n", server.to_string());
  for (const std::string& domain : conf.dns_search) out.print("DNS = {}\n", domain);
  if (conf.mtu_bytes) out.print("MTU = {}\n", mtu_bytes);
  if (conf.table) out.print("Table = {}\n", *conf.table);
  if (conf.save_config) out.write("SaveConfig = true\n");
  print_hooks(out, "PreUp", conf.pre_up);
  print_hooks(out, "PostUp", conf.post_up);
  print_hooks(out, "PreDown", conf.pre_down);
  print_hooks(out, "PostDown", conf.post_down);
}

bool is_any_key(std::string_view key, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names) {
    if (control::is_named(key, name)) return true;
  }
  return false;
}

// As bash reads a line: without blanks at its ends.
std::string_view without_blanks(std::string_view line) {
  const std::size_t first = line.find_first_not_of(" \t");
  if (first == line.npos) return {};
  return line.substr(first, line.find_last_not_of(" \t") - first + 1);
}

// What wg-quick takes for itself.
bool is_wg_quicks(std::string_view line) {
  const std::string_view stripped = line.substr(0, line.find('#'));
  const std::string_view key = control::trimmed(stripped.substr(0, stripped.find('=')));
  return is_any_key(key, {"Address", "MTU", "DNS", "Table", "PreUp", "PreDown", "PostUp",
                          "PostDown", "SaveConfig"});
}

// What `up` chose is not the file's to say: the next `up` chooses again.
void leave_out_what_was_chosen(control::DeviceStatus& device, const quick::UpRecord& record,
                               const control::InterfaceConf& conf) {
  if (!conf.fwmark && device.fwmark == record.mark) device.fwmark = 0;
  if (!conf.listen_port && device.listen_port == record.port) device.listen_port = 0;
}

// So that `reload` leaves peers where they are, though the file says another place than before.
void remember_endpoints(Console& console, const QuickPlace& place, quick::UpRecord record,
                        const control::DeviceStatus& device) {
  record.saved.clear();
  for (const protocol::PeerStatus& peer : device.peers) {
    if (peer.endpoint.is_none()) continue;
    if (const auto at = control::parse_host_port(client::text_of(peer.endpoint))) {
      record.saved.emplace(peer.public_key, *at);
    }
  }
  if (const auto written = quick::write_record(place.interface, record); !written) {
    console.err.print("Warning: {}\n", written.error().what);
  }
}

}  // namespace

bool save_configuration(Console& console, const QuickPlace& place) {
  const auto fail = [&](std::string_view what) {
    console.err.print("{}: {}\n", console.program, what);
    return false;
  };
  const auto lock = files::lock_folder_of(place.path);
  if (!lock) return fail(lock.error().what);
  const auto file = read_conf_or_say(console, place.path);
  if (!file) return false;
  auto device = get_device(console, place.interface);
  auto network = open_network(console);
  auto query = io::KernelQuery::open();
  if (!device || !network) return false;
  const auto link = query ? query->link(place.interface) : std::unexpected(query.error());
  if (!link) return fail(link.error().what);
  const auto addresses = network->addresses(link->index);
  if (!addresses) return fail(addresses.error().what);
  const auto kept = control::kept_text(file->document, keys_of(*device), today(console));
  if (!kept) {
    // To write the file without what can't be read would lose it.
    print_errors(console, kept.error());
    return false;
  }
  auto record = quick::read_record(place.interface);
  if (record && record->link_index != link->index) record.reset();
  if (record) leave_out_what_was_chosen(*device, *record, file->configuration.interface);
  console.err.print("[#] wg showconf {} > {}\n", place.interface, place.path);
  const quick::SignalsWait wait;  // or else a half of the file would stay behind
  auto staged = files::StagedFile::write(place.path, [&](Output& out) {
    out.write(kept->before.view());
    out.write(kept->interface.view());
    print_interface(out, file->configuration.interface, *addresses, link->mtu);
    print_device_conf(out, *device);
    print_peers_conf(out, *device, kept->peers);
    if (!kept->after.empty()) out.write("\n");
    out.write(kept->after.view());
  });
  if (!staged) return fail(staged.error().what);
  if (const auto written = staged->commit(); !written) return fail(written.error().what);
  if (record) remember_endpoints(console, place, std::move(*record), *device);
  return true;
}

int run_save(Console& console, Arguments arguments) {
  std::string argument;
  const auto status =
      read_argument(console, arguments, "Writes an interface as it is now to its file.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  const auto place = find_quick_file(console, argument);
  return place && save_configuration(console, *place) ? 0 : 1;
}

int run_strip(Console& console, Arguments arguments) {
  std::string argument;
  const auto status =
      read_argument(console, arguments,
                    "Prints a file without what only wg-quick knows, for `setconf'.", argument);
  if (status) return *status;
  const auto place = find_quick_file(console, argument);
  if (!place) return 1;
  const auto text = files::read_file(place->path);
  if (!text) {
    console.err.print("{}: {}\n", console.program, text.error().what);
    return 1;
  }
  bool is_in_interface = false;
  const control::ConfDocument document(place->path, text->view());
  if (control::why_no_text(text->view(), place->path)) {
    print_errors(console, document.errors());
    return 1;
  }
  for (std::size_t i = 0; i < document.line_count(); ++i) {
    const std::string_view line = document.line(i);
    const std::string_view word = control::trimmed(line.substr(0, line.find('#')));
    if (word.starts_with('[')) is_in_interface = control::is_named(word, "[Interface]");
    if (is_in_interface && is_wg_quicks(line)) continue;
    console.out.write(without_blanks(line));
    console.out.write("\n");
  }
  console.out.write("\n");
  return 0;
}

}  // namespace ferrule::cli
