#include "cli/peer/peer.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/peer/peer_commands.h"
#include "cli/terminal/options.h"

namespace ferrule::cli {

namespace {

using PeerCommand = int (*)(Console&, PeerFile&, const PeerOptions&);

constexpr const char* kInterfaceHelp = "an interface, or the path of its file";
constexpr const char* kNameHelp = "a peer's name, or its public key";

CLI::App* command(CLI::App& app, const char* name, const char* what, PeerOptions& options) {
  CLI::App* sub = app.add_subcommand(name, what);
  sub->add_option("IFACE", options.interface, kInterfaceHelp)->required();
  sub->footer(fmt::format("ferrule peer {} wg0", name));
  return sub;
}

CLI::App* named_command(CLI::App& app, const char* name, const char* what, PeerOptions& options) {
  CLI::App* sub = command(app, name, what, options);
  sub->add_option("NAME", options.name, kNameHelp)->required();
  sub->footer(fmt::format("ferrule peer {} wg0 alice", name));
  return sub;
}

// What decides of the file that its owner is given.
void add_client_options(CLI::App& app, PeerOptions& options) {
  app.add_flag("--psk", options.has_psk, "a preshared key too");
  add_value(app, "--endpoint", options.endpoint, "HOST[:PORT]", "where it finds this machine");
  add_value(app, "--dns", options.dns, "ADDRESS",
            "its name servers and search domains, a list with commas");
  add_value(app, "--allowed-ips", options.allowed_ips, "PREFIX",
            "what it sends through the tunnel, a list with commas (default: the tunnel's own "
            "networks)");
  app.add_flag("--qr", options.shows_qr, "print a QR code, and nothing else");
  add_value(app, "--png", options.png_path, "FILE",
            "write a QR code to a new file, or - to print it");
  add_value(app, "--out", options.out_path, "FILE",
            "write its configuration to a new file, or - to print it");
}

CLI::App* add_command(CLI::App& app, PeerOptions& options) {
  CLI::App* add = command(app, "add", "makes a peer and prints its configuration", options);
  add->add_option("NAME", options.name, "what to call it")->required();
  add_value(*add, "--expires", options.expires, "DATE",
            "when it ends: 2027-01-31, `2027-01-31 18:00', or 12h, 30d, 4w, 1y from now");
  add_client_options(*add, options);
  add->footer(
      "ferrule peer add wg0 alice --qr\n"
      "ferrule peer add wg0 laptop --psk --out laptop.conf\n"
      "ferrule peer add wg0 guest --expires 30d --allowed-ips 0.0.0.0/0,::/0");
  return add;
}

}  // namespace

int run_peer(Console& console, Arguments arguments) {
  PeerOptions options;
  CLI::App app("Peers by their names, in the file of an interface and in the running device.");
  app.require_subcommand(1);
  app.footer("ferrule peer add wg0 alice --qr\nferrule peer list wg0\nferrule help peer add");
  std::vector<std::pair<CLI::App*, PeerCommand>> commands;
  commands.emplace_back(add_command(app, options), add_peer);
  CLI::App* list_app = command(app, "list", "lists the peers of an interface", options);
  list_app->add_flag("--json", options.is_json, "print it as JSON");
  commands.emplace_back(list_app, list_peers);
  CLI::App* show = named_command(app, "show", "shows all that is known of a peer", options);
  show->add_flag("--json", options.is_json, "print it as JSON");
  commands.emplace_back(show, show_peer);
  CLI::App* rekey =
      named_command(app, "rekey", "gives a peer new keys, and prints its configuration", options);
  add_client_options(*rekey, options);
  rekey->footer(
      "ferrule peer rekey wg0 alice --qr\nferrule peer rekey wg0 laptop --out laptop.conf");
  commands.emplace_back(rekey, rekey_peer);
  commands.emplace_back(named_command(app, "remove", "removes a peer", options), remove_peer);
  CLI::App* rename = named_command(app, "rename", "gives a peer a name", options);
  rename->add_option("NEW", options.new_name, "what to call it")->required();
  rename->footer("ferrule peer rename wg0 alice alice-laptop");
  commands.emplace_back(rename, rename_peer);
  commands.emplace_back(
      named_command(app, "disable", "takes a peer out, to be enabled again", options),
      disable_peer);
  commands.emplace_back(named_command(app, "enable", "puts a disabled peer back", options),
                        enable_peer);
  CLI::App* adopt =
      command(app, "adopt", "takes over the names that other tools keep in comments", options);
  commands.emplace_back(adopt, adopt_names);
  CLI::App* expire = command(app, "expire", "disables the peers whose time has come", options);
  commands.emplace_back(expire, expire_peers);
  if (const auto status = read_options(app, console, arguments)) return *status;

  // One bad date must not keep those in whose day has come.
  const auto mistakes =
      expire->parsed() ? PeerFile::Mistakes::passed_over : PeerFile::Mistakes::refused;
  auto file = PeerFile::open(console, options.interface, mistakes);
  if (!file) return 1;
  for (const auto& [sub, run] : commands) {
    if (sub->parsed()) return run(console, *file, options);
  }
  return 1;
}

}  // namespace ferrule::cli
