// Three devices that know each other's keys, and a network and an operator that do what the fuzzer
// chooses: nothing is delivered that was not sent, nothing twice, no counter is used twice, initiations
// keep their distance, and when the faults are over everyone reaches everyone.
#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "protocol/cookie.h"
#include "protocol/messages.h"
#include "protocol/world_testing.h"
#include "tests/fuzz/choices.h"

namespace ferrule::protocol {
namespace {

using testing::Datagram;
using testing::Host;
using testing::Packet;
using testing::World;

constexpr std::size_t kHosts = 3;
constexpr std::size_t kMostActions = 200;
constexpr std::size_t kMostInFlight = 256;

class Scenario {
 public:
  explicit Scenario(fuzz::Choices& choices) : choices_(choices) {
    for (std::size_t i = 0; i < kHosts; ++i) {
      hosts_[i] = &world_.host("198.51.100." + std::to_string(i + 1) + ":51820");
    }
    world_.passes = [this](const Datagram& datagram) {
      note_sent(datagram);
      if (!is_healed_ && in_flight_.size() < kMostInFlight) in_flight_.push_back(datagram);
      return is_healed_;
    };
    configure_all();
  }

  void run() {
    for (std::size_t i = 0; i < kMostActions && !choices_.empty(); ++i) {
      act();
      check_delivered();
    }
    heal();
    check_all_reached();
  }

 private:
  void act();
  void meddle();
  void operate();
  void send(std::size_t from, std::size_t to);
  void arrive(Datagram datagram);
  void change_peer(std::size_t at, std::size_t peer, PeerChange change);
  void configure_all();
  void heal();
  void note_sent(const Datagram& datagram);
  void forget_initiations(std::size_t from) {
    std::erase_if(initiated_, [&](const auto& entry) { return entry.first.first == from; });
  }
  void note_initiation(std::size_t from, Bytes message);
  void check_delivered();
  void check_all_reached();

  std::size_t choose_host() { return choices_.number(0, kHosts - 1); }
  static std::string inner_address(std::size_t host) {
    return "10.0.0." + std::to_string(host + 1);
  }
  std::size_t host_at(const Endpoint& endpoint) const {
    for (std::size_t i = 0; i < kHosts; ++i) {
      if (hosts_[i]->endpoint == endpoint) return i;
    }
    return kHosts;
  }

  fuzz::Choices& choices_;
  World world_;
  std::array<Host*, kHosts> hosts_{};
  std::vector<Datagram> in_flight_;
  std::vector<Datagram> seen_;  // for replays
  bool is_healed_ = false;
  std::uint64_t next_key_ = 1000;

