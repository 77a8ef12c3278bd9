#include "cli/quick/save.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <string>

#include "cli/input.h"
#include "cli/peer/peer_commands.h"
#include "cli/quick/quick_command.h"
#include "cli/show_text.h"
#include "control/named_peers.h"
#include "io/linux/fd.h"
#include "io/linux/kernel_query.h"

namespace ferrule::cli {

namespace {

void print_hooks(Output& out, std::string_view key, const std::vector<std::string>& hooks) {
  for (const std::string& hook : hooks) out.print("{} = {}\n", key, hook);
}

bool is_comment(std::string_view line) { return control::trimmed(line).starts_with('#'); }

std::string comments(const control::ConfDocument& document, std::size_t first, std::size_t end) {
  std::string text;
  for (std::size_t i = first; i < end; ++i) {
    if (is_comment(document.line(i))) text += fmt::format("{}\n", document.line(i));
  }
  return text;
}

// Comments among the values of [Interface]. Those behind the last one are about what comes next.
std::string interface_comments(const control::ConfDocument& document) {
  std::string text;
  for (const control::ConfSection& section : document.sections()) {
    if (section.kind != control::ConfSectionKind::interface || section.entries.empty()) continue;
    text += comments(document, section.header_line + 1, section.entries.back().line);
  }
  const auto implementation = implementation_of(document);
  if (implementation && text.find(*implementation) == text.npos) {
    text += fmt::format("# Implementation = {}\n", *implementation);
  }
  return text;
}

// Names and dates of peers are comments. Peers that are disabled or that the device has been spared,
// since they have expired, stay as they stand in the file.
struct PeerComments {
  PeerNotes notes;
  control::WipedText absent;
};

std::expected<PeerComments, control::ConfErrors> peer_comments(
    const control::ConfDocument& document, const control::DeviceStatus& device,
    control::Date today) {
  PeerComments found;
  const auto peers = control::read_peers(document);
  if (!peers) return std::unexpected(peers.error());
  for (const control::NamedPeer& peer : *peers) {
    const bool is_on_device = std::ranges::any_of(
        device.peers, [&](const auto& has) { return has.public_key == peer.conf.public_key; });
    const bool is_expired = peer.expires && *peer.expires <= today;
    if (peer.is_enabled && (is_on_device || !is_expired)) {
      found.notes.emplace(peer.conf.public_key, comments(document, peer.first_line, peer.end_line));
      continue;
    }
    found.absent.append("\n");
    for (std::size_t i = peer.first_line; i < peer.end_line; ++i) {
      found.absent.append(document.line(i));
      found.absent.append("\n");
    }
  }
  return found;
}

// What stands in [Interface] before what `wg showconf` has there.
void print_interface(Output& out, const QuickFile& file,
                     const std::vector<io::LinkAddress>& addresses, std::uint32_t mtu_bytes) {
  const control::InterfaceConf& conf = file.configuration.interface;
  out.print("[Interface]\n{}", interface_comments(file.document));
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

// Writes `print`'s text beside `path` and puts it in its place. 0, or the errno of what failed.
template <class Print>
int replace_file(const std::string& path, Print&& print) {
  std::string temporary = path + ".XXXXXX";
  const io::UniqueFd fd(mkostemp(temporary.data(), O_CLOEXEC));  // with mode 0600
  if (!fd) return errno;
  Output out(fd.get());
  print(out);
  int error = out.flush();
  if (error == 0 && fsync(fd.get()) != 0) error = errno;
  if (error == 0 && rename(temporary.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(temporary.c_str());
  return error;
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

}  // namespace

bool save_configuration(Console& console, const QuickFile& file) {
  const auto fail = [&](std::string_view what) {
    console.err.print("{}: {}\n", console.program, what);
    return false;
  };
  auto network = open_network(console);
  auto query = io::KernelQuery::open();
  if (!network || !query) return false;
  const auto link = query->link(file.interface);
  if (!link) return fail(link.error().what);
  const auto addresses = network->addresses(link->index);
  if (!addresses) return fail(addresses.error().what);
  const auto device = console.devices->get(file.interface);
  if (!device) return fail(device.error().what);
  const auto of_peers = peer_comments(file.document, *device, today(console));
  if (!of_peers) {
    // To write the file without what can't be read would lose it.
    for (const control::ConfError& error : of_peers.error()) console.err.write(error.to_string());
    return false;
  }
  console.err.print("[#] wg showconf {} > {}\n", file.interface, file.path);
  const int error = replace_file(file.path, [&](Output& out) {
    print_interface(out, file, *addresses, link->mtu);
    print_device_conf(out, *device);
    print_peers_conf(out, *device, of_peers->notes);
    out.write(of_peers->absent.view());
  });
  return error == 0 || fail("write " + file.path + ": " + std::strerror(error));
}

int run_save(Console& console, Arguments arguments) {
  std::string argument;
  const auto status =
      read_argument(console, arguments, "Writes an interface as it is now to its file.", argument);
  if (status) return *status;
  if (!is_root(console)) return 1;
  const auto file = read_quick_file(console, argument);
  if (!file || !get_device(console, file->interface)) return 1;
  return save_configuration(console, *file) ? 0 : 1;
}

int run_strip(Console& console, Arguments arguments) {
  std::string argument;
  const auto status =
      read_argument(console, arguments,
                    "Prints a file without what only wg-quick knows, for `setconf'.", argument);
  if (status) return *status;
  const auto place = find_quick_file(console, argument);
  if (!place) return 1;
  const auto text = read_file(place->path);
  if (!text) {
    console.err.print("{}: {}\n", console.program, text.error().what);
    return 1;
  }
  bool is_in_interface = false;
  const control::ConfDocument document(place->path, text->view());
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
