#include "cli/wg/set.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include "base/key_text.h"
#include "cli/terminal/listener.h"
#include "cli/wg/key_file.h"
#include "control/conf_document.h"
#include "control/place_text.h"
#include "control/values.h"
#include "files/resolve.h"

namespace ferrule::cli {

namespace {

// Reads the words of `set` one after the other. A word that is none ends it, and was spoken of.
class SetWords {
 public:
  SetWords(Console& console, Arguments words) : console_(console), words_(words) {}

  [[nodiscard]] bool read() {
    while (!words_.empty()) {
      if (!take_word()) return false;
    }
    return true;
  }
  [[nodiscard]] protocol::DeviceChange& change() { return change_; }

 private:
  struct Word {
    std::string_view name;
    bool is_of_peer;
    bool has_value;
    bool (SetWords::*take)(std::string_view value);
  };
  static const std::array<Word, 10> kWords;

  bool take_word();
  [[nodiscard]] protocol::PeerChange& peer() { return change_.peers.back(); }

  bool take_listen_port(std::string_view value);
  bool take_fwmark(std::string_view value);
  bool take_private_key(std::string_view value);
  bool take_bind(std::string_view value);
  bool take_bind_interface(std::string_view value);
  bool take_peer(std::string_view value);
  bool take_remove(std::string_view value);
  bool take_endpoint(std::string_view value);
  bool take_allowed_ips(std::string_view value);
  bool take_allowed_ip(std::string_view value);
  bool take_keepalive(std::string_view value);
  bool take_preshared_key(std::string_view value);

  bool refuse(std::string_view what, std::string_view value) {
    console_.err.print("{}: `{}'\n", what, value);
    return false;
  }

