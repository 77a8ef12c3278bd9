#include <string>

#include "base/key_text.h"
#include "base/utf8.h"
#include "cli/show/show_text.h"
#include "cli/terminal/key_output.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

using protocol::PeerStatus;

// One JSON object, a member a line.
class JsonObject {
 public:
  JsonObject(Output& out, int depth)
      : out_(out), indent_(static_cast<std::size_t>(2 * depth), ' ') {
    out_.write("{");
  }
  void close() {
    if (!is_empty_) out_.print("\n{}", indent_);
    out_.write("}");
  }

  // The member's value is written next.
  void name(std::string_view name) {
    out_.print("{}\n{}  {}: ", is_empty_ ? "" : ",", indent_, json_text(name));
    is_empty_ = false;
  }
  void text(std::string_view member, std::string_view value) {
    name(member);
    out_.write(json_text(value));
  }
  void number(std::string_view member, std::uint64_t value) {
    name(member);
    out_.print("{}", value);
  }
  void secret(std::string_view member, std::span<const std::uint8_t, kKeySize> key) {
    if (!shows_secrets()) return text(member, "(hidden)");
    name(member);
    out_.write("\"");
    write_key(out_, key);
    out_.write("\"");
  }

 private:
  Output& out_;
  std::string indent_;
  bool is_empty_ = true;
};

void print_peer(Output& out, const PeerStatus& status) {
  JsonObject peer(out, 3);
  if (!status.preshared_key.is_zero()) peer.secret("presharedKey", status.preshared_key.bytes());
  if (!status.endpoint.is_none()) peer.text("endpoint", client::text_of(status.endpoint));
  if (status.last_handshake.seconds != 0) {
    peer.number("latestHandshake", static_cast<std::uint64_t>(status.last_handshake.seconds));
  }
  peer.number("transferRx", status.rx_bytes);
  peer.number("transferTx", status.tx_bytes);
  if (status.persistent_keepalive_s != 0) {
    peer.number("persistentKeepalive", status.persistent_keepalive_s);
  }
  peer.name("allowedIps");
  out.write("[");
  for (std::size_t i = 0; i < status.allowed_ips.size(); ++i) {
    out.print("{}{}", i == 0 ? "" : ", ", json_text(status.allowed_ips[i].to_string()));
  }
  out.write("]");
  peer.close();
}

}  // namespace

std::string json_text(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const auto character = first_character(text);
    const std::size_t size = character ? character->size : 1;
    if (!character) {
      out += "\\ufffd";  // JSON is UTF-8
    } else if (character->code == '"' || character->code == '\\') {
      out += '\\';
      out += text[0];
    } else if (character->code < ' ') {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(character->code));
    } else {
      out += text.substr(0, size);
    }
    text.remove_prefix(size);
  }
  return out + '"';
}

void print_json(Output& out, const NamedDevice& device) {
  const control::DeviceStatus& status = device.status;
  out.print("{}: ", json_text(device.name));
  JsonObject object(out, 1);
  if (status.private_key) object.secret("privateKey", status.private_key->bytes());
  if (status.public_key) object.text("publicKey", to_base64(*status.public_key));
  if (status.listen_port != 0) object.number("listenPort", status.listen_port);
  if (status.fwmark != 0) object.number("fwmark", status.fwmark);
  object.name("peers");
  JsonObject peers(out, 2);
  for (const PeerStatus& peer : status.peers) {
    peers.name(to_base64(peer.public_key));
    print_peer(out, peer);
  }
  peers.close();
  object.close();
}

}  // namespace ferrule::cli
