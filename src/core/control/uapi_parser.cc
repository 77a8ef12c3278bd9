#include "control/uapi_parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <new>
#include <utility>

#include "base/key_text.h"
#include "control/place_text.h"
#include "control/values.h"

namespace ferrule::control {

namespace {

constexpr std::string_view kHexKey = "64 hex digits";
constexpr std::size_t kMaxQuotedBytes = 64;

// Text of a client, for the log: short, and without what could pass for something else there.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (char c : text.substr(0, kMaxQuotedBytes)) out += c >= ' ' && c <= '~' ? c : '?';
  if (text.size() > kMaxQuotedBytes) out += "...";
  return out + "'";
}

// An unknown key is named in the log only if it looks like one: "<base64 of a key>=" must not be.
bool looks_like_a_key_name(std::string_view text) {
  constexpr std::size_t kLongestName = 32;
  return !text.empty() && text.size() <= kLongestName &&
         std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

}  // namespace

std::size_t UapiParser::held_bytes() const noexcept {
  return line_.capacity() + change_.peers.capacity() * sizeof(protocol::PeerChange) +
         allowed_ips_ * sizeof(protocol::AllowedIpChange);
}

void UapiParser::give_up_request() noexcept {
  if (!in_request()) return;
  refuse(std::errc::not_enough_memory, "requests that are under way hold too much memory");
  skips_line_ = !line_.empty();
  line_.clear();
}

std::optional<UapiRequest> UapiParser::feed(std::string_view& input) noexcept {
  while (!input.empty()) {
    const std::size_t end = input.find('\n');
    const bool ends = end != input.npos;
    const std::string_view text = input.substr(0, end);
    input.remove_prefix(ends ? end + 1 : input.size());
    try {
      if (!ends) {
        keep_start_of_line(text);
      } else if (auto request = end_line(text)) {
        return request;
      }
    } catch (const std::bad_alloc&) {
      refuse(std::errc::not_enough_memory, "out of memory");  // which frees what the request holds
      line_.clear();
      skips_line_ = !ends;
    }
  }
  return std::nullopt;
}

void UapiParser::keep_start_of_line(std::string_view start) {
  if (skips_line_) return;
  if (line_.size() + start.size() > kMaxUapiLineBytes) {
    ++line_number_;
    refuse(std::errc::invalid_argument, fmt::format("longer than {} bytes", kMaxUapiLineBytes));
  }
  // Of a refused request only the empty line still matters, and whether that is a carriage return.
  if (state_ == State::refused && line_.size() + start.size() > 1) {
    skips_line_ = true;
    line_.clear();
  } else {
    line_.append(start);
  }
}

std::optional<UapiRequest> UapiParser::end_line(std::string_view rest) {
  // A whole line in one read is parsed where it lies.
  if (!skips_line_ && line_.empty() && rest.size() <= kMaxUapiLineBytes) return take_line(rest);
  keep_start_of_line(rest);
  if (std::exchange(skips_line_, false)) return std::nullopt;
  const WipedText whole = std::move(line_);
  return take_line(whole.view());
}

std::optional<UapiRequest> UapiParser::take_line(std::string_view line) {
  const bool has_return = line.ends_with('\r');
  if (has_return) line.remove_suffix(1);
  // Nobody asked anything by a blank line between two requests.
  if (state_ == State::idle && line.empty()) return std::nullopt;
  ++line_number_;
  if (has_return) refuse(std::errc::invalid_argument, "ends with CR LF; expected LF alone");
  if (line.empty()) return finish_request();
  switch (state_) {
    case State::idle:
      take_operation(line);
      break;
    case State::get:
    case State::stats:
    case State::settings:
      refuse(std::errc::invalid_argument, "expected an empty line");
      break;
    case State::set:
      request_bytes_ += line.size() + 1;
      if (request_bytes_ > kMaxUapiRequestBytes) {
        refuse(std::errc::argument_list_too_long,
               fmt::format("the request is longer than {} bytes", kMaxUapiRequestBytes));
      } else {
        take_set_line(line);
      }
      break;
    case State::refused:
      break;
  }
  return std::nullopt;
}

std::optional<UapiRequest> UapiParser::cut_off() noexcept {
  if (!in_request()) return std::nullopt;
  ++line_number_;
  refuse(std::errc::protocol_error,
         "the connection ended; expected the rest of the request and an empty line");
  line_.clear();
  skips_line_ = false;
  return finish_request();
}

UapiRequest UapiParser::finish_request() {
  const State state = std::exchange(state_, State::idle);
  line_number_ = request_bytes_ = allowed_ips_ = 0;
  if (state == State::get) return GetRequest{};
  if (state == State::stats) return StatsRequest{};
  if (state == State::settings) return SettingsRequest{};
  if (state == State::set) return std::exchange(change_, {});
  return std::exchange(error_, {});
}

void UapiParser::take_operation(std::string_view line) {
  if (line == "get=1") {
    state_ = State::get;
  } else if (line == "set=1") {
    state_ = State::set;
  } else if (line == "stats=1") {
    state_ = State::stats;
  } else if (line == "settings=1") {
    state_ = State::settings;
  } else {
    refuse(std::errc::invalid_argument, "expected get=1, set=1, stats=1 or settings=1");
  }
}

void UapiParser::take_set_line(std::string_view line) {
  const std::size_t equals = line.find('=');
  if (equals == line.npos) return refuse(std::errc::protocol_error, "expected key=value");
  const std::string_view key = line.substr(0, equals);
  const std::string_view value = line.substr(equals + 1);
  if (key == "public_key") {
    begin_peer(value);
  } else if (change_.peers.empty()) {
    take_device_key(key, value);
  } else {
    take_peer_key(key, value);
  }
}

void UapiParser::take_device_key(std::string_view key, std::string_view value) {
  if (key == "private_key") {
    auto secret = secret_from_hex(value);
    if (!secret) return refuse_secret(key, kHexKey);
    change_.private_key = PrivateKey(std::move(*secret));
  } else if (key == "listen_port") {
    take_number(key, value, change_.listen_port);
  } else if (key == "fwmark") {
    take_number(key, value, change_.fwmark);
  } else if (key == "bind") {
    change_.bind = parse_bind(value);
    if (!change_.bind) refuse_value(key, value, kBindExpected);
  } else if (key == "bind_interface") {
    if (!value.empty() && !is_link_name(value)) {
      return refuse_value(key, value, "the name of an interface");
    }
    change_.bind_interface = value;
  } else if (key == "replace_peers") {
    take_flag(key, value, change_.replace_peers);
  } else {
    refuse_key(key, "not a key of a device, and no public_key came before");
  }
}

void UapiParser::begin_peer(std::string_view value) {
  const auto public_key = public_key_from_hex(value);
  if (!public_key) return refuse_secret("public_key", kHexKey);
  change_.peers.emplace_back().public_key = *public_key;
}

void UapiParser::take_peer_key(std::string_view key, std::string_view value) {
  protocol::PeerChange& peer = change_.peers.back();
  if (key == "allowed_ip") {
    take_allowed_ip(peer, value);
  } else if (key == "preshared_key") {
    auto secret = secret_from_hex(value);
    if (!secret) return refuse_secret(key, kHexKey);
    peer.preshared_key = PresharedKey(std::move(*secret));
  } else if (key == "endpoint") {
    const auto endpoint = parse_endpoint(value, scope_of_);
    if (!endpoint) {
      return refuse_value(key, value,
                          "a numeric address and a port, 192.0.2.1:51820 or [::1]:51820");
    }
    peer.endpoint = *endpoint;
  } else if (key == "persistent_keepalive_interval") {
    take_number(key, value, peer.persistent_keepalive_s);
  } else if (key == "replace_allowed_ips") {
    // The lines say what to do one after the other: what stands above this one is replaced too.
    allowed_ips_ -= peer.allowed_ips.size();
    peer.allowed_ips.clear();
    take_flag(key, value, peer.replace_allowed_ips);
  } else if (key == "remove") {
    take_flag(key, value, peer.remove);
  } else if (key == "update_only") {
    take_flag(key, value, peer.update_only);
  } else if (key == "protocol_version") {
    if (value != "1") refuse_value(key, value, "1, the only version there is");
  } else {
    refuse_key(key, "not a key of a peer");
  }
}

void UapiParser::take_allowed_ip(protocol::PeerChange& peer, std::string_view value) {
  const bool remove = value.starts_with('-');
  const std::string_view text = value.substr(remove ? 1 : 0);
  const auto cidr = text.find('/') != text.npos ? Cidr::parse(text) : std::nullopt;
  if (!cidr) {
    return refuse_value("allowed_ip", value, "an address and its prefix length, like 10.0.0.0/8");
  }
  peer.allowed_ips.push_back({*cidr, remove});
  ++allowed_ips_;
}

void UapiParser::take_flag(std::string_view key, std::string_view value, bool& to) {
  if (value != "true") return refuse_value(key, value, "true");
  to = true;
}

template <class T>
void UapiParser::take_number(std::string_view key, std::string_view value, std::optional<T>& to) {
  const auto number = parse_decimal<T>(value);
  if (!number) {
    return refuse_value(key, value,
                        fmt::format("a number from 0 to {}", std::numeric_limits<T>::max()));
  }
  to = number;
}

void UapiParser::refuse(std::errc kind, std::string_view why) noexcept {
  if (state_ == State::refused) return;
  state_ = State::refused;
  remains_ = std::exchange(change_, {});
  allowed_ips_ = 0;
  error_ = {static_cast<int>(kind), {}};
  try {
    error_.what = fmt::format("line {}: {}", line_number_, why);
  } catch (const std::bad_alloc&) {
    // An error without a text is one all the same.
  }
}

void UapiParser::refuse_key(std::string_view key, std::string_view why_not) {
  if (looks_like_a_key_name(key))
    return refuse(std::errc::invalid_argument, fmt::format("{}: {}", key, why_not));
  refuse(std::errc::invalid_argument, why_not);
}

void UapiParser::refuse_value(std::string_view key, std::string_view value,
                              std::string_view expected) {
  refuse(std::errc::invalid_argument,
         fmt::format("{}: expected {}, got {}", key, expected, quoted(value)));
}

void UapiParser::refuse_secret(std::string_view key, std::string_view expected) {
  refuse(std::errc::invalid_argument, fmt::format("{}: expected {}", key, expected));
}

}  // namespace ferrule::control
