#include "diagnosis/gather.h"

#include <fmt/format.h>
#include <net/if.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "base/key_text.h"
#include "control/named_peers.h"
#include "diagnosis/echo.h"
#include "diagnosis/machine.h"
#include "diagnosis/probe.h"
#include "diagnosis/udp_port.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "files/lookup.h"
#include "io/linux/kernel_query.h"

namespace ferrule::diagnosis {

namespace {

// Addresses that stand for all others, for the prefixes that hold all: RFC 5737 and RFC 3849 keep them
// from being anybody's.
constexpr std::string_view kAnywhereV4 = "203.0.113.1";
constexpr std::string_view kAnywhereV6 = "2001:db8:ffff::1";
constexpr std::size_t kMaxLookups = 8;  // of names, which may take seconds each

// An address within a prefix that somebody may have.
IpAddress address_in(const Cidr& cidr, const std::vector<io::LinkAddress>& own) {
  if (cidr.length() == 0) {
    return *IpAddress::parse(cidr.address().family() == Family::v4 ? kAnywhereV4 : kAnywhereV6);
  }
  return first_host_of(cidr, own);
}

RouteFacts ask_route(io::KernelQuery& kernel, const Cidr& to, const IpAddress& address,
                     std::uint32_t mark) {
  RouteFacts facts{to, address, {}, {}};
  const auto route = kernel.find_route(address, mark);
  if (!route) {
    facts.problem = route.error().what;
    return facts;
  }
  std::array<char, IF_NAMESIZE> name{};
  if (if_indextoname(route->interface_index, name.data()) != nullptr) facts.interface = name.data();
  return facts;
}

// What the file says of the interface and its peers, where there is one that can be read.
struct FileFacts {
  bool is_there = false;
  bool has_port = false;
  std::vector<IpAddress> dns_servers;
  std::map<PublicKey, control::NamedPeer> peers;
  std::vector<control::NamedPeer> disabled;
};

FileFacts look_into(const std::string& path) {
  FileFacts facts;
  const auto text = files::read_file(path);
  if (!text) return facts;
  facts.is_there = true;
  const control::ConfDocument document(path, text->view());
  for (control::NamedPeer& peer : control::list_peers(document).peers) {
    if (peer.is_enabled) {
      const PublicKey key = peer.conf.public_key;
      facts.peers.insert_or_assign(key, std::move(peer));
    } else {
      facts.disabled.push_back(std::move(peer));
    }
  }
  const auto configuration = control::read_configuration(document, control::ConfDialect::wg_quick);
  if (!configuration) return facts;
  facts.has_port = configuration->interface.listen_port.has_value();
  facts.dns_servers = configuration->interface.dns_servers;
  return facts;
}

bool is_past(const control::NamedPeer& peer, std::int64_t now_s) {
  return peer.expires && std::chrono::sys_seconds(*peer.expires) <=
                             std::chrono::sys_seconds(std::chrono::seconds(now_s));
}

std::string name_of(const control::NamedPeer& peer) {
  return peer.name.empty() ? to_base64(peer.conf.public_key) : peer.name;
}

// A session's handshake can't be of tomorrow: then the clock has been set back, and nothing is known.
std::optional<std::int64_t> age_of(const WallTime& handshake, std::int64_t now_s) {
  if (handshake.seconds == 0) return std::nullopt;
  return std::max<std::int64_t>(0, now_s - handshake.seconds);
}

class Gatherer {
 public:
  Gatherer(client::DeviceClient& devices, io::KernelQuery kernel, const files::ConfPath& conf,
           const Progress& progress)
      : devices_(devices), kernel_(std::move(kernel)), progress_(progress) {
    facts_.interface = conf.interface;
    facts_.path = conf.path;
  }

