#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/peer_commands.h"
#include "cli/show/show_text.h"
#include "cli/terminal/json_line.h"
#include "cli/terminal/style.h"

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

std::string addresses_of(const NamedPeer& peer) {
  std::string list;
  for (const auto& change : peer.conf.allowed_ips) {
    if (!list.empty()) list += ", ";
    list += change.cidr.to_string();
  }
  return list;
}

void print_peer_json(Console& console, const NamedPeer& peer, const PeerStatus* status) {
  JsonLine line;
  line.text("name", peer.name).text("publicKey", to_base64(peer.conf.public_key));
  std::string ips;
  for (const auto& change : peer.conf.allowed_ips) {
    ips += (ips.empty() ? "" : ", ") + json_text(change.cidr.to_string());
  }
  line.json("allowedIps", "[" + ips + "]").text("state", state_of(console, peer, status));
  if (peer.expires) line.text("expires", control::date_text(*peer.expires));
  if (status != nullptr) {
    line.number("latestHandshake", status->last_handshake.seconds)
        .number("transferRx", static_cast<std::int64_t>(status->rx_bytes))
        .number("transferTx", static_cast<std::int64_t>(status->tx_bytes));
  }
  console.out.write(line.to_string());
}

constexpr std::size_t kColumns = 6;
using Row = std::array<std::string, kColumns>;

Row row_of(const Console& console, const NamedPeer& peer, const PeerStatus* status) {
  const std::int64_t handshake_s = status != nullptr ? status->last_handshake.seconds : 0;
  return {peer.name.empty() ? "-" : peer.name,
          std::string(state_of(console, peer, status)),
          peer.expires ? control::date_text(*peer.expires) : "-",
          handshake_s != 0 ? Style(false).ago(handshake_s, console.now_s) : "-",
          addresses_of(peer),
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
    console.out.write("[");
    for (const NamedPeer& peer : file.peers()) {
      console.out.write(&peer == &file.peers().front() ? "\n  " : ",\n  ");
      print_peer_json(console, peer, status_of(file, peer));
    }
    console.out.write(file.peers().empty() ? "]\n" : "\n]\n");
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
