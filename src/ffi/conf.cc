#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/key_text.h"
#include "control/conf_configuration.h"
#include "control/conf_document.h"
#include "control/uapi_client.h"
#include "control/values.h"
#include "ferrule.h"
#include "ffi/guard.h"
#include "ffi/handles.h"

using namespace ferrule;
using control::WipedText;

namespace {

constexpr std::size_t kParts = FERRULE_CONF_MTU + 1;

// Scopes are numbers here: the names of interfaces are the system's.
std::string number_of_scope(std::uint32_t scope) { return std::to_string(scope); }

std::optional<Endpoint> numeric(const control::HostPort& where) {
  const bool is_v6 = where.host.find(':') != where.host.npos;
  return Endpoint::parse(
      fmt::format("{}{}{}:{}", is_v6 ? "[" : "", where.host, is_v6 ? "]" : "", where.service));
}

// All but endpoints that are names: those are a line each of `names`.
protocol::DeviceChange change_of(control::Configuration& configuration, WipedText& names) {
  protocol::DeviceChange change;
  change.private_key = std::move(configuration.interface.private_key);
  change.listen_port = configuration.interface.listen_port;
  change.fwmark = configuration.interface.fwmark;
  change.replace_peers = true;
  for (control::PeerConf& conf : configuration.peers) {
    protocol::PeerChange& peer = change.peers.emplace_back();
    peer.public_key = conf.public_key;
    peer.preshared_key = std::move(conf.preshared_key);
    peer.persistent_keepalive_s = conf.persistent_keepalive_s;
    peer.replace_allowed_ips = conf.replace_allowed_ips;
    peer.allowed_ips = std::move(conf.allowed_ips);
    if (!conf.endpoint) continue;
    peer.endpoint = numeric(*conf.endpoint);
    if (!peer.endpoint) {
      names.append(fmt::format("{} {} {}\n", to_hex(conf.public_key), conf.endpoint->host,
                               conf.endpoint->service));
    }
  }
  return change;
}

template <class List, class Text>
void append_lines(WipedText& text, const List& list, const Text& text_of) {
  for (const auto& item : list) {
    text.append(text_of(item));
    text.append("\n");
  }
}

void fill_parts(control::Configuration& configuration, std::vector<WipedText>& parts) {
  parts.resize(kParts);
  const control::InterfaceConf& interface = configuration.interface;
  append_lines(parts[FERRULE_CONF_ADDRESSES], interface.addresses, [](const auto& address) {
    return fmt::format("{}/{}", address.address.to_string(), address.prefix_length);
  });
  append_lines(parts[FERRULE_CONF_DNS], interface.dns_servers,
               [](const IpAddress& server) { return server.to_string(); });
  append_lines(parts[FERRULE_CONF_DNS_SEARCH], interface.dns_search,
               [](const std::string& name) { return name; });
  if (interface.mtu_bytes) {
    parts[FERRULE_CONF_MTU].append(std::to_string(*interface.mtu_bytes));
  }
  const protocol::DeviceChange change = change_of(configuration, parts[FERRULE_CONF_NAMES]);
  parts[FERRULE_CONF_REQUEST] = control::set_request(change, number_of_scope);
}

void read_conf(ferrule_conf& conf, const char* name, std::string_view text) {
  const control::ConfDocument document(name, text);
  auto read = control::read_configuration(document, control::ConfDialect::wg_quick);
  conf.is_read = read.has_value();
  conf.mistakes = conf.is_read ? std::move(read->warnings) : std::move(read.error());
  if (conf.is_read) fill_parts(*read, conf.parts);
}

}  // namespace

std::int32_t ferrule_conf_read(const char* name, const char* text, std::size_t length,
                               ferrule_conf** conf) {
  if (conf == nullptr) return FERRULE_INVALID;
  *conf = nullptr;
  if (text == nullptr) return FERRULE_INVALID;
  return ffi::guarded([&]() -> std::int32_t {
    auto made = std::make_unique<ferrule_conf>();
    read_conf(*made, name != nullptr ? name : "", {text, length});
    *conf = made.release();
    return (*conf)->is_read ? FERRULE_OK : FERRULE_REFUSED;
  });
}

void ferrule_conf_free(ferrule_conf* conf) { delete conf; }

std::int32_t ferrule_conf_mistakes(const ferrule_conf* conf, std::size_t first,
                                   ferrule_mistake* mistakes, std::size_t count) {
  const ffi::CallersArray<ferrule_mistake> room(mistakes, count);
  if (conf == nullptr || !room.is_valid()) return FERRULE_INVALID;
  if (count == 0 || first >= conf->mistakes.size()) return 0;
  const std::size_t some = std::min({count, conf->mistakes.size() - first, std::size_t{INT32_MAX}});
  const std::size_t stride = room.stride();
  for (std::size_t i = 0; i < some; ++i) {
    const control::ConfError& error = conf->mistakes[first + i];
    const ferrule_mistake mistake{0,
                                  static_cast<std::uint32_t>(error.line),
                                  static_cast<std::uint32_t>(error.column),
                                  static_cast<std::uint32_t>(error.length),
                                  conf->is_read ? 1 : 0,
                                  error.message.c_str(),
                                  error.shown.c_str()};
    ffi::write_struct(mistake, stride, reinterpret_cast<std::uint8_t*>(mistakes) + i * stride);
  }
  return static_cast<std::int32_t>(some);
}

std::int64_t ferrule_conf_text(const ferrule_conf* conf, std::int32_t part, char* text,
                               std::size_t room) {
  if (conf == nullptr || part < 0 || part >= static_cast<std::int32_t>(kParts)) {
    return FERRULE_INVALID;
  }
  if (!conf->is_read) return 0;
  return ffi::give_text(conf->parts[static_cast<std::size_t>(part)].view(), text, room);
}
