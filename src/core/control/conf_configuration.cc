#include "control/conf_configuration.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "base/key_text.h"
#include "control/foreign_words.h"
#include "control/hidden_keys.h"
#include "control/named_peers.h"
#include "control/near_miss.h"
#include "control/peer_section.h"
#include "control/value_mistakes.h"
#include "control/wiped_text.h"

namespace ferrule::control {

namespace {

using Kind = ConfSectionKind;

std::string_view name_of(Kind kind) { return kind == Kind::peer ? "[Peer]" : "[Interface]"; }

// wg removes white space from the middle of values too; WipedText, for the value may be a key.
WipedText squeezed(std::string_view value) {
  WipedText text;
  text.reserve(value.size());
  while (!value.empty()) {
    const auto space = std::ranges::find_if(value, is_conf_space);
    const auto size = static_cast<std::size_t>(space - value.begin());
    text.append(value.substr(0, size));
    value.remove_prefix(std::min(size + 1, value.size()));
  }
  return text;
}

// Where a value goes to.
struct Target {
  Configuration& configuration;
  bool has_public_key = false;  // of the peer being read
  std::string warning = {};     // about the value just taken
  std::string mistake = {};  // in the value just refused, where more is known than what is expected

  InterfaceConf& interface() { return configuration.interface; }
  PeerConf& peer() { return configuration.peers.back(); }
};

template <class T>
bool assign(std::optional<T>& to, std::optional<T> value) {
  const bool is_there = value.has_value();
  if (is_there) to = std::move(value);
  return is_there;
}

template <class T>
bool assign(auto& to, std::optional<T> value) {
  if (!value) return false;
  to = std::move(*value);
  return true;
}

template <class T>
bool append(std::vector<T>& to, std::optional<T> value) {
  if (!value) return false;
  to.push_back(std::move(*value));
  return true;
}

bool take_allowed_ip(Target& target, std::string_view text) {
  const auto ip = parse_allowed_ip(text);
  if (!ip) return false;
  if (ip->incremental) target.peer().replace_allowed_ips = false;
  if (ip->has_host_bits) {
    target.warning = fmt::format("has host bits: {} is meant", ip->change.cidr.to_string());
  }
  target.peer().allowed_ips.push_back(ip->change);
  return true;
}

// As wg-quick has it: what does not look like an address is a search domain.
bool take_dns(Target& target, std::string_view text) {
  if (append(target.interface().dns_servers, IpAddress::parse(text))) return true;
  if (auto mistake = dns_mistake(text)) {
    target.mistake = std::move(*mistake);
    return false;
  }
  target.interface().dns_search.emplace_back(text);
  return true;
}

bool take_endpoint(Target& target, std::string_view text) {
  if (auto mistake = endpoint_mistake(text)) {
    target.mistake = std::move(*mistake);
    return false;
  }
  return assign(target.peer().endpoint, parse_host_port(text));
}

bool take_save_config(Target& target, std::string_view text) {
  target.interface().save_config = is_named(text, "true");
  return target.interface().save_config || is_named(text, "false");
}

// With nothing behind them, wg-quick's keys say what they say when they are not there.
bool take_table(Target& target, std::string_view text) {
  target.interface().table.reset();
  if (!text.empty()) target.interface().table = std::string(text);
  return true;
}

bool take_mtu(Target& target, std::string_view text) {
  target.interface().mtu_bytes.reset();
  if (text.empty()) return true;
  const auto mtu_bytes = parse_decimal<std::uint16_t>(text);
  return assign(target.interface().mtu_bytes, mtu_bytes) && *mtu_bytes > 0;
}

template <std::vector<std::string> InterfaceConf::* Commands>
bool take_command(Target& target, std::string_view text) {
  if (!text.empty()) (target.interface().*Commands).emplace_back(text);
  return true;
}

enum class Shape {
  value,
  list,   // with commas between
  words,  // with commas or white space between, however many
  command,
};

struct Key {
  std::string_view name;
  Kind section;
  ConfDialect dialect;
  Shape shape;
  std::string_view expected;
  bool (*take)(Target& target, std::string_view text);  // false: it is not what was expected
  bool is_secret = false;                               // a line with it is shown without its value
};

constexpr std::string_view kBase64Key = "a key: 44 characters of base64";
constexpr std::string_view kAddress = "an address, like 10.0.0.1/24";
constexpr std::string_view kCommand = "a command";

constexpr std::array kKeys{
    Key{"PrivateKey", Kind::interface, ConfDialect::wg, Shape::value, kBase64Key,
        [](Target& target, std::string_view text) {
          return assign(target.interface().private_key, secret_from_base64(text));
        },
        true},
    Key{"ListenPort", Kind::interface, ConfDialect::wg, Shape::value, "a port from 0 to 65535",
        [](Target& target, std::string_view text) {
          return assign(target.interface().listen_port, parse_decimal<std::uint16_t>(text));
        }},
    Key{"FwMark", Kind::interface, ConfDialect::wg, Shape::value,
        "off, or a mark from 0 to 0xffffffff",
        [](Target& target, std::string_view text) {
          return assign(target.interface().fwmark, parse_fwmark(text));
        }},
    Key{"Address", Kind::interface, ConfDialect::wg_quick, Shape::words, kAddress,
        [](Target& target, std::string_view text) {
          return append(target.interface().addresses, parse_interface_address(text));
        }},
    Key{"DNS", Kind::interface, ConfDialect::wg_quick, Shape::words, "an address or a domain",
        take_dns},
    Key{"MTU", Kind::interface, ConfDialect::wg_quick, Shape::value,
        "a number of bytes from 1 to 65535", take_mtu},
    Key{"Table", Kind::interface, ConfDialect::wg_quick, Shape::value,
        "auto, off or a routing table", take_table},
    Key{"PreUp", Kind::interface, ConfDialect::wg_quick, Shape::command, kCommand,
        take_command<&InterfaceConf::pre_up>},
    Key{"PostUp", Kind::interface, ConfDialect::wg_quick, Shape::command, kCommand,
        take_command<&InterfaceConf::post_up>},
    Key{"PreDown", Kind::interface, ConfDialect::wg_quick, Shape::command, kCommand,
        take_command<&InterfaceConf::pre_down>},
    Key{"PostDown", Kind::interface, ConfDialect::wg_quick, Shape::command, kCommand,
        take_command<&InterfaceConf::post_down>},
    Key{"SaveConfig", Kind::interface, ConfDialect::wg_quick, Shape::value, "true or false",
        take_save_config},
    Key{"PublicKey", Kind::peer, ConfDialect::wg, Shape::value, kBase64Key,
        [](Target& target, std::string_view text) {
          target.has_public_key = true;
          return assign(target.peer().public_key, public_key_from_base64(text));
        }},
    Key{"PresharedKey", Kind::peer, ConfDialect::wg, Shape::value, kBase64Key,
        [](Target& target, std::string_view text) {
          return assign(target.peer().preshared_key, secret_from_base64(text));
        },
        true},
    Key{"AllowedIPs", Kind::peer, ConfDialect::wg, Shape::list,
        "an address and its prefix length, like 10.0.0.0/8", take_allowed_ip},
    Key{"Endpoint", Kind::peer, ConfDialect::wg, Shape::value,
        "host:port, where an IPv6 address stands in brackets", take_endpoint},
    Key{"PersistentKeepalive", Kind::peer, ConfDialect::wg, Shape::value,
        "off, or a number of seconds from 0 to 65535",
        [](Target& target, std::string_view text) {
          return assign(target.peer().persistent_keepalive_s, parse_keepalive(text));
        }},
};

const Key* find_key(std::string_view written) {
  const auto key = std::ranges::find_if(
      kKeys, [&](const Key& candidate) { return is_named(written, candidate.name); });
  return key == kKeys.end() ? nullptr : &*key;
}

// The key that someone meant by one that does not belong here.
const Key* find_meant(std::string_view written, Kind section, ConfDialect dialect) {
  if (const Key* key = find_key(written)) return key;
  std::vector<std::string_view> names;
  for (const Key& key : kKeys) {
    if (key.section == section && key.dialect <= dialect) names.push_back(key.name);
  }
  const auto name = nearest(written, names);
  return name ? find_key(*name) : nullptr;
}

std::string why_no_key(std::string_view written, Kind section, const Key* meant) {
  std::string what = fmt::format("{} is not a key of {}", without_keys(written), name_of(section));
  // Other tools pass over ours.
  if (section == Kind::interface && is_interface_note(fmt::format("# {} = ", written))) {
    return fmt::format("{}: it stands in a comment, `# {} = ...'", what, written);
  }
  if (meant == nullptr) return what;
  if (!is_named(written, meant->name))
    return fmt::format("{}; did you mean {}?", what, meant->name);
  if (meant->section != section) {
    return fmt::format("{0}, but of {1}; is a line {1} missing above?", what,
                       name_of(meant->section));
  }
  return fmt::format("{} in wg's files, but in wg-quick's", what);
}

class Reader {
 public:
  /// `errors` are those of lines that say nothing.
  Reader(const ConfDocument& document, ConfDialect dialect, ConfErrors errors)
      : document_(document), dialect_(dialect), errors_(std::move(errors)) {}

