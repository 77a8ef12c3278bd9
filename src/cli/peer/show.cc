#include <fmt/format.h>

#include <string>

#include "base/key_text.h"
#include "cli/peer/peer_commands.h"
#include "cli/peer/peer_json.h"
#include "cli/peer/peer_state.h"
#include "cli/terminal/now.h"
#include "cli/terminal/style.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

std::string expiry_text(const control::NamedPeer& peer, control::Date now, const Style& style) {
  const bool is_past = *peer.expires <= now;
  const auto seconds = (is_past ? now - *peer.expires : *peer.expires - now).count();
  // The two largest units are enough.
  const std::string long_text = style.duration(static_cast<std::uint64_t>(seconds / 3600 * 3600));
  const std::string time = long_text.empty() ? "less than an hour" : long_text;
  return fmt::format("{} UTC ({})", control::date_text(*peer.expires),
                     is_past ? time + " ago" : "in " + time);
}

void print_peer(Console& console, const PeerFile& file, const control::NamedPeer& peer,
                const protocol::PeerStatus* status) {
  const Style style(wants_color(console.out.fd()));
  const auto line = [&](std::string_view label, std::string_view value) {
    console.out.print("  {}: {}\n", style.bold(label), value);
  };
  const PeerState state = state_of(file, peer, status, console.now_s);
  console.out.print("{}: {}\n", style.bold(Color::yellow, "peer"),
                    style.colored(Color::yellow, name_or_key(peer)));
  line("interface", file.interface);
  line("state", colored(state, name_of(state), style));
  line("public key", to_base64(peer.conf.public_key));
  line("preshared key", peer.conf.preshared_key ? "yes" : "no");
  const std::string prefixes = prefixes_text(peer);
  line("allowed ips", prefixes.empty() ? "(none)" : prefixes);
  if (peer.expires) line("expires", expiry_text(peer, now_of(console), style));
  if (status == nullptr) return;
  if (!status->endpoint.is_none()) line("endpoint", client::text_of(status->endpoint));
  if (status->last_handshake.seconds != 0) {
    line("latest handshake", style.ago(status->last_handshake.seconds, console.now_s));
  }
  line("transfer", fmt::format("{} received, {} sent", style.size(status->rx_bytes),
                               style.size(status->tx_bytes)));
  if (status->persistent_keepalive_s != 0) {
    line("persistent keepalive", "every " + style.duration(status->persistent_keepalive_s));
  }
}

}  // namespace

int show_peer(Console& console, const PeerFile& file, const PeerOptions& options) {
  const control::NamedPeer* peer = find_or_say(console, file, options.name);
  if (peer == nullptr) return 1;
  const protocol::PeerStatus* status = StatusByKey(file).of(*peer);
  if (options.is_json) {
    console.out.print("{}\n", to_line(json_of(console, file, *peer, status)));
  } else {
    print_peer(console, file, *peer, status);
  }
  return 0;
}

}  // namespace ferrule::cli
