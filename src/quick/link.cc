#include "quick/link.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <thread>
#include <utility>

#include "files/not_there.h"
#include "io/linux/kernel_query.h"

namespace ferrule::quick {

namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kEthernetMtu = 1500;
// IPv6 and UDP headers and WireGuard's own, rounded up as wg-quick does.
constexpr std::uint32_t kTunnelOverhead = 80;

constexpr auto kDaemonPatience = 2s;
constexpr auto kDaemonPause = 10ms;

}  // namespace

Result<LinkActions> find_link(io::Network& network, const std::string& name) {
  auto query = io::KernelQuery::open();
  const auto link = query ? query->link(name) : std::unexpected(query.error());
  if (!link) return std::unexpected(link.error());
  return LinkActions(network, name, link->index);
}

Attempt<control::DeviceStatus> get_device(client::DeviceClient& devices, const std::string& name) {
  auto device = devices.get(name);
  if (device) return std::move(*device);
  if (device.error().code != ENODEV) return failed(device.error());
  files::NotThere told = files::no_interface(devices, name);
  return std::unexpected(Failure{std::move(told.what), {}, std::move(told.hints)});
}

void wait_for_end_of_daemon(client::DeviceClient& devices, const std::string& interface) {
  for (auto waited = 0ms; waited < kDaemonPatience; waited += kDaemonPause) {
    const auto device = devices.get(interface);
    if (!device && device.error().code == ENODEV) return;
    std::this_thread::sleep_for(kDaemonPause);
  }
}

Action delete_link_with_daemon(const LinkActions& link, client::DeviceClient& devices) {
  Action action = link.delete_link();
  action.act = [&devices, name = link.name(), act = std::move(action.act)] {
    auto done = act();
    if (done) wait_for_end_of_daemon(devices, name);
    return done;
  };
  return action;
}

std::uint32_t automatic_mtu(io::Network& network, const control::DeviceStatus& device) {
  std::uint32_t mtu = 0;
  for (const protocol::PeerStatus& peer : device.peers) {
    if (peer.endpoint.is_none()) continue;
    const auto path = network.path(peer.endpoint, device.fwmark);
    if (path) mtu = std::max(mtu, path->mtu_bytes);
  }
  if (mtu == 0) {
    const auto path = network.default_path();
    mtu = path ? path->mtu_bytes : kEthernetMtu;
  }
  return mtu > kTunnelOverhead ? mtu - kTunnelOverhead : mtu;
}

}  // namespace ferrule::quick
