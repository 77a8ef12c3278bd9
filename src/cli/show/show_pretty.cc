#include <algorithm>
#include <vector>

#include "base/key_text.h"
#include "cli/show/show_text.h"
#include "cli/terminal/key_output.h"
#include "client/scopes.h"
#include "quick/bind.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

// The latest handshake first; those without one last, in the order that they have.
std::vector<const PeerStatus*> by_handshake(const std::vector<PeerStatus>& peers) {
  std::vector<const PeerStatus*> sorted;
  sorted.reserve(peers.size());
  for (const PeerStatus& peer : peers) sorted.push_back(&peer);
  std::ranges::stable_sort(sorted, [](const PeerStatus* a, const PeerStatus* b) {
    return a->last_handshake > b->last_handshake;
  });
  return sorted;
}

class PrettyPrinter {
 public:
  PrettyPrinter(Output& out, const Style& style, std::int64_t now_s)
      : out_(out), style_(style), now_s_(now_s) {}

  void device(const NamedDevice& device);
  void peer(const PeerStatus& peer, std::string_view name);

 private:
  void label(std::string_view name) { out_.print("  {}: ", style_.bold(name)); }
  void line(std::string_view name, std::string_view value) {
    label(name);
    out_.print("{}\n", value);
  }
  void secret_line(std::string_view name, std::span<const std::uint8_t, kKeySize> key);
  void allowed_ips(const std::vector<Cidr>& ips);

  Output& out_;
  const Style& style_;
  std::int64_t now_s_;
};

void PrettyPrinter::device(const NamedDevice& device) {
  const control::DeviceStatus& status = device.status;
  out_.print("{}{}: {}\n", style_.reset(), style_.bold(Color::green, "interface"),
             style_.colored(Color::green, device.name));
  if (status.public_key) line("public key", to_base64(*status.public_key));
  if (status.private_key) secret_line("private key", status.private_key->bytes());
  if (status.listen_port != 0) line("listening port", std::to_string(status.listen_port));
  if (status.fwmark != 0) line("fwmark", fmt::format("{:#x}", status.fwmark));
  const control::DeviceSettings& settings = device.settings;
  if (!settings.place.is_anywhere()) {
    const std::string away =
        settings.missing.empty()
            ? ""
            : fmt::format(" (not there: {})", fmt::join(settings.missing, ", "));
    line("bound to", quick::place_text(settings.place) + away);
  }
}

void PrettyPrinter::peer(const PeerStatus& peer, std::string_view name) {
  const std::string key = to_base64(peer.public_key);
  out_.print("\n{}: {}\n", style_.bold(Color::yellow, "peer"),
             style_.colored(Color::yellow, name.empty() ? key : name));
  if (!name.empty()) line("public key", key);
  if (!peer.preshared_key.is_zero()) secret_line("preshared key", peer.preshared_key.bytes());
  if (!peer.endpoint.is_none()) line("endpoint", client::text_of(peer.endpoint));
  allowed_ips(peer.allowed_ips);
  if (peer.last_handshake.seconds != 0) {
    line("latest handshake", style_.ago(peer.last_handshake.seconds, now_s_));
  }
  if (peer.rx_bytes != 0 || peer.tx_bytes != 0) {
    line("transfer", fmt::format("{} received, {} sent", style_.size(peer.rx_bytes),
                                 style_.size(peer.tx_bytes)));
  }
  if (peer.persistent_keepalive_s != 0) {
    line("persistent keepalive", "every " + style_.duration(peer.persistent_keepalive_s));
  }
}

void PrettyPrinter::secret_line(std::string_view name,
                                std::span<const std::uint8_t, kKeySize> key) {
  label(name);
  if (shows_secrets()) {
    write_key(out_, key);
  } else {
    out_.write("(hidden)");
  }
  out_.write("\n");
}

void PrettyPrinter::allowed_ips(const std::vector<Cidr>& ips) {
  label("allowed ips");
  if (ips.empty()) out_.write("(none)");
  for (std::size_t i = 0; i < ips.size(); ++i) {
    out_.print("{}{}{}{}", i == 0 ? "" : ", ", ips[i].address().to_string(),
               style_.colored(Color::cyan, "/"), ips[i].length());
  }
  out_.write("\n");
}

}  // namespace

void print_pretty(Output& out, const NamedDevice& device, const Style& style, std::int64_t now_s) {
  PrettyPrinter printer(out, style, now_s);
  printer.device(device);
  for (const PeerStatus* peer : by_handshake(device.status.peers)) {
    printer.peer(*peer, device.name_of(peer->public_key));
  }
}

}  // namespace ferrule::cli