  Console& console_;
  Arguments words_;
  protocol::DeviceChange change_;
};

constexpr std::array<SetWords::Word, 10> SetWords::kWords{{
    {"listen-port", false, true, &SetWords::take_listen_port},
    {"fwmark", false, true, &SetWords::take_fwmark},
    {"private-key", false, true, &SetWords::take_private_key},
    {"bind", false, true, &SetWords::take_bind},
    {"bind-interface", false, true, &SetWords::take_bind_interface},
    {"remove", true, false, &SetWords::take_remove},
    {"endpoint", true, true, &SetWords::take_endpoint},
    {"allowed-ips", true, true, &SetWords::take_allowed_ips},
    {"persistent-keepalive", true, true, &SetWords::take_keepalive},
    {"preshared-key", true, true, &SetWords::take_preshared_key},
}};

bool SetWords::take_word() {
  const std::string_view name = words_[0];
  if (name == "peer" && words_.size() >= 2) {
    const std::string_view value = words_[1];
    words_ = words_.subspan(2);
    return take_peer(value);
  }
  const auto word = std::ranges::find(kWords, name, &Word::name);
  const bool fits = word != kWords.end() && word->is_of_peer != change_.peers.empty() &&
                    words_.size() >= (word->has_value ? 2u : 1u);
  if (!fits) {
    console_.err.print("Invalid argument: {}\n", name);
    return false;
  }
  const std::string_view value = word->has_value ? words_[1] : std::string_view();
  words_ = words_.subspan(word->has_value ? 2 : 1);
  return (this->*word->take)(value);
}

bool SetWords::take_listen_port(std::string_view value) {
  if (value.empty()) {
    console_.err.write("Unable to parse empty port\n");
    return false;
  }
  change_.listen_port = control::parse_decimal<std::uint16_t>(value);
  return change_.listen_port || refuse("Port is not a number from 0 to 65535", value);
}

bool SetWords::take_fwmark(std::string_view value) {
  change_.fwmark = control::parse_fwmark(value);
  return change_.fwmark || refuse("Fwmark is neither 0/off nor 0-0xffffffff", value);
}

bool SetWords::take_private_key(std::string_view value) {
  auto key = read_key_file(console_, std::string(value));
  if (key) change_.private_key = PrivateKey(std::move(*key));
  return key.has_value();
}

bool SetWords::take_bind(std::string_view value) {
  change_.bind = control::parse_bind(value == "off" ? "" : value);
  if (change_.bind) return true;
  console_.err.print("bind: expected {}, or off: `{}'\n", control::kBindExpected, value);
  return false;
}

bool SetWords::take_bind_interface(std::string_view value) {
  change_.bind_interface = value == "off" ? "" : value;
  return value.empty() || control::is_link_name(value) ||
         refuse("This is no name of an interface", value);
}

bool SetWords::take_peer(std::string_view value) {
  const auto key = public_key_from_base64(value);
  if (!key) return refuse("Key is not the correct length or format", value);
  change_.peers.emplace_back().public_key = *key;
  return true;
}

bool SetWords::take_remove(std::string_view) {
  peer().remove = true;
  return true;
}

bool SetWords::take_endpoint(std::string_view value) {
  const auto host_port = control::parse_host_port(value);
  if (!host_port) {
    if (value.empty()) {
      console_.err.write("Unable to parse empty endpoint\n");
      return false;
    }
    if (value.starts_with('[') && value.find(']') == value.npos) {
      return refuse("Unable to find matching brace of endpoint", value);
    }
    return refuse("Unable to find host or port of endpoint", value);
  }
  ConsoleListener listener(console_);
  const auto endpoint = files::resolve(listener, *host_port);
  if (!endpoint) {
    console_.err.print("{}\n", endpoint.error());
    return false;
  }
  peer().endpoint = *endpoint;
  return true;
}

bool SetWords::take_allowed_ips(std::string_view value) {
  std::string list(value);
  std::erase_if(list, control::is_conf_space);
  peer().replace_allowed_ips = true;
  std::string_view left = list;
  while (!left.empty()) {
    const std::size_t comma = left.find(',');
    if (!take_allowed_ip(left.substr(0, comma))) return false;
    if (comma == left.npos) return true;
    left.remove_prefix(comma + 1);
    if (left.empty()) return take_allowed_ip(left);  // nothing after a comma is an error
  }
  return true;
}

bool SetWords::take_allowed_ip(std::string_view value) {
  const auto ip = control::parse_allowed_ip(value);
  if (!ip) return refuse("AllowedIP is not in the correct format", value);
  if (ip->incremental) peer().replace_allowed_ips = false;
  if (ip->has_host_bits) {
    console_.err.print("Warning: AllowedIP has nonzero host part: {}\n", value);
  }
  peer().allowed_ips.push_back(ip->change);
  return true;
}

bool SetWords::take_keepalive(std::string_view value) {
  peer().persistent_keepalive_s = control::parse_keepalive(value);
  return peer().persistent_keepalive_s ||
         refuse("Persistent keepalive interval is neither 0/off nor 1-65535", value);
}

bool SetWords::take_preshared_key(std::string_view value) {
  auto key = read_key_file(console_, std::string(value));
  if (key) peer().preshared_key = PresharedKey(std::move(*key));
  return key.has_value();
}

bool removes_allowed_ips(const protocol::DeviceChange& change) {
  return std::ranges::any_of(change.peers, [](const protocol::PeerChange& peer) {
    return std::ranges::any_of(peer.allowed_ips, &protocol::AllowedIpChange::remove);
  });
}

}  // namespace

int run_set(Console& console, Arguments arguments) {
  if (arguments.size() < 3) {
    console.err.print(
        "Usage: {} {} <interface> [listen-port <port>] [fwmark <mark>] [private-key <file path>] "
        "[peer <base64 public key> [remove] [preshared-key <file path>] [endpoint <ip>:<port>] "
        "[persistent-keepalive <interval seconds>] [allowed-ips <ip1>/<cidr1>[,<ip2>/<cidr2>]...] "
        "]...\n",
        console.program, arguments[0]);
    return 1;
  }
  SetWords words(console, arguments.subspan(2));
  if (!words.read()) return 1;
  const auto outcome = console.devices->set(std::string(arguments[1]), words.change());
  if (outcome) return 0;
  console.err.print("Unable to modify interface: {}\n", std::strerror(outcome.error().code));
  if ((words.change().bind || words.change().bind_interface) &&
      outcome.error().code != EADDRINUSE && outcome.error().code != ENODEV) {
    console.err.write("To bind to an address or an interface takes ferruled of this version.\n");
  }
  if (outcome.error().code == EINVAL && removes_allowed_ips(words.change())) {
    console.err.print("To remove single allowed IPs takes Linux 6.16, or ferruled.\n");
  }
  return 1;
}

}  // namespace ferrule::cli
