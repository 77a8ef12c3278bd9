#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/peer_commands.h"
#include "cli/terminal/json.h"
#include "cli/terminal/style.h"
#include "cli/terminal/today.h"
#include "control/prefix_list.h"

namespace ferrule::cli {

namespace {

using control::NamedPeer;
using protocol::PeerStatus;

const PeerStatus* status_of(const PeerFile& file, const NamedPeer& peer) {
  if (!file.device()) return nullptr;
  const auto& peers = file.device()->peers;
  const auto found = std::ranges::find(peers, peer.conf.public_key, &PeerStatus::public_key);
  return found == peers.end() ? nullptr : &*found;
}

std::string_view state_of(const Console& console, const NamedPeer& peer, const PeerStatus* status) {
  if (peer.expires && *peer.expires <= today(console)) return "expired";
  if (!peer.is_enabled) return "disabled";
  return status != nullptr ? "running" : "enabled";
}

Json json_of(const Console& console, const NamedPeer& peer, const PeerStatus* status) {
  Json json{{"name", peer.name}, {"publicKey", to_base64(peer.conf.public_key)}};
  Json& ips = json["allowedIps"] = Json::array();
  for (const auto& change : peer.conf.allowed_ips) ips.push_back(change.cidr.to_string());
  json["state"] = state_of(console, peer, status);
  if (peer.expires) json["expires"] = control::date_text(*peer.expires);
  if (status != nullptr) {
    json["latestHandshake"] = status->last_handshake.seconds;
    json["transferRx"] = status->rx_bytes;
    json["transferTx"] = status->tx_bytes;
  }
  return json;
}

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

Row row_of(const Console& console, const NamedPeer& peer, const PeerStatus* status) {
  const std::int64_t handshake_s = status != nullptr ? status->last_handshake.seconds : 0;
  return {peer.name.empty() ? "-" : peer.name,
          std::string(state_of(console, peer, status)),
          peer.expires ? control::date_text(*peer.expires) : "-",
          handshake_s != 0 ? Style(false).ago(handshake_s, console.now_s) : "-",
          control::prefix_list(peer.conf.allowed_ips),
          to_base64(peer.conf.public_key)};
}

void print_table(Output& out, const std::vector<Row>& rows) {
  std::array<std::size_t, kColumns> widths{};
  for (const Row& row : rows) {
    for (std::size_t i = 0; i < kColumns; ++i) widths[i] = std::max(widths[i], row[i].size());
  }
  for (const Row& row : rows) {
    for (std::size_t i = 0; i + 1 < kColumns; ++i) out.print("{:<{}}  ", row[i], widths[i]);
    out.print("{}\n", row.back());
  }
}

}  // namespace

int list_peers(Console& console, PeerFile& file, const PeerOptions& options) {
  if (options.is_json) {
    JsonList list(console.out);
    for (const NamedPeer& peer : file.peers()) {
      list.add(json_of(console, peer, status_of(file, peer)));
    }
    list.end();
    return 0;
  }
  std::vector<Row> rows{{"NAME", "STATE", "EXPIRES", "HANDSHAKE", "ALLOWED IPS", "PUBLIC KEY"}};
  for (const NamedPeer& peer : file.peers()) {
    rows.push_back(row_of(console, peer, status_of(file, peer)));
  }
  print_table(console.out, rows);
  return 0;
}

}  // namespace ferrule::cli
