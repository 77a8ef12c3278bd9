#include <span>
#include <string>

#include "base/key_text.h"
#include "cli/show/show_text.h"
#include "cli/terminal/json.h"
#include "cli/terminal/key_output.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

// Stands for a secret key, which is nowhere but in the output. Nothing else here has such a character.
constexpr std::string_view kKeyHere = "\x01";
constexpr std::string_view kKeyHereAsJson = "\\u0001";

std::string_view shown_secret() { return shows_secrets() ? kKeyHere : "(hidden)"; }

// Writes JSON, and this key in the place that is kept for it, if there is one.
void write_with_key(Output& out, std::string_view json,
                    std::span<const std::uint8_t, kKeySize> key) {
  const std::size_t at = json.find(kKeyHereAsJson);
  out.write(json.substr(0, at));
  if (at == json.npos) return;
  write_key(out, key);
  out.write(json.substr(at + kKeyHereAsJson.size()));
}

Json json_of(const PeerStatus& status, std::string_view name) {
  Json peer = Json::object();
  if (!name.empty()) peer["name"] = name;
  if (!status.preshared_key.is_zero()) peer["presharedKey"] = shown_secret();
  if (!status.endpoint.is_none()) peer["endpoint"] = client::text_of(status.endpoint);
  if (status.last_handshake.seconds != 0) peer["latestHandshake"] = status.last_handshake.seconds;
  peer["transferRx"] = status.rx_bytes;
  peer["transferTx"] = status.tx_bytes;
  if (status.persistent_keepalive_s != 0) {
    peer["persistentKeepalive"] = status.persistent_keepalive_s;
  }
  Json& ips = peer["allowedIps"] = Json::array();
  for (const Cidr& prefix : status.allowed_ips) ips.push_back(prefix.to_string());
  return peer;
}

void add_place(Json& device, const control::DeviceSettings& settings) {
  const LocalPlace& place = settings.place;
  if (place.is_anywhere()) return;
  Json addresses = Json::array();
  for (const IpAddress& address : {place.addresses.v4, place.addresses.v6}) {
    if (address.family() != Family::none) addresses.push_back(address.to_string());
  }
  if (!addresses.empty()) device["bind"] = std::move(addresses);
  if (!place.interface.empty()) device["bindInterface"] = place.interface;
  if (!settings.missing.empty()) device["bindMissing"] = settings.missing;
}

Json json_without_peers(const NamedDevice& named) {
  const control::DeviceStatus& status = named.status;
  Json device = Json::object();
  device["version"] = kJsonVersion;
  if (status.private_key) device["privateKey"] = shown_secret();
  if (status.public_key) device["publicKey"] = to_base64(*status.public_key);
  if (status.listen_port != 0) device["listenPort"] = status.listen_port;
  if (status.fwmark != 0) device["fwmark"] = status.fwmark;
  add_place(device, named.settings);
  device["peers"] = Json::object();
  return device;
}

}  // namespace

// Peers come one at a time: there may be a million.
void print_json(Output& out, const NamedDevice& device) {
  static const PrivateKey kNone;
  const control::DeviceStatus& status = device.status;
  std::string head = to_lines(json_without_peers(device), 1);
  head.resize(head.rfind("{}"));
  out.print("{}: ", to_line(device.name));
  write_with_key(out, head, (status.private_key ? *status.private_key : kNone).bytes());
  out.write("{");
  std::string_view separator = "\n";
  for (const PeerStatus& peer : status.peers) {
    out.print("{}      {}: ", separator, to_line(to_base64(peer.public_key)));
    write_with_key(out, to_lines(json_of(peer, device.name_of(peer.public_key)), 3),
                   peer.preshared_key.bytes());
    separator = ",\n";
  }
  out.write(status.peers.empty() ? "}\n  }" : "\n    }\n  }");
}

}  // namespace ferrule::cli
