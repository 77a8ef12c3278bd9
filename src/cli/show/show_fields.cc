#include <algorithm>
#include <array>

#include "base/key_text.h"
#include "cli/show/show_text.h"
#include "cli/terminal/key_output.h"
#include "client/scopes.h"
#include "control/prefix_list.h"

namespace ferrule::cli {

namespace {

using control::DeviceStatus;
using protocol::PeerStatus;

void write_key_or_none(Output& out, const std::optional<PrivateKey>& key) {
  if (!key) return out.write("(none)");
  write_key(out, key->bytes());
}

void write_preshared_key(Output& out, const PeerStatus& peer) {
  if (peer.preshared_key.is_zero()) return out.write("(none)");
  write_key(out, peer.preshared_key.bytes());
}

std::string public_key_text(const DeviceStatus& status) {
  return status.public_key ? to_base64(*status.public_key) : "(none)";
}

std::string fwmark_text(const DeviceStatus& status) {
  return status.fwmark != 0 ? fmt::format("{:#x}", status.fwmark) : "off";
}

std::string keepalive_text(const PeerStatus& peer) {
  return peer.persistent_keepalive_s != 0 ? std::to_string(peer.persistent_keepalive_s) : "off";
}

std::string endpoint_or_none(const PeerStatus& peer) {
  return peer.endpoint.is_none() ? "(none)" : client::text_of(peer.endpoint);
}

std::string allowed_ips_text(const PeerStatus& peer, std::string_view separator) {
  return peer.allowed_ips.empty() ? "(none)" : control::prefix_list(peer.allowed_ips, separator);
}

// What a line says of the device, or of each of its peers behind the peer's public key.
struct DeviceField {
  std::string_view name;
  void (*write)(Output& out, const DeviceStatus& status);
};
struct PeerField {
  std::string_view name;
  void (*write)(Output& out, const PeerStatus& peer);
};

constexpr std::array kDeviceFields{
    DeviceField{"public-key",
                [](Output& out, const DeviceStatus& s) { out.write(public_key_text(s)); }},
    DeviceField{"private-key",
                [](Output& out, const DeviceStatus& s) { write_key_or_none(out, s.private_key); }},
    DeviceField{"listen-port",
                [](Output& out, const DeviceStatus& s) { out.print("{}", s.listen_port); }},
    DeviceField{"fwmark", [](Output& out, const DeviceStatus& s) { out.write(fwmark_text(s)); }},
};

constexpr std::array kPeerFields{
    PeerField{"peers", nullptr},
    PeerField{"preshared-keys", write_preshared_key},
    PeerField{"endpoints",
              [](Output& out, const PeerStatus& p) { out.write(endpoint_or_none(p)); }},
    PeerField{"allowed-ips",
              [](Output& out, const PeerStatus& p) { out.write(allowed_ips_text(p, " ")); }},
    PeerField{"latest-handshakes",
              [](Output& out, const PeerStatus& p) { out.print("{}", p.last_handshake.seconds); }},
    PeerField{"transfer", [](Output& out,
                             const PeerStatus& p) { out.print("{}\t{}", p.rx_bytes, p.tx_bytes); }},
    PeerField{"persistent-keepalive",
              [](Output& out, const PeerStatus& p) { out.write(keepalive_text(p)); }},
};

void print_dump(Output& out, const NamedDevice& device, const std::string& prefix) {
  const DeviceStatus& status = device.status;
  out.write(prefix);
  write_key_or_none(out, status.private_key);
  out.print("\t{}\t{}\t{}\n", public_key_text(status), status.listen_port, fwmark_text(status));
  for (const PeerStatus& peer : status.peers) {
    out.print("{}{}\t", prefix, to_base64(peer.public_key));
    write_preshared_key(out, peer);
    out.print("\t{}\t{}\t{}\t{}\t{}\t{}\n", endpoint_or_none(peer), allowed_ips_text(peer, ","),
              peer.last_handshake.seconds, peer.rx_bytes, peer.tx_bytes, keepalive_text(peer));
  }
}

}  // namespace

bool print_field(Output& out, const NamedDevice& device, std::string_view field, bool with_name) {
  const std::string prefix = with_name ? device.name + '\t' : std::string();
  if (field == "dump") {
    print_dump(out, device, prefix);
    return true;
  }
  const auto of_device = std::ranges::find(kDeviceFields, field, &DeviceField::name);
  if (of_device != kDeviceFields.end()) {
    out.write(prefix);
    of_device->write(out, device.status);
    out.write("\n");
    return true;
  }
  const auto of_peer = std::ranges::find(kPeerFields, field, &PeerField::name);
  if (of_peer == kPeerFields.end()) return false;
  for (const PeerStatus& peer : device.status.peers) {
    out.print("{}{}", prefix, to_base64(peer.public_key));
    if (of_peer->write != nullptr) {
      out.write("\t");
      of_peer->write(out, peer);
    }
    out.write("\n");
  }
  return true;
}

}  // namespace ferrule::cli