  std::expected<Configuration, ConfErrors> read(std::size_t first, std::size_t end) {
    for (std::size_t i = first; i < end; ++i) read_section(i);
    if (errors_.empty()) return std::move(configuration_);
    std::ranges::stable_sort(errors_, {}, &ConfError::line);
    return std::unexpected(std::move(errors_));
  }

 private:
  void read_section(std::size_t index) {
    const ConfSection& section = document_.sections()[index];
    Target target{configuration_};
    if (section.kind == Kind::peer) configuration_.peers.emplace_back().section = index;
    for (const ConfEntry& entry : section.entries) read_entry(target, section.kind, entry);
    if (section.kind == Kind::peer && !target.has_public_key) {
      const std::string_view header = trimmed(document_.line(section.header_line));
      errors_.push_back(document_.error_at(section.header_line, header.substr(0, header.find('#')),
                                           "this peer has no PublicKey"));
    }
  }

  void read_entry(Target& target, Kind section, const ConfEntry& entry) {
    const Key* key = find_key(entry.key);
    if (key == nullptr || key->section != section || key->dialect > dialect_) {
      return refuse_key(section, entry);
    }
    if (key->shape != Shape::command && refuse_foreign_comment(entry)) return;
    if (key->shape == Shape::words) return read_words(target, *key, entry);
    if (key->shape != Shape::list) return read_value(target, *key, entry, entry.value);
    if (entry.value.empty()) return read_value(target, *key, entry, entry.value);
    std::string_view left = entry.value;
    while (true) {
      const std::size_t comma = left.find(',');
      read_value(target, *key, entry, trimmed(left.substr(0, comma)));
      if (comma == left.npos) return;
      left.remove_prefix(comma + 1);
    }
  }