  std::expected<DoctorFacts, std::string> run(const std::string& only) {
    begin(Step::interface);
    ask_link();
    device_ = devices_.get(facts_.interface);
    if (!device_) {
      const int code = device_.error().code;
      if (facts_.is_there && (code == EACCES || code == EPERM)) {
        return std::unexpected("doctor needs root, to ask the daemon: " + device_.error().what);
      }
      facts_.daemon_problem = device_.error().what;
      end(Step::interface);
      return std::move(facts_);
    }
    take_device();
    if (!keep_only(only)) {
      return std::unexpected(fmt::format("{}: there is no peer `{}'", facts_.interface, only));
    }
    end(Step::interface);
    const bool is_ready = facts_.is_there && facts_.is_up && facts_.has_private_key;
    if (is_ready && !facts_.peers.empty()) look_further(!only.empty());
    return std::move(facts_);
  }

 private:
  void begin(Step step) const {
    if (progress_.begin) progress_.begin(step);
  }
  void end(Step step) const {
    if (progress_.end) progress_.end(step, facts_);
  }

  void ask_link() {
    const auto link = kernel_.link(facts_.interface);
    if (!link) return;
    facts_.is_there = true;
    facts_.is_up = link->up;
    facts_.mtu_bytes = link->mtu;
    const std::string folder = "/sys/class/net/" + facts_.interface;
    std::error_code error;
    if (std::filesystem::exists(folder, error)) {
      facts_.is_tunnel = std::filesystem::exists(folder + "/tun_flags", error);
    }
    auto network = io::Network::open();
    auto addresses = network
                         ? network->addresses(link->index)
                         : Result<std::vector<io::LinkAddress>>(std::unexpected(network.error()));
    if (!addresses) return;
    std::erase_if(*addresses,
                  [](const io::LinkAddress& own) { return own.address.is_link_local(); });
    facts_.addresses = std::move(*addresses);
  }

  void take_device() {
    file_ = look_into(facts_.path);
    facts_.has_file = file_.is_there;
    facts_.has_private_key = device_->private_key && !device_->private_key->is_zero();
    facts_.listen_port = device_->listen_port;
    facts_.fwmark = device_->fwmark;
    if (auto settings = devices_.settings(facts_.interface)) {
      facts_.place = std::move(settings->place);
      facts_.missing = std::move(settings->missing);
    }
    for (const protocol::PeerStatus& status : device_->peers) take_peer(status);
    for (const control::NamedPeer& peer : file_.disabled) {
      facts_.left_out.push_back({name_of(peer), {}});
    }
    for (const auto& [key, peer] : file_.peers) {
      if (!is_past(peer, now_s_)) continue;
      if (std::ranges::find(facts_.peers, key, &PeerFacts::key) == facts_.peers.end()) {
        facts_.left_out.push_back({name_of(peer), control::date_text(*peer.expires)});
      }
    }
    const auto callers = std::ranges::count_if(facts_.peers, &PeerFacts::is_caller);
    const auto others = std::ssize(facts_.peers) - callers;
    facts_.is_server = (callers > 0 && file_.has_port) || (callers > 1 && callers > others);
  }

  void take_peer(const protocol::PeerStatus& status) {
    PeerFacts& peer = facts_.peers.emplace_back();
    peer.key = status.public_key;
    peer.name = to_base64(peer.key);
    peer.endpoint = status.endpoint;
    peer.has_called = status.rx_bytes > 0;
    peer.handshake_age_s = age_of(status.last_handshake, now_s_);
    peer.is_caller = peer.endpoint.is_none();
    const auto found = file_.peers.find(peer.key);
    if (found == file_.peers.end()) return;
    peer.name = name_of(found->second);
    peer.is_caller = !found->second.conf.endpoint;
    peer.is_expired = is_past(found->second, now_s_);
    if (peer.is_caller || IpAddress::parse(found->second.conf.endpoint->host)) return;
    peer.host = found->second.conf.endpoint->host;
    peer.service = found->second.conf.endpoint->service;
  }

  bool keep_only(const std::string& only) {
    if (only.empty()) return true;
    facts_.is_about_one = true;
    const auto is_other = [&](const PeerFacts& peer) {
      return peer.name != only && to_base64(peer.key) != only;
    };
    std::erase_if(facts_.peers, is_other);
    std::erase_if(facts_.left_out, [&](const LeftOutPeer& peer) { return peer.name != only; });
    return !facts_.peers.empty() || !facts_.left_out.empty();
  }

