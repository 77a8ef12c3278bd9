#include <algorithm>
#include <cstring>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/input.h"
#include "cli/resolve.h"
#include "cli/set.h"
#include "control/conf_configuration.h"

namespace ferrule::cli {

namespace {

using protocol::DeviceChange;
using protocol::PeerChange;

std::optional<control::Configuration> read_conf(Console& console, const std::string& path) {
  const auto text = read_file(path);
  if (!text) {
    console.err.print("{}\n", text.error().what);
    return std::nullopt;
  }
  const control::ConfDocument document(path, text->view());
  auto configuration = control::read_configuration(document, control::ConfDialect::wg);
  if (!configuration) {
    for (const control::ConfError& error : configuration.error()) {
      console.err.write(error.to_string());
    }
    console.err.write("Configuration parsing error\n");
    return std::nullopt;
  }
  for (const control::ConfError& warning : configuration->warnings) {
    console.err.print("Warning: {}", warning.to_string());
  }
  return std::move(*configuration);
}

std::optional<PeerChange> change_of(Console& console, control::PeerConf&& conf) {
  PeerChange change;
  change.public_key = conf.public_key;
  change.preshared_key = std::move(conf.preshared_key);
  change.persistent_keepalive_s = conf.persistent_keepalive_s;
  change.replace_allowed_ips = conf.replace_allowed_ips;
  change.allowed_ips = std::move(conf.allowed_ips);
  if (conf.endpoint) {
    change.endpoint = resolve(console, *conf.endpoint);
    if (!change.endpoint) return std::nullopt;
  }
  return change;
}

std::optional<DeviceChange> change_of(Console& console, control::Configuration&& configuration) {
  DeviceChange change;
  change.private_key = std::move(configuration.interface.private_key);
  change.listen_port = configuration.interface.listen_port;
  change.fwmark = configuration.interface.fwmark;
  for (control::PeerConf& conf : configuration.peers) {
    auto peer = change_of(console, std::move(conf));
    if (!peer) return std::nullopt;
    change.peers.push_back(std::move(*peer));
  }
  return change;
}

// What the file does not name goes back to nothing.
void replace_all(DeviceChange& change) {
  if (!change.private_key) change.private_key.emplace();
  if (!change.listen_port) change.listen_port = 0;
  if (!change.fwmark) change.fwmark = 0;
  change.replace_peers = true;
}

// Instead of replacing all peers, removes those that the file does not have, and takes from the
// others what they have and the file does not. So their sessions live on.
void keep_peers(DeviceChange& change, const control::DeviceStatus& device) {
  if (change.peers.empty() || device.peers.empty()) return;
  change.replace_peers = false;
  std::map<PublicKey, PeerChange*> wanted;
  for (PeerChange& peer : change.peers) wanted.emplace(peer.public_key, &peer);
  std::vector<PublicKey> unwanted;
  for (const protocol::PeerStatus& has : device.peers) {
    const auto peer = wanted.find(has.public_key);
    if (peer == wanted.end()) {
      unwanted.push_back(has.public_key);
      continue;
    }
    PeerChange& to = *peer->second;
    if (!to.preshared_key && !has.preshared_key.is_zero()) to.preshared_key.emplace();
    if (!to.persistent_keepalive_s && has.persistent_keepalive_s != 0)
      to.persistent_keepalive_s = 0;
  }
  std::vector<PeerChange> peers(unwanted.size());
  for (std::size_t i = 0; i < unwanted.size(); ++i) {
    peers[i].public_key = unwanted[i];
    peers[i].remove = true;
  }
  std::ranges::move(change.peers, std::back_inserter(peers));
  change.peers = std::move(peers);
}

}  // namespace

int run_setconf(Console& console, Arguments arguments) {
  if (arguments.size() != 3) {
    console.err.print("Usage: {} {} <interface> <configuration filename>\n", console.program,
                      arguments[0]);
    return 1;
  }
  const std::string name(arguments[1]);
  auto configuration = read_conf(console, std::string(arguments[2]));
  if (!configuration) return 1;
  auto change = change_of(console, std::move(*configuration));
  if (!change) return 1;
  if (arguments[0] != "addconf") replace_all(*change);
  if (arguments[0] == "syncconf") {
    const auto device = console.devices->get(name);
    if (!device) {
      console.err.print("Unable to retrieve current interface configuration: {}\n",
                        std::strerror(device.error().code));
      return 1;
    }
    keep_peers(*change, *device);
  }
  const auto outcome = console.devices->set(name, *change);
  if (outcome) return 0;
  console.err.print("Unable to modify interface: {}\n", std::strerror(outcome.error().code));
  return 1;
}

}  // namespace ferrule::cli
