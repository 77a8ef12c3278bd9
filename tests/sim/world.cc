#include "sim/world.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "crypto/x25519.h"
#include "packet/ip.h"
#include "sim/packets.h"
#include "sim/transitions.h"

namespace ferrule::sim {

namespace {

constexpr std::size_t kLargestMesh = 5;    // with more hosts, one is the hub
constexpr std::size_t kReceiveBatch = 16;  // datagrams that a lane finds at once
constexpr std::uint64_t kMostStepsAtOnce = 100'000;
constexpr Duration kLongestRound = 20min;
constexpr Duration kLongestDelay = 13s;
constexpr unsigned kSilentRestartPercent = 40;  // of rounds
constexpr unsigned kLongPathPercent = 40;       // of healed worlds
constexpr Duration kLongestPath = 2s;           // one way: a handshake still ends before its retry
constexpr std::array kGaps{20ms, 200ms, 1000ms, 3000ms, 10'000ms, 60'000ms};

}  // namespace

World::World(const WorldOptions& options)
    : options_(options),
      dice_(options.seed, options.script),
      network_(dice_),
      attacker_(dice_.roll()),
      checkers_(make_checkers()) {
  auto liveness = std::make_unique<Liveness>(*this);
  liveness_ = liveness.get();
  checkers_.push_back(std::move(liveness));
  network_.tap = [this](const Datagram& datagram) {
    for (const std::uint8_t byte : datagram.bytes) digest_ = (digest_ ^ byte) * 0x100000001B3u;
    digest_ ^= static_cast<std::uint64_t>(now_.ns());
    attacker_.hears(datagram);
    siege_.hears(datagram);
  };
  make_hosts(options.hosts);
  make_links();
  for (const auto& host : hosts_) {
    reconcile(host->id);
    host->up();
  }
}

void World::make_hosts(std::size_t count) {
  for (std::size_t i = 0; i < count / 3 + 1; ++i) {
    network_.add_nat({static_cast<NatKind>(dice_.below(3)), static_cast<NatKind>(dice_.below(3)),
                      dice_.span(20s, 300s)});
  }
  has_gateway_ = dice_.chance(50);
  for (HostId id = 0; id < count; ++id) {
    const bool behind_nat = id != 0 && dice_.chance(35);
    network_.place(
        id, network_.make_site(behind_nat ? std::optional(dice_.below(network_.nats().size()))
                                          : std::nullopt));
    hosts_.push_back(std::make_unique<Host>(*this, id, dice_.roll()));
    protocol::DeviceChange change;
    change.private_key = crypto::generate_private_key(hosts_.back()->rng);
    hosts_.back()->apply(std::move(change));
  }
}

void World::make_links() {
  for (HostId b = 1; b < hosts_.size(); ++b) {
    for (HostId a = 0; a < b; ++a) {
      const bool wanted =
          hosts_.size() <= kLargestMesh || a == 0 || dice_.below(hosts_.size()) == 0;
      if (wanted) links_.push_back({a, b, {}});
    }
  }
}

IpAddress World::inner_address(HostId host, Family family, std::uint8_t n) {
  const auto high = static_cast<std::uint8_t>(host >> 8);
  const auto low = static_cast<std::uint8_t>(host);
  if (family == Family::v4) return IpAddress::v4(std::array<std::uint8_t, 4>{10, high, low, n});
  std::array<std::uint8_t, 16> bytes{0xfd};
  bytes[12] = high;
  bytes[13] = low;
  bytes[15] = n;
  return IpAddress::v6(bytes);
}

std::vector<Cidr> World::networks_of(HostId host) const {
  std::vector<Cidr> networks{Cidr(inner_address(host, Family::v4, 0), 24),
                             Cidr(inner_address(host, Family::v6, 0), 112)};
  if (host == 0 && has_gateway_) {
    networks.push_back(*Cidr::parse("0.0.0.0/0"));
    networks.push_back(*Cidr::parse("::/0"));
  }
  return networks;
}

void World::reconcile(HostId id) {
  Host& host = *hosts_[id];
  protocol::DeviceChange change;
  std::vector<PublicKey> wanted;
  for (const Link& link : links_) {
    if (!link.joins(id)) continue;
    const HostId other = link.other(id);
    const PublicKey& key = hosts_[other]->public_key();
    wanted.push_back(key);
    protocol::PeerChange peer;
    peer.public_key = key;
    const ConfigurationModel::Peer* known = host.model.peer(key);
    if (known == nullptr && !network_.site(other).nat) {
      const Site& site = network_.site(other);
      const bool v6 = !network_.site(id).nat && dice_.chance(50);
      peer.endpoint = v6 ? site.v6 : site.v4;
    }
    const bool new_psk = known == nullptr || known->psk != link.psk;
    if (new_psk) peer.preshared_key = PresharedKey(Secret<kKeySize>(link.psk));
    std::vector<Cidr> has = host.model.prefixes_of(key);
    std::vector<Cidr> should_have = networks_of(other);
    std::ranges::sort(has);
    std::ranges::sort(should_have);
    if (has != should_have) {
      peer.replace_allowed_ips = true;
      for (const Cidr& cidr : should_have) peer.allowed_ips.push_back({cidr, false});
    }
    if (known == nullptr || new_psk || !peer.allowed_ips.empty()) {
      change.peers.push_back(std::move(peer));
    }
  }
  const auto watched = monitor_.peers_of(id);
  wanted.insert(wanted.end(), watched.begin(), watched.end());
  for (const auto& [key, peer] : host.model.peers()) {
    if (std::ranges::find(wanted, key) != wanted.end()) continue;
    change.peers.emplace_back().public_key = key;
    change.peers.back().remove = true;
  }
  if (!change.peers.empty()) host.apply(std::move(change));
}

void World::resolve_endpoint(HostId id, HostId other) {
  const Site& site = network_.site(other);
  if (site.nat) return;
  protocol::DeviceChange change;
  protocol::PeerChange& peer = change.peers.emplace_back();
  peer.public_key = hosts_[other]->public_key();
  peer.update_only = true;
  peer.endpoint = network_.site(id).nat || dice_.chance(50) ? site.v4 : site.v6;
  hosts_[id]->apply(std::move(change));
}

PacketRecord World::record_of(HostId from, const IpAddress& source, const IpAddress& destination,
                              Bytes packet) const {
  PacketRecord record;
  record.sender = from;
  record.source = source;
  record.digest = digest_of(packet);
  record.routed_to = hosts_[from]->model.owner(destination);
  record.sent_at = now_;
  return record;
}

std::uint64_t World::send_packet(HostId from, const IpAddress& source, const IpAddress& destination,
                                 std::size_t size, std::uint8_t traffic_class) {
  const std::uint64_t number = ledger_.next_number();
  const Packet packet = make_packet({number, source, destination, size, traffic_class});
  ledger_.add(record_of(from, source, destination, packet));
  hosts_[from]->send({&packet, 1});
  return number;
}

void World::send_batch(HostId from, const IpAddress& source, const IpAddress& destination,
                       std::size_t size, std::size_t count) {
  std::vector<Packet> batch;
  for (std::size_t i = 0; i < count; ++i) {
    batch.push_back(make_packet({ledger_.next_number(), source, destination, size, 0}));
    ledger_.add(record_of(from, source, destination, batch.back()));
  }
  hosts_[from]->send(batch);
}

void World::later(Duration delay, std::function<void()> action) {
  actions_.emplace(std::pair(now_ + delay, action_sequence_++), std::move(action));
}

// --- time ---

void World::take_step(Instant until) {
  Instant next = std::min(until, network_.next_arrival());
  if (!actions_.empty()) next = std::min(next, actions_.begin()->first.first);
  for (const auto& host : hosts_) next = std::min(next, host->next_wake());
  now_ = std::max(now_, next);
  ++step_;
  steps_at_once_ = last_moved_ == now_ ? steps_at_once_ + 1 : 0;
  last_moved_ = now_;
  if (steps_at_once_ > kMostStepsAtOnce) throw Violation("the clock stands still: something spins");
  if (network_.next_arrival() <= now_) {
    deliver_arrivals();
  } else if (!actions_.empty() && actions_.begin()->first.first <= now_) {
    const auto action = actions_.extract(actions_.begin());
    action.mapped()();
  } else {
    wake_hosts();
  }
  for (const auto& checker : checkers_) checker->stepped(*this);
  if (objection_) throw Violation(*objection_);
}

void World::deliver_arrivals() {
  HostId id = kNobody;
  const std::vector<Datagram> batch = network_.arrivals(now_, kReceiveBatch, id);
  if (id == kNobody) return;
  for (const Datagram& datagram : batch) {
    trace([&] {
      return "host " + std::to_string(id) + " gets type " + std::to_string(datagram.type()) +
             " of " + std::to_string(datagram.bytes.size()) + " bytes from " +
             datagram.from.to_string() + (datagram.genuine() ? "" : ", not genuine");
    });
  }
  hosts_[id]->receive(batch);
}

void World::wake_hosts() {
  for (const auto& host : hosts_) {
    if (host->next_wake() <= now_) host->wake();
  }
}

void World::run_for(Duration span) {
  const Instant end = now_ + span;
  while (now_ < end) take_step(end);
}

// --- rounds ---

void World::run() {
  const Instant end = now_ + options_.length;
  while (now_ < end) round();
}

void World::round() {
  const Instant end = now_ + kLongestRound;
  Mood mood(dice_);
  const Duration gap = dice_.pick(kGaps);
  for (std::uint64_t left = dice_.between(5, 200); left > 0 && now_ < end; --left) {
    run_for(dice_.span(0ms, 2 * gap));
    const Transition transition = choose_transition(*this, mood);
    trace([&] { return describe(transition); });
    apply_transition(transition, *this);
  }
  heal();
  siege_.begin();
  liveness_->prove();
  if (dice_.chance(50)) liveness_->lose_nothing(dice_.span(10s, 400s));
  if (dice_.chance(kSilentRestartPercent)) {
    trace([] { return "one host restarts, and the others do not know"; });
    Host& restarted = *dice_.pick(hosts_);
    const bool keeps = dice_.chance(50);
    if (keeps) restarted.keep_state();
    restarted.restart(keeps ? Host::State::last : Host::State::none);
    siege_.begin();
    liveness_->prove();
  }
  siege_.end();
  monitor_.end();
  if (dice_.chance(10)) rest();
}

void World::heal() {
  trace([] { return "all faults end"; });
  network_.faults = {};
  if (dice_.chance(kLongPathPercent)) {
    network_.faults.shortest_delay = network_.faults.longest_delay = dice_.span(5ms, kLongestPath);
  }
  network_.holds_back = nullptr;
  actions_.clear();
  for (const auto& host : hosts_) {
    network_.set_zone(host->id, 0);
    host->asleep_until = now_;
    host->rng.fails = false;
    host->send_fails_percent = host->source_refused_percent = host->tun_fails_percent = 0;
    host->device->set_mtu(1420);
  }
  // What is late would be one more fault.
  if (dice_.chance(50)) run_for(kLongestDelay);
  network_.lose_what_is_under_way();
  for (const auto& host : hosts_) {
    reconcile(host->id);
    if (!host->device->is_up()) host->up();
  }
  monitor_.go_on();
}

void World::rest() {
  trace([] { return "nobody sends anything for a long time"; });
  run_for(dice_.span(700s, 1500s));
  for (const auto& checker : checkers_) checker->rested(*this);
}

// --- words ---

std::string World::clock() const {
  char text[32];
  std::snprintf(text, sizeof text, "%.6f", static_cast<double>(now_.ns()) / 1e9 - 1000.0);
  return text;
}

void World::trace(const std::function<std::string()>& text) {
  if (step_ < options_.first_traced_step) return;
  std::printf("step %llu, %s s: %s\n", static_cast<unsigned long long>(step_), clock().c_str(),
              text().c_str());
}

}  // namespace ferrule::sim
