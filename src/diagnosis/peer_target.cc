#include "diagnosis/peer_target.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/key_text.h"
#include "control/named_peers.h"
#include "diagnosis/probe.h"
#include "files/conf_file.h"
#include "files/input.h"
#include "io/linux/kernel_query.h"
#include "io/linux/network.h"

namespace ferrule::diagnosis {

namespace {

std::string key_of(const std::string& path, const std::string& name) {
  const auto text = files::read_file(path);
  if (!text) return name;
  const control::PeerList list = control::list_peers(control::ConfDocument(path, text->view()));
  const control::NamedPeer* peer = control::find_peer(list.peers, name);
  return peer == nullptr ? name : to_base64(peer->conf.public_key);
}

void choose_address(const protocol::PeerStatus& status, Family family,
                    const std::vector<io::LinkAddress>& own, PeerTarget& target) {
  for (const Cidr& cidr : status.allowed_ips) {
    if (family != Family::none && cidr.address().family() != family) continue;
    if (cidr.length() == 0) continue;
    const bool is_single = cidr.length() == cidr.address().bits();
    if (!is_single && target.address.family() != Family::none) continue;
    target.address = first_host_of(cidr, own);
    target.is_guess = !is_single;
    if (is_single) return;
  }
}

}  // namespace

std::expected<PeerTarget, std::string> find_target(client::DeviceClient& devices,
                                                   const std::string& interface_or_path,
                                                   const std::string& peer, Family family) {
  const auto conf = files::find_conf(interface_or_path);
  if (!conf) return std::unexpected(conf.error().what);
  PeerTarget target;
  target.interface = conf->interface;
  target.peer = peer;
  const auto device = devices.get(conf->interface);
  if (!device) {
    return std::unexpected(fmt::format("{}: {}", conf->interface, device.error().what));
  }
  const std::string key = key_of(conf->path, peer);
  const auto status = std::ranges::find_if(device->peers, [&](const protocol::PeerStatus& each) {
    return to_base64(each.public_key) == key;
  });
  if (status == device->peers.end()) {
    return std::unexpected(fmt::format("{}: there is no peer `{}'", conf->interface, peer));
  }
  std::vector<io::LinkAddress> own;
  auto kernel = io::KernelQuery::open();
  auto network = io::Network::open();
  if (const auto link = kernel ? kernel->link(conf->interface) : std::unexpected(kernel.error())) {
    target.mtu_bytes = link->mtu;
    if (auto addresses =
            network ? network->addresses(link->index) : std::unexpected(network.error())) {
      own = std::move(*addresses);
    }
  }
  choose_address(*status, family, own, target);
  if (target.address.family() == Family::none) {
    return std::unexpected(fmt::format(
        "{}: no address of `{}' is known here: its allowed IPs have none", conf->interface, peer));
  }
  return target;
}

}  // namespace ferrule::diagnosis
