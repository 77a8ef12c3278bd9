#include "control/uapi_client.h"

#include <fmt/format.h>

#include <array>

#include "base/key_text.h"
#include "control/place_text.h"
#include "control/uapi_errno.h"
#include "control/values.h"

namespace ferrule::control {

namespace {

constexpr std::size_t kMaxAnswerLineBytes = 4096;

void append_key(WipedText& text, std::string_view name,
                std::span<const std::uint8_t, kKeySize> key) {
  std::array<char, kKeyHexSize> hex;
  key_to_hex(key, hex);
  text.append(name);
  text.append({hex.data(), hex.size()});
  text.append("\n");
  wipe({reinterpret_cast<std::uint8_t*>(hex.data()), hex.size()});
}

template <class... Args>
void append_line(WipedText& text, fmt::format_string<Args...> format, Args&&... args) {
  text.append(fmt::format(format, std::forward<Args>(args)...));
  text.append("\n");
}

void append_peer(WipedText& text, const protocol::PeerChange& peer, ScopeName name_of) {
  append_key(text, "public_key=", peer.public_key.bytes);
  if (peer.remove) return text.append("remove=true\n");
  if (peer.update_only) text.append("update_only=true\n");
  if (peer.preshared_key) append_key(text, "preshared_key=", peer.preshared_key->bytes());
  if (peer.endpoint) append_line(text, "endpoint={}", endpoint_text(*peer.endpoint, name_of));
  if (peer.persistent_keepalive_s) {
    append_line(text, "persistent_keepalive_interval={}", *peer.persistent_keepalive_s);
  }
  if (peer.replace_allowed_ips) text.append("replace_allowed_ips=true\n");
  for (const protocol::AllowedIpChange& ip : peer.allowed_ips) {
    append_line(text, "allowed_ip={}{}", ip.remove ? "-" : "", ip.cidr.to_string());
  }
}

template <class T, class U>
bool assign(T& to, std::optional<U> value) {
  if (value) to = std::move(*value);
  return value.has_value();
}

protocol::MessageCounts& counts_of(protocol::PeerStatus& peer) {
  if (!peer.messages) peer.messages.emplace();
  return *peer.messages;
}

}  // namespace

WipedText set_request(const protocol::DeviceChange& change, ScopeName name_of) {
  WipedText text("set=1\n");
  if (change.private_key) append_key(text, "private_key=", change.private_key->bytes());
  if (change.listen_port) append_line(text, "listen_port={}", *change.listen_port);
  if (change.fwmark) append_line(text, "fwmark={}", *change.fwmark);
  if (change.bind) append_line(text, "bind={}", bind_text(*change.bind));
  if (change.bind_interface) append_line(text, "bind_interface={}", *change.bind_interface);
  if (change.replace_peers) text.append("replace_peers=true\n");
  for (const protocol::PeerChange& peer : change.peers) append_peer(text, peer, name_of);
  text.append("\n");
  return text;
}

bool UapiAnswer::feed(std::string_view bytes) {
  while (!bytes.empty() && !is_complete_) {
    const std::size_t end = bytes.find('\n');
    const std::string_view part = bytes.substr(0, end);
    if (line_.size() + part.size() > kMaxAnswerLineBytes) {
      is_bad_ = is_complete_ = true;
    } else if (end == bytes.npos) {
      line_.append(part);
    } else if (line_.empty()) {
      take_line(part);
    } else {
      line_.append(part);
      const WipedText whole = std::move(line_);
      take_line(whole.view());
    }
    bytes.remove_prefix(end == bytes.npos ? bytes.size() : end + 1);
  }
  return is_complete_;
}

void UapiAnswer::take_line(std::string_view line) {
  if (line.empty()) {
    is_complete_ = true;
    return;
  }
  const std::size_t equals = line.find('=');
  const bool good = equals != line.npos && take(line.substr(0, equals), line.substr(equals + 1));
  // It is read to its end, which may tell an errno.
  if (!good) is_bad_ = true;
}

bool UapiAnswer::take(std::string_view key, std::string_view value) {
  if (key == "errno") {
    // Negative, as the daemons have it, or positive, as the protocol was once described.
    if (value.starts_with('-')) value.remove_prefix(1);
    errno_ = parse_decimal<int>(value);
    return errno_.has_value();
  }
  if (key == "public_key") {
    device_.peers.emplace_back();
    return assign(device_.peers.back().public_key, public_key_from_hex(value));
  }
  return device_.peers.empty() ? take_device_key(key, value) : take_peer_key(key, value);
}

bool UapiAnswer::take_device_key(std::string_view key, std::string_view value) {
  if (key == "private_key") return assign(device_.private_key, secret_from_hex(value));
  if (key == "listen_port") return assign(device_.listen_port, parse_decimal<std::uint16_t>(value));
  if (key == "fwmark") return assign(device_.fwmark, parse_decimal<std::uint32_t>(value));
  if (key == "bind") return assign(settings_.place.addresses, parse_bind(value));
  if (key == "bind_interface") {
    settings_.place.interface = value;
    return value.empty() || is_link_name(value);
  }
  if (key == "missing") {
    settings_.missing.emplace_back(value);
    return IpAddress::parse(value).has_value() || is_link_name(value);
  }
  if (const auto number = parse_decimal<std::uint64_t>(value)) {
    stats_.emplace_back(key, *number);
  }
  return true;
}

bool UapiAnswer::take_peer_key(std::string_view key, std::string_view value) {
  protocol::PeerStatus& peer = device_.peers.back();
  if (key == "preshared_key") return assign(peer.preshared_key, secret_from_hex(value));
  if (key == "endpoint") return assign(peer.endpoint, parse_endpoint(value, scope_of_));
  if (key == "last_handshake_time_sec") {
    return assign(peer.last_handshake.seconds, parse_decimal<std::int64_t>(value));
  }
  if (key == "last_handshake_time_nsec") {
    return assign(peer.last_handshake.nanoseconds, parse_decimal<std::uint32_t>(value));
  }
  if (key == "tx_bytes") return assign(peer.tx_bytes, parse_decimal<std::uint64_t>(value));
  if (key == "rx_bytes") return assign(peer.rx_bytes, parse_decimal<std::uint64_t>(value));
  if (key == "received_messages") {
    return assign(counts_of(peer).received, parse_decimal<std::uint64_t>(value));
  }
  if (key == "expected_messages") {
    return assign(counts_of(peer).expected, parse_decimal<std::uint64_t>(value));
  }
  if (key == "persistent_keepalive_interval") {
    return assign(peer.persistent_keepalive_s, parse_decimal<std::uint16_t>(value));
  }
  if (key == "allowed_ip") {
    const auto cidr = Cidr::parse(value);
    if (cidr) peer.allowed_ips.push_back(*cidr);
    return cidr.has_value();
  }
  return true;
}

DeviceStats UapiAnswer::device_stats() && {
  DeviceStats stats{std::move(stats_), {}};
  for (const protocol::PeerStatus& peer : device_.peers) {
    if (peer.messages) stats.peers.emplace(peer.public_key, *peer.messages);
  }
  return stats;
}

Result<void> UapiAnswer::outcome() const {
  if (is_complete_ && errno_ && *errno_ != 0) {
    return std::unexpected(system_error(errno_from_wire(*errno_), "the device refused"));
  }
  if (!is_complete_ || is_bad_ || !errno_) {
    return std::unexpected(system_error(std::errc::protocol_error, "read the device's answer"));
  }
  return {};
}

}  // namespace ferrule::control
