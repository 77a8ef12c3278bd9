#include "monitor/snapshot.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "protocol/constants.h"

namespace ferrule::monitor {

std::uint64_t DeviceSnapshot::stat(std::string_view counter) const noexcept {
  const auto found = std::ranges::find(stats, counter, &control::Stats::value_type::first);
  return found == stats.end() ? 0 : found->second;
}

std::string_view DeviceSnapshot::name_of(const PublicKey& peer) const noexcept {
  const auto found = names->find(peer);
  return found == names->end() ? std::string_view() : found->second;
}

Snapshot take_snapshot(client::DeviceClient& client, const std::vector<std::string>& names,
                       NameBook& book, const Now& now) {
  Snapshot snapshot{now, {}};
  std::vector<std::string> asked = names;
  if (asked.empty()) {
    auto listed = client.list();
    if (listed) {
      asked = std::move(*listed);
    } else {
      snapshot.list_error = listed.error().code;
    }
  }
  std::ranges::sort(asked);
  const auto [twice, end] = std::ranges::unique(asked);
  asked.erase(twice, end);
  for (std::string& name : asked) {
    auto status = client.get(name);
    if (!status) {
      snapshot.absent.push_back({std::move(name), status.error().code});
      continue;
    }
    status->private_key.reset();
    for (protocol::PeerStatus& peer : status->peers) peer.preshared_key = PresharedKey();
    auto peer_names = book.of(name);
    auto told = client.stats(name);
    DeviceSnapshot& device = snapshot.devices.emplace_back();
    device.name = std::move(name);
    device.status = std::move(*status);
    device.names = std::move(peer_names);
    if (told) device.take(std::move(*told));
  }
  return snapshot;
}

void DeviceSnapshot::take(control::DeviceStats told) {
  stats = std::move(told.counters);
  for (protocol::PeerStatus& peer : status.peers) {
    const auto counts = told.peers.find(peer.public_key);
    if (counts != told.peers.end()) peer.messages = counts->second;
  }
}

bool has_session(const protocol::PeerStatus& peer, const WallTime& now) noexcept {
  constexpr auto kLifetime =
      std::chrono::duration_cast<std::chrono::seconds>(protocol::kRejectAfterTime);
  return peer.last_handshake.seconds != 0 &&
         now.seconds - peer.last_handshake.seconds < kLifetime.count();
}

}  // namespace ferrule::monitor
