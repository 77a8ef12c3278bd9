#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "cli/peer/peer_commands.h"
#include "cli/peer/qr.h"
#include "cli/terminal/style.h"
#include "cli/terminal/today.h"
#include "control/address_pool.h"
#include "control/conf_check.h"
#include "control/value_mistakes.h"
#include "control/values.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "files/key_lines.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kKeepalive = "25";  // outlives the usual NAT mapping of 30 s

// Everything that makes up a new peer.
struct NewPeer {
  PrivateKey private_key;
  PresharedKey preshared_key;  // zero: none
  std::vector<IpAddress> addresses;
  std::optional<control::Date> expires;
  // what its owner must know of this machine
  PublicKey server_key;
  std::string endpoint;
  std::string allowed_ips;
  std::string dns;
};

bool refuse(Console& console, std::string_view why) {
  console.err.print("{}\n", why);
  return false;
}

// A list as it stands in a file; anything that would end its line is not in it.
bool is_one_line(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '#'; });
}

bool choose_name(Console& console, const PeerFile& file, const PeerOptions& options) {
  if (!control::is_peer_name(options.name)) {
    return refuse(console, "A name has 1 to 64 characters, and no '#' and no quotes.");
  }
  if (control::find_peer(file.peers(), options.name) == nullptr) return true;
  return refuse(console,
                fmt::format("{}: there is a peer `{}' already", file.path(), options.name));
}

bool choose_addresses(Console& console, const PeerFile& file, NewPeer& peer) {
  std::vector<Cidr> taken;
  for (const control::InterfaceAddress& own : file.configuration().interface.addresses) {
    taken.emplace_back(own.address, own.address.bits());
  }
  for (const control::NamedPeer& other : file.peers()) {
    for (const auto& change : other.conf.allowed_ips) taken.push_back(change.cidr);
  }
  if (file.device()) {
    for (const protocol::PeerStatus& other : file.device()->peers) {
      taken.insert(taken.end(), other.allowed_ips.begin(), other.allowed_ips.end());
    }
  }
  for (const control::InterfaceAddress& own : file.configuration().interface.addresses) {
    const auto same_family = [&](const IpAddress& address) {
      return address.family() == own.address.family();
    };
    if (own.prefix_length == own.address.bits() || own.address.is_link_local()) continue;
    if (std::ranges::any_of(peer.addresses, same_family)) continue;
    const auto address = control::next_free_address(own, taken);
    if (!address) {
      const Cidr network(own.address, own.prefix_length);
      return refuse(console,
                    fmt::format("{}: {} has no free address", file.path(), network.to_string()));
    }
    peer.addresses.push_back(*address);
  }
  if (!peer.addresses.empty()) return true;
  return refuse(console,
                fmt::format("{}: [Interface] has no network to take an address from: a line "
                            "like `Address = 10.0.0.1/24'",
                            file.path()));
}

bool choose_endpoint(Console& console, PeerFile& file, const PeerOptions& options, NewPeer& peer) {
  std::string text = options.endpoint;
  if (text.empty()) text = control::interface_note(file.document(), "Endpoint").value_or("");
  if (text.empty()) {
    return refuse(console,
                  fmt::format("Where will {} find this machine? Say --endpoint HOST[:PORT], "
                              "or once for all in [Interface]: `# Endpoint = HOST:PORT'",
                              options.name));
  }
  std::uint16_t port = file.configuration().interface.listen_port.value_or(0);
  if (port == 0 && file.device()) port = file.device()->listen_port;
  const auto endpoint = control::complete_endpoint(text, port);
  if (!endpoint) return refuse(console, fmt::format("--endpoint: {}", endpoint.error()));
  if (!is_one_line(text)) return refuse(console, "--endpoint: expected HOST[:PORT] in one line");
  peer.endpoint = *endpoint;
  return true;
}

bool choose_keys(Console& console, const PeerFile& file, const PeerOptions& options,
                 NewPeer& peer) {
  if (const auto& own = file.configuration().interface.private_key) {
    peer.server_key = crypto::public_key_of(*own);
  } else if (file.device() && file.device()->public_key) {
    peer.server_key = *file.device()->public_key;
  } else {
    return refuse(console, fmt::format("{}: [Interface] has no PrivateKey", file.path()));
  }
  crypto::SystemRng rng;
  const bool is_random = rng.fill(peer.private_key.mut_bytes()) &&
                         (!options.has_psk || rng.fill(peer.preshared_key.mut_bytes()));
  if (!is_random) return refuse(console, system_error(errno, "getrandom").what);
  crypto::clamp(peer.private_key);
  return true;
}

bool choose_rest(Console& console, PeerFile& file, const PeerOptions& options, NewPeer& peer) {
  peer.dns = options.dns;
  if (peer.dns.empty())
    peer.dns = control::interface_note(file.document(), "ClientDNS").value_or("");
  peer.allowed_ips = options.allowed_ips;
  if (peer.allowed_ips.empty()) {
    for (const control::InterfaceAddress& own : file.configuration().interface.addresses) {
      if (!peer.allowed_ips.empty()) peer.allowed_ips += ", ";
      peer.allowed_ips += Cidr(own.address, own.prefix_length).to_string();
    }
  }
  if (!is_one_line(peer.dns)) return refuse(console, "--dns: expected addresses and domains");
  if (!options.expires.empty()) {
    peer.expires = control::parse_expiry(options.expires, today(console));
    if (!peer.expires || *peer.expires <= today(console)) {
      return refuse(console,
                    fmt::format("--expires: expected a date to come, like 2027-01-31, or a "
                                "time like 30d, 4w or 1y, not `{}'",
                                options.expires));
    }
  }
  return true;
}