  // What the checks know.
  std::map<Packet, std::size_t> sent_;  // inner packets that are still to arrive, and where
  std::map<std::size_t, std::size_t> arrived_;
  std::uint32_t next_id_ = 0;
  std::set<std::tuple<std::size_t, std::uint32_t, std::uint64_t>> counters_;
  std::map<std::pair<std::size_t, PublicKey>, Instant> initiated_;
};

void Scenario::act() {
  switch (choices_.byte() % 6) {
    case 0:
      send(choose_host(), choose_host());
      break;
    case 1:
      if (!in_flight_.empty()) {
        const Datagram datagram = in_flight_.front();
        in_flight_.erase(in_flight_.begin());
        arrive(datagram);
      }
      break;
    case 2:
      for (const Datagram& datagram : std::exchange(in_flight_, {})) arrive(datagram);
      break;
    case 3: {
      constexpr std::array<Duration, 8> kSpans{1ms, 333ms, 1s, 5s, 10s, 16s, 120s, 181s};
      world_.run(kSpans[choices_.byte() % kSpans.size()]);
      break;
    }
    case 4:
      meddle();
      break;
    default:
      operate();
  }
}

// What a network may do, or who sits in it.
void Scenario::meddle() {
  const std::vector<Datagram>& from = choices_.flag() ? seen_ : in_flight_;
  if (from.empty()) return;
  Datagram datagram = from[choices_.number(0, from.size() - 1)];
  switch (choices_.byte() % 5) {
    case 0:
      break;  // again
    case 1:
      datagram.bytes[choices_.number(0, datagram.bytes.size() - 1)] ^= choices_.byte();
      break;
    case 2:
      datagram.bytes.resize(choices_.number(0, datagram.bytes.size()));
      break;
    case 3:  // from elsewhere
      datagram.from = {IpAddress::v4(std::array<std::uint8_t, 4>{203, 0, 113, choices_.byte()}), 9};
      break;
    default:
      datagram.to = hosts_[choose_host()]->endpoint;
  }
  arrive(datagram);
}

// What an operator may do, or a machine.
void Scenario::operate() {
  const std::size_t at = choose_host();
  const std::size_t peer = choose_host();
  Host& host = *hosts_[at];
  switch (choices_.byte() % 7) {
    case 0: {
      PeerChange change;
      change.preshared_key.emplace();
      change.preshared_key->mut_bytes()[0] = choices_.byte();
      change_peer(at, peer, std::move(change));
      break;
    }
    case 1: {
      PeerChange change;
      change.remove = true;
      change_peer(at, peer, std::move(change));
      break;
    }
    case 2:
      if (at != peer) host.add_peer(*hosts_[peer], inner_address(peer) + "/32", choices_.flag());
      break;
    case 3:
      forget_initiations(at);  // P101: a new key is used at once
      host.set_key(next_key_++);
      break;
    case 4:
      host.under_load = !host.under_load;
      break;
    case 5:
      forget_initiations(at);  // P59a
      host.down();
      if (choices_.flag()) host.up();
      break;
    default:
      host.rng.fails = !host.rng.fails;
  }
}

void Scenario::send(std::size_t from, std::size_t to) {
  Packet packet = testing::ipv4(inner_address(from), inner_address(to), 8);
  store_be32(&packet[20], next_id_++);
  sent_[packet] = to;
  hosts_[from]->send(packet);
}

void Scenario::arrive(Datagram datagram) {
  const std::size_t to = host_at(datagram.to);
  if (to < kHosts) hosts_[to]->receive(datagram);
}

void Scenario::change_peer(std::size_t at, std::size_t peer, PeerChange change) {
  change.public_key = hosts_[peer]->public_key();
  // A peer that was gone knows nothing of what it sent.
  if (change.remove) initiated_.erase({at, change.public_key});
  DeviceChange device_change;
  device_change.peers.push_back(std::move(change));
  hosts_[at]->apply(std::move(device_change));
}

void Scenario::configure_all() {
  for (std::size_t i = 0; i < kHosts; ++i) {
    DeviceChange change;
    change.replace_peers = true;
    hosts_[i]->apply(std::move(change));
    for (std::size_t j = 0; j < kHosts; ++j) {
      if (j != i) hosts_[i]->add_peer(*hosts_[j], inner_address(j) + "/32");
    }
    hosts_[i]->up();
  }
}

void Scenario::heal() {
  for (Host* host : hosts_) {
    host->rng.fails = false;
    host->under_load = false;
  }
  in_flight_.clear();
  is_healed_ = true;
  world_.run(kRekeyTimeout);
  initiated_.clear();
  configure_all();
}

void Scenario::note_sent(const Datagram& datagram) {
  world_.sent.clear();
  const std::size_t from = host_at(datagram.from);
  if (seen_.size() < kMostInFlight) seen_.push_back(datagram);
  if (datagram.type() == 4) {
    const std::uint32_t index = load_le32(&datagram.bytes[TransportLayout::kReceiver]);
    const std::uint64_t counter = load_le64(&datagram.bytes[TransportLayout::kCounter]);
    FERRULE_CHECK(counters_.insert({from, index, counter}).second);
  } else if (datagram.type() == 1) {
    note_initiation(from, datagram.bytes);
  }
}

void Scenario::note_initiation(std::size_t from, Bytes message) {
  for (const Host* peer : hosts_) {
    const PublicKey key = peer->public_key();
    if (!Mac1Checker(key, 1).check(message)) continue;
    const Instant now = world_.now().boot;
    const auto [last, is_first] = initiated_.try_emplace({from, key}, now);
    FERRULE_CHECK(is_first || now - last->second >= kRekeyTimeout);  // P51
    last->second = now;
  }
}

void Scenario::check_delivered() {
  for (std::size_t i = 0; i < kHosts; ++i) {
    for (const Packet& packet : std::exchange(hosts_[i]->delivered, {})) {
      const auto sent = sent_.find(packet);
      FERRULE_CHECK(sent != sent_.end() && sent->second == i);
      sent_.erase(sent);
      ++arrived_[i];
    }
  }
}

void Scenario::check_all_reached() {
  constexpr int kSeconds = 25;  // P53, and a handshake that was just tried in vain
  for (int i = 0; i < kSeconds; ++i) {
    arrived_.clear();
    for (std::size_t from = 0; from < kHosts; ++from) send(from, (from + 1) % kHosts);
    world_.run(1s);
    check_delivered();
  }
  for (std::size_t i = 0; i < kHosts; ++i) FERRULE_CHECK(arrived_[i] == 1);
}

}  // namespace
}  // namespace ferrule::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ferrule::fuzz::Choices choices(data, size);
  ferrule::protocol::Scenario(choices).run();
  return 0;
}
