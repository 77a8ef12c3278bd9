#include "proxy/wireproxy_file.h"

#include <algorithm>
#include <array>
#include <utility>

#include "base/secret.h"
#include "control/conf_document.h"
#include "control/values.h"

namespace ferrule::proxy {

namespace {

using control::is_named;
using control::trimmed;

enum class Section {
  none,
  interface,
  peer,
  socks,
  http,
  client_tunnel,
  server_tunnel,
  stdio,
  udp,
  resolve,
  unknown
};

struct SectionName {
  std::string_view name;
  Section section;
};

constexpr std::array kSections{SectionName{"Interface", Section::interface},
                               SectionName{"Peer", Section::peer},
                               SectionName{"Socks5", Section::socks},
                               SectionName{"http", Section::http},
                               SectionName{"TCPClientTunnel", Section::client_tunnel},
                               SectionName{"TCPServerTunnel", Section::server_tunnel},
                               SectionName{"STDIOTunnel", Section::stdio},
                               SectionName{"UDPProxyTunnel", Section::udp},
                               SectionName{"Resolve", Section::resolve}};

// Of wireproxy alone, in [Interface]: what is asked for there /readyz tells anyhow.
constexpr std::array<std::string_view, 2> kOwnInterfaceKeys{"CheckAlive", "CheckAliveInterval"};

Section section_of(std::string_view line) {
  const std::string_view name = trimmed(line.substr(1, line.find(']') - 1));
  for (const SectionName& known : kSections) {
    if (is_named(name, known.name)) return known.section;
  }
  return Section::unknown;
}

bool is_comment(std::string_view line) noexcept {
  return line.empty() || line[0] == '#' || line[0] == ';';
}

// Also a comment behind a value begins with '#' or ';' and has white space before it.
std::string_view without_comment(std::string_view value) noexcept {
  for (std::size_t i = 1; i < value.size(); ++i) {
    const bool is_sign = value[i] == '#' || value[i] == ';';
    if (is_sign && control::is_conf_space(value[i - 1])) return trimmed(value.substr(0, i));
  }
  return value;
}

// A value in quotes is what stands between them, signs of comments too.
std::string_view plain(std::string_view value) noexcept {
  if (value.size() > 1 && (value[0] == '"' || value[0] == '`')) {
    const std::size_t end = value.find(value[0], 1);
    if (end != value.npos) return value.substr(1, end - 1);
  }
  return without_comment(value);
}

std::string_view next_line(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

class Reader {
 public:
  Reader(const std::string& name, const Variables& variables)
      : name_(name), variables_(variables) {}

  void read(std::string_view text);
  [[nodiscard]] std::expected<WireproxyFile, control::ConfErrors> finish();

 private:
  void read_line(std::string_view line);
  void read_entry(std::string_view key, std::string_view value);
  [[nodiscard]] bool read_offer(std::string_view key, std::string_view value);
  [[nodiscard]] bool read_tunnel(std::string_view key, std::string_view value);
  [[nodiscard]] bool read_strategy(std::string_view key, std::string_view value);
  void begin(Section section);
  void end_section();
  void refuse(std::string message);
  [[nodiscard]] std::string_view with_variable(std::string_view value);
  [[nodiscard]] bool keep_target(std::string_view value);

  const std::string& name_;
  const Variables& variables_;
  WireproxyFile file_;
  control::ConfErrors errors_;
  Section section_ = Section::none;
  std::size_t line_ = 0;
  std::size_t section_line_ = 0;
  std::string expanded_;
  std::optional<ListenAt> bind_;
  std::optional<Target> target_;
  ProxyUser user_;
};

void Reader::refuse(std::string message) {
  errors_.push_back({name_, line_, 1, 0, std::move(message), ""});
}

std::string_view Reader::with_variable(std::string_view value) {
  if (!value.starts_with('$')) return value;
  if (value.starts_with("$$")) return value.substr(1);  // no variable
  const std::string name(value.substr(1));
  const auto found = variables_(name);
  if (!found) {
    refuse("the environment has no variable " + name);
    return "";
  }
  expanded_ = *found;
  return expanded_;
}

void Reader::begin(Section section) {
  end_section();
  section_ = section;
  section_line_ = line_;
  bind_.reset();
  target_.reset();
  user_ = {};
}

void Reader::end_section() {
  const bool is_offer = section_ == Section::socks || section_ == Section::http;
  const bool is_tunnel = section_ == Section::client_tunnel || section_ == Section::server_tunnel ||
                         section_ == Section::udp;
  std::swap(line_, section_line_);
  if ((is_offer || is_tunnel) && !bind_) {
    refuse(section_ == Section::server_tunnel ? "this section has no ListenPort"
                                              : "this section has no BindAddress");
  } else if ((is_tunnel || section_ == Section::stdio) && !target_) {
    refuse("this section has no Target");
  } else if (is_offer) {
    Offer offer{*bind_, {}};
    if (!user_.name.empty()) offer.users.push_back(user_);
    (section_ == Section::socks ? file_.settings.socks : file_.settings.http).push_back(offer);
  } else if (is_tunnel) {
    auto& forwards =
        section_ == Section::server_tunnel ? file_.settings.remote : file_.settings.local;
    forwards.push_back({*bind_, *target_, section_ == Section::udp});
  } else if (section_ == Section::stdio) {
    file_.settings.stdio = target_;
  }
  std::swap(line_, section_line_);
}

bool Reader::keep_target(std::string_view value) {
  std::string text(value);
  if (text.starts_with("localhost:")) text.replace(0, 9, "127.0.0.1");
  target_ = parse_target(section_ == Section::server_tunnel ? text : value);
  return target_.has_value();
}

bool Reader::read_offer(std::string_view key, std::string_view value) {
  if (is_named(key, "BindAddress")) return (bind_ = parse_listen(value)).has_value();
  if (is_named(key, "Username")) user_.name = value;
  if (is_named(key, "Password")) user_.secret = value;
  if (is_named(key, "CertFile") || is_named(key, "KeyFile")) {
    refuse("TLS to the proxy itself is not offered: leave CertFile and KeyFile out");
  }
  return true;
}

bool Reader::read_tunnel(std::string_view key, std::string_view value) {
  if (is_named(key, "Target")) return keep_target(value);
  if (section_ == Section::server_tunnel && is_named(key, "ListenPort")) {
    const auto port = control::parse_decimal<std::uint16_t>(value);
    if (port) bind_ = ListenAt{Endpoint(*IpAddress::parse("::"), *port)};
    return port.has_value();
  }
  if (section_ != Section::server_tunnel && is_named(key, "BindAddress")) {
    return (bind_ = parse_listen(value)).has_value();
  }
  return true;
}

bool Reader::read_strategy(std::string_view key, std::string_view value) {
  if (!is_named(key, "ResolveStrategy")) return true;
  if (value == "ipv4") file_.settings.prefers_v4 = true;
  if (value == "ipv6") file_.settings.prefers_v4 = false;
  return value == "auto" || value == "ipv4" || value == "ipv6";
}

void Reader::read_entry(std::string_view key, std::string_view value) {
  bool is_good = true;
  switch (section_) {
    case Section::none:
      if (is_named(key, "WGConfig")) file_.conf_path = value;
      break;
    case Section::socks:
    case Section::http:
      is_good = read_offer(key, value);
      break;
    case Section::client_tunnel:
    case Section::server_tunnel:
    case Section::stdio:
    case Section::udp:
      is_good = read_tunnel(key, value);
      break;
    case Section::resolve:
      is_good = read_strategy(key, value);
      break;
    default:
      break;
  }
  if (!is_good) refuse(std::string(key) + ": this can't be read");
}

void Reader::read_line(std::string_view line) {
  ++line_;
  const std::string_view content = trimmed(line);
  const auto keep = [&](std::string_view text) {
    file_.conf.append(text);
    file_.conf.append("\n");
  };
  if (is_comment(content)) return keep("");
  if (content[0] == '[') {
    begin(section_of(content));
    const bool is_wireguards = section_ == Section::interface || section_ == Section::peer;
    return keep(is_wireguards ? content : "");
  }
  const std::size_t equals = content.find('=');
  if (equals == content.npos) {
    refuse("this is neither a section nor a key with a value");
    return keep("");
  }
  const std::string_view key = trimmed(content.substr(0, equals));
  const std::string_view value = with_variable(plain(trimmed(content.substr(equals + 1))));
  if (section_ != Section::interface && section_ != Section::peer) {
    read_entry(key, value);
    return keep("");
  }
  const bool is_own = std::ranges::any_of(kOwnInterfaceKeys,
                                          [&](std::string_view own) { return is_named(key, own); });
  if (section_ == Section::interface && is_own) return keep("");
  file_.conf.append(key);
  file_.conf.append(" = ");
  keep(value);
}

void Reader::read(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  while (!text.empty()) read_line(next_line(text));
  end_section();
}

std::expected<WireproxyFile, control::ConfErrors> Reader::finish() {
  if (!expanded_.empty()) {
    wipe({reinterpret_cast<std::uint8_t*>(expanded_.data()), expanded_.size()});
  }
  if (!errors_.empty()) return std::unexpected(std::move(errors_));
  return std::move(file_);
}

}  // namespace

bool is_wireproxy_file(std::string_view text) {
  while (!text.empty()) {
    const std::string_view line = trimmed(next_line(text));
    if (is_comment(line)) continue;
    if (line[0] != '[') {
      if (is_named(trimmed(line.substr(0, line.find('='))), "WGConfig")) return true;
      continue;
    }
    const Section section = section_of(line);
    if (section != Section::interface && section != Section::peer && section != Section::unknown) {
      return true;
    }
  }
  return false;
}

std::expected<WireproxyFile, control::ConfErrors> read_wireproxy_file(const std::string& name,
                                                                      std::string_view text,
                                                                      const Variables& variables) {
  Reader reader(name, variables);
  reader.read(text);
  return reader.finish();
}

}  // namespace ferrule::proxy