  // No value has a semicolon, or two slashes behind a space: somebody means a comment, or a list.
  bool refuse_foreign_comment(const ConfEntry& entry) {
    const std::size_t semicolon = entry.value.find(';');
    const std::size_t slashes = entry.value.find(" //");
    if (semicolon == entry.value.npos && slashes == entry.value.npos) return false;
    const bool is_semicolon = semicolon < slashes;
    const std::string_view part =
        is_semicolon ? entry.value.substr(semicolon, 1) : entry.value.substr(slashes + 1, 2);
    errors_.push_back(document_.error_at(
        entry.line, part,
        fmt::format("{}: `{}' begins no comment here, and separates nothing: `#' does the one, `,' "
                    "the other",
                    find_key(entry.key)->name, part)));
    return true;
  }

  void read_words(Target& target, const Key& key, const ConfEntry& entry) {
    const auto parts = [](char c) { return c == ',' || is_conf_space(c); };
    std::string_view left = entry.value;
    while (!left.empty()) {
      const auto end = static_cast<std::size_t>(std::ranges::find_if(left, parts) - left.begin());
      if (end > 0) read_value(target, key, entry, left.substr(0, end));
      left.remove_prefix(std::min(end + 1, left.size()));
    }
  }

  void refuse_key(Kind section, const ConfEntry& entry) {
    if (auto foreign = foreign_key(entry.key, section)) {
      if (!programs_told_.insert(foreign->program).second) return;
      errors_.push_back(document_.error_at(entry.line, entry.key, std::move(foreign->what)));
      return;
    }
    const Key* meant = find_meant(entry.key, section, dialect_);
    ConfError error =
        document_.error_at(entry.line, entry.key, why_no_key(entry.key, section, meant));
    if (meant == nullptr || meant->is_secret) hide_value(error, entry);
    errors_.push_back(std::move(error));
  }

  void read_value(Target& target, const Key& key, const ConfEntry& entry, std::string_view text) {
    bool is_good = false;
    if (key.shape == Shape::command || std::ranges::none_of(text, is_conf_space)) {
      is_good = key.take(target, text);
    } else {
      is_good = key.take(target, squeezed(text).view());
    }
    if (!is_good) {
      std::string why = std::exchange(target.mistake, {});
      if (why.empty()) why = fmt::format("expected {}", key.expected);
      ConfError error =
          document_.error_at(entry.line, text, fmt::format("{}: {}", key.name, without_keys(why)));
      if (key.is_secret) hide_value(error, entry);
      errors_.push_back(std::move(error));
    } else if (!target.warning.empty()) {
      configuration_.warnings.push_back(document_.error_at(
          entry.line, text, fmt::format("{}: {}", key.name, std::exchange(target.warning, {}))));
    }
  }

  // Half a key has no run of characters that gives it away.
  void hide_value(ConfError& error, const ConfEntry& entry) const {
    const std::string_view line = document_.line(entry.line);
    error.shown = without_keys(line, static_cast<std::size_t>(entry.value.data() - line.data()));
  }

  const ConfDocument& document_;
  ConfDialect dialect_;
  ConfErrors errors_;
  Configuration configuration_;
  std::set<std::string_view> programs_told_;
};

}  // namespace

std::expected<Configuration, ConfErrors> read_configuration(const ConfDocument& document,
                                                            ConfDialect dialect) {
  return Reader(document, dialect, document.errors()).read(0, document.sections().size());
}

std::expected<PeerConf, ConfErrors> read_peer_section(const ConfDocument& document,
                                                      std::size_t section, std::size_t end_line) {
  // Errors stand in the order of their lines, which count from 1.
  const std::size_t header_line = document.sections()[section].header_line;
  const auto first =
      std::ranges::lower_bound(document.errors(), header_line + 1, {}, &ConfError::line);
  const auto end = std::ranges::lower_bound(document.errors(), end_line + 1, {}, &ConfError::line);
  auto read = Reader(document, ConfDialect::wg, {first, end}).read(section, section + 1);
  if (!read) return std::unexpected(std::move(read.error()));
  return std::move(read->peers.front());
}

}  // namespace ferrule::control
