#include "cli/peer/peer.h"

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
  return sub;
}

CLI::App* named_command(CLI::App& app, const char* name, const char* what, PeerOptions& options) {
  CLI::App* sub = command(app, name, what, options);
  sub->add_option("NAME", options.name, kNameHelp)->required();
  return sub;
}

CLI::App* add_command(CLI::App& app, PeerOptions& options) {
  CLI::App* add = command(app, "add", "Makes a peer and prints its configuration", options);
  add->add_option("NAME", options.name, "what to call it")->required();
  add->add_flag("--psk", options.has_psk, "a preshared key too");
  add->add_option("--endpoint", options.endpoint, "HOST[:PORT] where it finds this machine");
  add->add_option("--dns", options.dns, "its name servers and search domains");
  add->add_option("--allowed-ips", options.allowed_ips,
                  "what it sends through the tunnel (default: the tunnel's own networks)");
  add->add_option("--expires", options.expires,
                  "when it ends: 2027-01-31, or 30d, 4w, 1y from now");
  add->add_flag("--qr", options.shows_qr, "print a QR code");
  add->add_option("--png", options.png_path, "write a QR code to a new file");
  add->add_option("--out", options.out_path, "write its configuration to a new file");
  return add;
}

}  // namespace

int run_peer(Console& console, Arguments arguments) {
  PeerOptions options;
  CLI::App app("Peers by their names, in the file of an interface and in the running device.");
  app.require_subcommand(1);
  std::vector<std::pair<CLI::App*, PeerCommand>> commands;
  commands.emplace_back(add_command(app, options), add_peer);
  CLI::App* list_app = command(app, "list", "Lists the peers of an interface", options);
  list_app->add_flag("--json", options.is_json, "as JSON");
  commands.emplace_back(list_app, list_peers);
  commands.emplace_back(named_command(app, "remove", "Removes a peer", options), remove_peer);
  CLI::App* rename = named_command(app, "rename", "Gives a peer a name", options);
  rename->add_option("NEW", options.new_name, "what to call it")->required();
  commands.emplace_back(rename, rename_peer);
  commands.emplace_back(
      named_command(app, "disable", "Takes a peer out, to be enabled again", options),
      disable_peer);
  commands.emplace_back(named_command(app, "enable", "Puts a disabled peer back", options),
                        enable_peer);
  CLI::App* expire = command(app, "expire", "Disables the peers whose day has come", options);
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