  void look_further(bool is_asked_for) {
    begin(Step::port);
    PortState port = look_at_port(facts_.listen_port, facts_.interface, facts_.place.addresses);
    facts_.is_port_bound = port.is_bound;
    facts_.port_owner = std::move(port.other_owner);
    end(Step::port);
    begin(Step::routes);
    ask_routes();
    end(Step::routes);
    begin(Step::endpoints);
    ask_endpoints();
    end(Step::endpoints);
    begin(Step::filter);
    look_at_filters(facts_);
    end(Step::filter);
    begin(Step::data);
    Prober prober(devices_, facts_, *device_, file_.dns_servers);
    prober.choose(is_asked_for);
    prober.run();
    look_up_names();
    end(Step::data);
    begin(Step::size);
    prober.measure();
    end(Step::size);
    begin(Step::resolvers);
    ask_resolvers();
    end(Step::resolvers);
  }

  void ask_routes() {
    std::map<PublicKey, const protocol::PeerStatus*> statuses;
    for (const protocol::PeerStatus& status : device_->peers) statuses[status.public_key] = &status;
    for (PeerFacts& peer : facts_.peers) {
      for (const Cidr& cidr : statuses.at(peer.key)->allowed_ips) {
        peer.routes.push_back(ask_route(kernel_, cidr, address_in(cidr, facts_.addresses), 0));
        facts_.is_full_tunnel = facts_.is_full_tunnel || cidr.length() <= 1;
      }
    }
  }

  void ask_endpoints() {
    for (PeerFacts& peer : facts_.peers) {
      if (peer.endpoint.is_none()) continue;
      const IpAddress& address = peer.endpoint.address;
      peer.endpoint_route =
          ask_route(kernel_, Cidr(address, address.bits()), address, facts_.fwmark);
    }
  }

  // Only of those that do not answer: it may take its time.
  void look_up_names() {
    std::size_t left = kMaxLookups;
    for (PeerFacts& peer : facts_.peers) {
      const bool is_well = peer.probe && (peer.probe->is_answered || peer.probe->has_session);
      if (is_well || peer.host.empty() || left == 0) continue;
      --left;
      peer.host_addresses = files::look_up(peer.host);
    }
  }

  void ask_resolvers() {
    const auto interface_of = [this](const IpAddress& address) {
      return ask_route(kernel_, Cidr(address, address.bits()), address, 0).interface;
    };
    facts_.resolvers = find_resolvers(interface_of);
    facts_.resolvers->wanted = file_.dns_servers;
  }

  client::DeviceClient& devices_;
  io::KernelQuery kernel_;
  const Progress& progress_;
  const std::int64_t now_s_ = std::time(nullptr);
  Result<control::DeviceStatus> device_ = std::unexpected(Error{});
  FileFacts file_;
  DoctorFacts facts_;
};

}  // namespace

std::expected<DoctorFacts, std::string> gather_facts(client::DeviceClient& devices,
                                                     const std::string& interface_or_path,
                                                     const std::string& only,
                                                     const Progress& progress) {
  const auto conf = files::find_conf(interface_or_path);
  auto kernel = io::KernelQuery::open();
  if (!conf || !kernel) return std::unexpected(conf ? kernel.error().what : conf.error().what);
  if (const auto echo = EchoSocket::open(Family::v4, ""); !echo) {
    const bool is_refused = echo.error().code == EPERM || echo.error().code == EACCES;
    if (is_refused && geteuid() != 0) {
      return std::unexpected(
          "doctor needs root: it asks the daemon, and sends echo requests through the tunnel");
    }
    if (is_refused) return std::unexpected("CAP_NET_RAW is missing: " + echo.error().what);
  }
  return Gatherer(devices, std::move(*kernel), *conf, progress).run(only);
}

}  // namespace ferrule::diagnosis
