#include "monitor/history.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <span>

namespace ferrule::monitor {

namespace {

const Traffic kNothing;

// What a counter gained, which starts from zero when its daemon does.
double gained(std::uint64_t before, std::uint64_t now) {
  return static_cast<double>(now >= before ? now - before : now);
}

// The sum of the last values.
double sum_of(const Series& series, std::size_t count) {
  const std::vector<double>& values = series.values();
  const auto first = values.end() - static_cast<std::ptrdiff_t>(std::min(count, values.size()));
  return std::accumulate(first, values.end(), 0.0);
}

}  // namespace

std::optional<double> Traffic::loss() const {
  const double sent = sum_of(expected, kLossLooks);
  if (sent <= 0) return std::nullopt;
  // What comes late, after the look that it was expected in, makes more than all.
  return std::clamp(1 - sum_of(received, kLossLooks) / sent, 0.0, 1.0);
}

void Series::add(double value) {
  if (values_.size() == kLength) values_.erase(values_.begin());
  values_.push_back(value);
}

double Series::highest_of(std::size_t count) const noexcept {
  double highest = 0;
  for (const double value : std::span(values_).last(std::min(count, values_.size()))) {
    highest = std::max(highest, value);
  }
  return highest;
}

void History::add(const Snapshot& snapshot) {
  const double seconds = std::chrono::duration<double>(snapshot.now.boot - at_).count();
  std::set<std::string_view> there;
  for (const DeviceSnapshot& seen : snapshot.devices) {
    there.insert(seen.name);
    const auto [entry, is_new] = devices_.try_emplace(seen.name);
    // No time has passed for a device that was not there before.
    add_peers(seen, entry->second, is_new ? 0 : seconds);
    add_counters(seen, entry->second, is_new ? 0 : seconds);
  }
  std::erase_if(devices_, [&](const auto& entry) { return !there.contains(entry.first); });
  at_ = snapshot.now.boot;
}

void History::add_peers(const DeviceSnapshot& seen, Device& known, double seconds) {
  double rx = 0;
  double tx = 0;
  std::set<PublicKey> there;
  for (const protocol::PeerStatus& peer : seen.status.peers) {
    there.insert(peer.public_key);
    const auto [entry, is_new] = known.peers.try_emplace(peer.public_key);
    Counted& counted = entry->second;
    if (!is_new && seconds > 0) {
      counted.traffic.rx.add(gained(counted.rx, peer.rx_bytes) / seconds);
      counted.traffic.tx.add(gained(counted.tx, peer.tx_bytes) / seconds);
      rx += counted.traffic.rx.last();
      tx += counted.traffic.tx.last();
      add_messages(peer, counted);
    }
    counted.messages = peer.messages;
    counted.rx = peer.rx_bytes;
    counted.tx = peer.tx_bytes;
  }
  std::erase_if(known.peers, [&](const auto& entry) { return !there.contains(entry.first); });
  if (seconds > 0) {
    known.traffic.rx.add(rx);
    known.traffic.tx.add(tx);
  }
}

void History::add_messages(const protocol::PeerStatus& peer, Counted& counted) {
  if (!peer.messages || !counted.messages) return;
  counted.traffic.received.add(gained(counted.messages->received, peer.messages->received));
  counted.traffic.expected.add(gained(counted.messages->expected, peer.messages->expected));
}

void History::add_counters(const DeviceSnapshot& seen, Device& known, double seconds) {
  for (const auto& [name, value] : seen.stats) {
    const auto [entry, is_new] = known.counters.try_emplace(name, value);
    known.rates[name] = is_new || seconds <= 0 ? 0 : gained(entry->second, value) / seconds;
    entry->second = value;
  }
}

const Traffic& History::peer(const std::string& device, const PublicKey& key) const {
  const auto found = devices_.find(device);
  if (found == devices_.end()) return kNothing;
  const auto peer = found->second.peers.find(key);
  return peer == found->second.peers.end() ? kNothing : peer->second.traffic;
}

const Traffic& History::device(const std::string& device) const {
  const auto found = devices_.find(device);
  return found == devices_.end() ? kNothing : found->second.traffic;
}

double History::rate(const std::string& device, const std::string& counter) const {
  const auto found = devices_.find(device);
  if (found == devices_.end()) return 0;
  const auto rate = found->second.rates.find(counter);
  return rate == found->second.rates.end() ? 0 : rate->second;
}

}  // namespace ferrule::monitor
