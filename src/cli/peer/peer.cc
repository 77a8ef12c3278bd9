#include "cli/peer/peer.h"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

#include "cli/peer/peer_commands.h"
#include "cli/terminal/listener.h"
#include "cli/terminal/options.h"

namespace ferrule::cli {

namespace {

using PeerView = int (*)(Console&, const PeerFile&, const PeerOptions&);
using PeerEdit = int (*)(Console&, PeerEditor&, const PeerOptions&);

struct PeerCommands {
  std::vector<std::pair<CommandLine*, PeerView>> views;
  std::vector<std::pair<CommandLine*, PeerEdit>> edits;
};

constexpr const char* kInterfaceHelp = "an interface, or the path of its file";
constexpr const char* kNameHelp = "a peer's name, or its public key";

CommandLine& command(CommandLine& line, const char* name, const char* what, PeerOptions& options) {
  CommandLine& sub = line.add_command(name, what);
  sub.add_option("IFACE", options.interface, kInterfaceHelp).required();
  sub.examples(fmt::format("ferrule peer {} wg0", name));
  return sub;
}

CommandLine& named_command(CommandLine& line, const char* name, const char* what,
                           PeerOptions& options) {
  CommandLine& sub = command(line, name, what, options);
  sub.add_option("NAME", options.name, kNameHelp).required();
  sub.examples(fmt::format("ferrule peer {} wg0 alice", name));
  return sub;
}

// What decides of the file that its owner is given.
void add_client_options(CommandLine& line, PeerOptions& options) {
  line.add_flag("--psk", options.has_psk, "a preshared key too");
  line.add_value("--endpoint", options.endpoint, "HOST[:PORT]", "where it finds this machine");
  line.add_value("--dns", options.dns, "ADDRESS",
                 "its name servers and search domains, a list with commas");
  line.add_value("--allowed-ips", options.allowed_ips, "PREFIX",
                 "what it sends through the tunnel, a list with commas (default: the tunnel's own "
                 "networks)");
  line.add_flag("--qr", options.shows_qr, "print a QR code, and nothing else");
  line.add_value("--png", options.png_path, "FILE",
                 "write a QR code to a new file, or - to print it");
  line.add_value("--out", options.out_path, "FILE",
                 "write its configuration to a new file, or - to print it");
}

CommandLine& add_command(CommandLine& line, PeerOptions& options) {
  CommandLine& add = command(line, "add", "makes a peer and prints its configuration", options);
  add.add_option("NAME", options.name, "what to call it").required();
  add.add_value("--expires", options.expires, "DATE",
                "when it ends: 2027-01-31, `2027-01-31 18:00', or 12h, 30d, 4w, 1y from now");
  add_client_options(add, options);
  add.examples(
      "ferrule peer add wg0 alice --qr\n"
      "ferrule peer add wg0 laptop --psk --out laptop.conf\n"
      "ferrule peer add wg0 guest --expires 30d --allowed-ips 0.0.0.0/0,::/0");
  return add;
}

PeerCommands add_commands(CommandLine& line, PeerOptions& options) {
  PeerCommands commands;
  commands.edits.emplace_back(&add_command(line, options), add_peer);
  CommandLine& list_app = command(line, "list", "lists the peers of an interface", options);
  list_app.add_flag("--json", options.is_json, "print it as JSON");
  commands.views.emplace_back(&list_app, list_peers);
  CommandLine& show = named_command(line, "show", "shows all that is known of a peer", options);
  show.add_flag("--json", options.is_json, "print it as JSON");
  commands.views.emplace_back(&show, show_peer);
  CommandLine& rekey =
      named_command(line, "rekey", "gives a peer new keys, and prints its configuration", options);
  add_client_options(rekey, options);
  rekey.examples(
      "ferrule peer rekey wg0 alice --qr\nferrule peer rekey wg0 laptop --out laptop.conf");
  commands.edits.emplace_back(&rekey, rekey_peer);
  commands.edits.emplace_back(&named_command(line, "remove", "removes a peer", options),
                              remove_peer);
  CommandLine& rename = named_command(line, "rename", "gives a peer a name", options);
  rename.add_option("NEW", options.new_name, "what to call it").required();
  rename.examples("ferrule peer rename wg0 alice alice-laptop");
  commands.edits.emplace_back(&rename, rename_peer);
  commands.edits.emplace_back(
      &named_command(line, "disable", "takes a peer out, to be enabled again", options),
      disable_peer);
  commands.edits.emplace_back(&named_command(line, "enable", "puts a disabled peer back", options),
                              enable_peer);
  CommandLine& adopt =
      command(line, "adopt", "takes over the names that other tools keep in comments", options);
  commands.edits.emplace_back(&adopt, adopt_names);
  CommandLine& expire = command(line, "expire", "disables the peers whose time has come", options);
  commands.edits.emplace_back(&expire, expire_peers);
  return commands;
}

int view(Console& console, const files::ConfPath& path, PeerView show, const PeerOptions& options) {
  const auto file = value_or_say(console, files::read_peer_file(*console.devices, path));
  if (!file) return 1;
  print_mistakes(console, file->list);
  return file->is_whole() ? show(console, *file, options) : 1;
}

int edit(Console& console, const files::ConfPath& path, PeerEdit change,
         const PeerOptions& options) {
  auto editor = value_or_say(console, PeerEditor::open(*console.devices, path));
  if (!editor) return 1;
  print_mistakes(console, editor->file().list);
  // One bad date must not keep those in whose day has come.
  const bool may_be_partial = change == expire_peers;
  if (!editor->file().is_whole() && !may_be_partial) return 1;
  return change(console, *editor, options);
}

}  // namespace

int run_peer(Console& console, Arguments arguments) {
  PeerOptions options;
  CommandLine line("Peers by their names, in the file of an interface and in the running device.");
  line.examples("ferrule peer add wg0 alice --qr\nferrule peer list wg0\nferrule help peer add");
  const PeerCommands commands = add_commands(line, options);
  if (const auto status = read_options(line, console, arguments)) return *status;
  const auto path = value_or_say(console, files::find_peer_file(options.interface));
  if (!path) return 1;
  for (const auto& [sub, show] : commands.views) {
    if (sub->is_named()) return view(console, *path, show, options);
  }
  for (const auto& [sub, change] : commands.edits) {
    if (sub->is_named()) return edit(console, *path, change, options);
  }
  return 1;
}

}  // namespace ferrule::cli