// The peer's section in the file of this machine.
control::WipedText section_of(const NewPeer& peer, std::string_view name) {
  control::WipedText text("[Peer]\n");
  files::append_line(text, "# Name", name);
  if (peer.expires) files::append_line(text, "# Expires", control::date_text(*peer.expires));
  files::append_line(text, "PublicKey", to_base64(crypto::public_key_of(peer.private_key)));
  if (!peer.preshared_key.is_zero()) {
    files::append_key_line(text, "PresharedKey", peer.preshared_key.bytes());
  }
  std::string list;
  for (const IpAddress& address : peer.addresses) {
    list +=
        fmt::format("{}{}", list.empty() ? "" : ", ", Cidr(address, address.bits()).to_string());
  }
  files::append_line(text, "AllowedIPs", list);
  return text;
}

// The whole file for the peer's own machine.
control::WipedText client_conf_of(const NewPeer& peer, std::string_view name) {
  control::WipedText text("[Interface]\n");
  files::append_line(text, "# Name", name);
  files::append_key_line(text, "PrivateKey", peer.private_key.bytes());
  std::string list;
  for (const IpAddress& address : peer.addresses) {
    list +=
        fmt::format("{}{}", list.empty() ? "" : ", ", Cidr(address, address.bits()).to_string());
  }
  files::append_line(text, "Address", list);
  files::append_line(text, "DNS", peer.dns);
  text.append("\n[Peer]\n");
  files::append_line(text, "PublicKey", to_base64(peer.server_key));
  if (!peer.preshared_key.is_zero()) {
    files::append_key_line(text, "PresharedKey", peer.preshared_key.bytes());
  }
  files::append_line(text, "AllowedIPs", peer.allowed_ips);
  files::append_line(text, "Endpoint", peer.endpoint);
  files::append_line(text, "PersistentKeepalive", kKeepalive);
  return text;
}

bool is_good_conf(Console& console, const control::WipedText& text) {
  const control::ConfDocument document("the peer's file", text.view());
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) return refuse(console, configuration.error().front().to_string());
  for (const control::ConfFinding& finding :
       control::check_configuration(document, *configuration, {})) {
    if (finding.severity == control::Severity::error) {
      return refuse(console, finding.where.to_string());
    }
  }
  return true;
}

protocol::DeviceChange change_of(const NewPeer& peer) {
  protocol::DeviceChange change;
  protocol::PeerChange& added = change.peers.emplace_back();
  added.public_key = crypto::public_key_of(peer.private_key);
  added.replace_allowed_ips = true;
  if (!peer.preshared_key.is_zero()) {
    added.preshared_key = PresharedKey(peer.preshared_key.clone());
  }
  for (const IpAddress& address : peer.addresses) {
    added.allowed_ips.push_back({Cidr(address, address.bits()), false});
  }
  return change;
}

// Files for the peer's owner, gone again unless kept.
class Handouts {
 public:
  explicit Handouts(Console& console) noexcept : console_(console) {}
  Handouts(const Handouts&) = delete;
  Handouts& operator=(const Handouts&) = delete;
  ~Handouts() {
    for (const std::string& path : paths_) unlink(path.c_str());
  }
  void keep() noexcept { paths_.clear(); }

  bool write_conf(const std::string& path, const control::WipedText& text) {
    return written(path, files::write_new_file(path, text.view()));
  }
  bool write_picture(const std::string& path, const QrCode& code) {
    return written(path, write_png(code, path));
  }

 private:
  bool written(const std::string& path, const Result<void>& outcome) {
    if (!outcome) return refuse(console_, outcome.error().what);
    paths_.push_back(path);
    return true;
  }
  Console& console_;
  std::vector<std::string> paths_;
};

bool hand_out(Console& console, Handouts& handouts, const PeerOptions& options,
              const control::WipedText& text, std::optional<QrCode>& code) {
  if (options.shows_qr || !options.png_path.empty()) {
    auto made = QrCode::of(text.view());
    if (!made) return refuse(console, made.error().what);
    code.emplace(std::move(*made));
  }
  if (!options.out_path.empty() && !handouts.write_conf(options.out_path, text)) return false;
  return options.png_path.empty() || handouts.write_picture(options.png_path, *code);
}

}  // namespace

int add_peer(Console& console, PeerFile& file, const PeerOptions& options) {
  NewPeer peer;
  const bool is_ready =
      choose_name(console, file, options) && choose_endpoint(console, file, options, peer) &&
      choose_addresses(console, file, peer) && choose_rest(console, file, options, peer) &&
      choose_keys(console, file, options, peer);
  if (!is_ready) return 1;
  const control::WipedText conf = client_conf_of(peer, options.name);
  if (!is_good_conf(console, conf)) return 1;
  control::append_peer(file.document(), section_of(peer, options.name).view());

  Handouts handouts(console);
  std::optional<QrCode> code;
  if (!hand_out(console, handouts, options, conf, code)) return 1;
  if (!file.apply(console, change_of(peer))) return 1;
  handouts.keep();
  if (options.out_path.empty() && options.png_path.empty()) console.out.write(conf.view());
  if (options.shows_qr) print_qr(console.out, *code, wants_color(console.out.fd()));
  if (console.out.flush() != 0) {
    console.err.print(
        "{0} was added, but its configuration, with the only copy of its key, went nowhere.\n"
        "Take it back with `ferrule peer remove {1} {0}'.\n",
        options.name, options.interface);
    return 1;
  }
  if (file.configuration().interface.save_config) {
    console.err.print(
        "Warning: {} has SaveConfig: names and dates are lost when wg-quick saves it\n",
        file.path());
  }
  return 0;
}

}  // namespace ferrule::cli
