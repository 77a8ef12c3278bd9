#include "diagnosis/probe.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <thread>
#include <utility>

#include "diagnosis/machine.h"
#include "protocol/constants.h"
#include "protocol/messages.h"

namespace ferrule::diagnosis {

namespace {

using std::chrono::milliseconds;

constexpr milliseconds kHandshakePatience{6000};  // longer than the time between two tries (P50)
constexpr milliseconds kSessionPatience{17000};   // a dead one is given up after 15 s (P53)
constexpr milliseconds kAnswerPatience{2000};     // after something came back, or when nothing can
constexpr milliseconds kRound{200};
constexpr std::size_t kMaxGuesses = 4;    // addresses that are tried of a peer
constexpr unsigned kOwnNetworkBits = 24;  // of an address that has no network of its own
constexpr auto kSessionAgeS =
    std::chrono::duration_cast<std::chrono::seconds>(protocol::kRejectAfterTime).count();

constexpr std::size_t kKeepaliveSize = protocol::TransportLayout::kOverhead;

using protocol::PeerStatus;

const PeerStatus* find_status(const control::DeviceStatus& device, const PublicKey& key) {
  const auto found = std::ranges::find(device.peers, key, &PeerStatus::public_key);
  return found == device.peers.end() ? nullptr : &*found;
}

bool is_young(const PeerStatus& status) {
  const std::int64_t age_s = std::time(nullptr) - status.last_handshake.seconds;
  return status.last_handshake.seconds != 0 && age_s >= 0 && age_s < kSessionAgeS;
}

// A session sends them by itself, whatever is put into the tunnel: at the most one a second. What is put
// into it makes handshakes, of another size, or far more data.
bool are_keepalives_alone(std::uint64_t bytes, double seconds) {
  const auto most = static_cast<std::uint64_t>(seconds) + 2;
  return bytes % kKeepaliveSize == 0 && bytes / kKeepaliveSize <= most;
}

bool is_everything(const Cidr& cidr) { return cidr.length() <= 1; }  // or half of it

}  // namespace

IpAddress first_host_of(const Cidr& network, const std::vector<io::LinkAddress>& own) {
  if (network.length() == network.address().bits()) return network.address();
  std::array<std::uint8_t, 16> bytes{};
  const Bytes from = network.address().bytes();
  std::ranges::copy(from, bytes.begin());
  const bool is_v4 = from.size() == 4;
  const std::span all(bytes);
  const auto address = [&] { return is_v4 ? IpAddress::v4(all.first<4>()) : IpAddress::v6(all); };
  std::uint8_t& last = bytes[is_v4 ? 3 : 15];
  last |= 1u;
  // At the most so often: a machine that has all of a network's first addresses is no host in it.
  for (int left = 4; left > 0; --left, ++last) {
    if (std::ranges::find(own, address(), &io::LinkAddress::address) == own.end()) break;
  }
  return address();
}

std::uint64_t most_without_data(double seconds) noexcept {
  const auto whole = static_cast<std::uint64_t>(seconds) + 1;
  // Both sides begin a handshake every 5 s, at the most, and send a keepalive every second.
  const std::uint64_t handshakes = whole / 5 + 2;
  return handshakes * (protocol::InitiationLayout::kSize + protocol::ResponseLayout::kSize +
                       protocol::CookieReplyLayout::kSize) +
         (whole + 2) * kKeepaliveSize;
}

Prober::Prober(client::DeviceClient& devices, DoctorFacts& facts,
               const control::DeviceStatus& before, const std::vector<IpAddress>& name_servers)
    : devices_(devices), facts_(facts), before_(before), name_servers_(name_servers) {
  if (auto socket = EchoSocket::open(Family::v4, facts.interface)) v4_ = std::move(*socket);
  if (auto socket = EchoSocket::open(Family::v6, facts.interface)) v6_ = std::move(*socket);
}

void Prober::choose(bool is_asked_for) {
  is_shut_ = is_shut(facts_);
  for (PeerFacts& peer : facts_.peers) {
    if (trials_.size() == kMaxProbedPeers) break;
    const std::string& way = peer.endpoint_route.interface;
    const bool is_hopeless =
        peer.endpoint.is_none() || peer.routes.empty() || way.empty() || way == facts_.interface;
    // Whose calls have come, and never led to a session, is not idle.
    const bool is_idle =
        peer.is_caller &&
        (peer.handshake_age_s ? *peer.handshake_age_s >= kSessionAgeS : !peer.has_called);
    if (is_hopeless) continue;
    if (!is_idle || is_asked_for) {
      begin(peer);
    } else if (peer.handshake_age_s && awaited_.size() < kMaxAwaitedPeers && !is_shut_) {
      awaited_.push_back(&peer);
    }
  }
}

void Prober::begin(PeerFacts& peer) {
  const PeerStatus* status = find_status(before_, peer.key);
  if (status == nullptr) return;
  Trial trial;
  trial.peer = &peer;
  trial.begun_at = Clock::now();
  trial.facts = &peer.probe.emplace();
  trial.targets = targets_of(peer);
  for (const RouteFacts& route : peer.routes) {
    if (is_everything(route.to) && !trial.outside) trial.outside = route.address;
  }
  if (!trial.targets.empty()) {
    trial.facts->target = trial.targets.front().address;
    trial.facts->is_guess = trial.targets.front().is_guess;
  }
  trial.facts->had_session = is_young(*status);
  trials_.push_back(std::move(trial));
}

// The peer's own addresses, as far as a prefix is one; else who may be there.
std::vector<Prober::Target> Prober::targets_of(const PeerFacts& peer) const {
  std::vector<Target> targets;
  for (const RouteFacts& route : peer.routes) {
    if (targets.size() == kMaxGuesses) break;
    if (route.to.length() == route.address.bits()) targets.push_back({route.address});
  }
  for (const RouteFacts& route : peer.routes) {
    if (targets.size() < kMaxGuesses) add_guesses(route.to, targets);
  }
  return targets;
}

void Prober::add_guesses(const Cidr& prefix, std::vector<Target>& targets) const {
  if (prefix.length() == prefix.address().bits()) return;
  if (const auto host = own_network_host(prefix.address().family());
      host && prefix.contains(*host)) {
    targets.push_back({*host, kAllHops, true});
  }
  for (const IpAddress& server : name_servers_) {
    if (targets.size() < kMaxGuesses && prefix.contains(server))
      targets.push_back({server, kAllHops, true});
  }
  const auto route = std::ranges::find_if(facts_.peers, [&](const PeerFacts& peer) {
    return std::ranges::find(peer.routes, prefix, &RouteFacts::to) != peer.routes.end();
  });
  const IpAddress there = is_everything(prefix) && route != facts_.peers.end()
                              ? std::ranges::find(route->routes, prefix, &RouteFacts::to)->address
                              : first_host_of(prefix, facts_.addresses);
  if (!is_everything(prefix)) targets.push_back({there, kAllHops, true});
  targets.push_back({there, 1, true});
}

// Servers tend to have the first address of the network that their clients are in.
std::optional<IpAddress> Prober::own_network_host(Family family) const {
  for (const io::LinkAddress& own : facts_.addresses) {
    if (own.address.family() != family) continue;
    const bool is_alone = own.prefix_length == own.address.bits();
    const unsigned bits = !is_alone              ? own.prefix_length
                          : family == Family::v4 ? kOwnNetworkBits
                                                 : 64;
    return first_host_of(Cidr(own.address, bits), facts_.addresses);
  }
  return std::nullopt;
}

void Prober::run() {
  told_before_ = stats();
  for (const auto& [name, count] : told_before_.counters) facts_.totals[name] = count;
  if (trials_.empty() && awaited_.empty()) return;
  start_ = Clock::now();
  while (!all_done(Clock::now() - start_)) {
    send_round();
    collect();
    look_again(Clock::now());
  }
  count_from(told_before_.counters);
}

bool Prober::all_done(Clock::duration passed) const {
  const auto now = Clock::now();
  if (!awaited_.empty() && passed < kHandshakePatience) return false;
  return std::ranges::all_of(trials_, [&](const Trial& trial) {
    if (trial.facts->is_answered) return true;
    if (trial.heard_at && now - *trial.heard_at >= kAnswerPatience) return true;
    if (is_shut_) return passed >= kAnswerPatience;
    return now - trial.begun_at >=
           (trial.facts->had_session ? kSessionPatience : kHandshakePatience);
  });
}

void Prober::send_round() {
  for (std::size_t i = 0; i < trials_.size(); ++i) {
    if (trials_[i].facts->is_answered) continue;
    for (const Target& target : trials_[i].targets) {
      EchoSocket* socket = socket_of(target.address.family());
      if (socket == nullptr) continue;
      sent_[++sequence_] = {i, target};
      socket->send(target.address, sequence_, least_echo_bytes(target.address.family()),
                   target.hops);
    }
  }
}

// Both sockets get half a round.
void Prober::collect() {
  const auto until = Clock::now() + kRound;
  for (auto* socket : {&v4_, &v6_}) {
    if (!*socket) continue;
    for (const EchoAnswer& answer : (*socket)->receive(static_cast<int>(kRound.count() / 2))) {
      take(answer);
    }
  }
  const bool is_over =
      std::ranges::all_of(trials_, [](const Trial& t) { return t.facts->is_answered; });
  if (!is_over) std::this_thread::sleep_until(until);
}

void Prober::take(const EchoAnswer& answer) {
  const auto sent = sent_.find(answer.sequence);
  if (sent == sent_.end() || sent->second.target.address != answer.target) return;
  if (is_own(answer.from)) return;  // it did not come through the tunnel
  Trial& trial = trials_[sent->second.trial];
  ProbeFacts& probe = *trial.facts;
  if (!probe.is_answered || answer.is_reply) {
    probe.target = answer.is_reply ? answer.target : answer.from;
    probe.is_guess = answer.is_reply && sent->second.target.is_guess;
  }
  probe.is_answered = true;
  const bool is_from_beyond = trial.outside && answer.target == *trial.outside;
  if (is_from_beyond) probe.is_passed_on = true;
}

void Prober::look_again(Clock::time_point now) {
  const auto device = devices_.get(facts_.interface);
  if (!device) return;
  take_up_callers(*device);
  const control::DeviceStats told = stats();
  for (Trial& trial : trials_) look_at_trial(trial, *device, told, now);
}

// Who calls is not idle.
void Prober::take_up_callers(const control::DeviceStatus& device) {
  std::erase_if(awaited_, [&](PeerFacts* peer) {
    const PeerStatus* then = find_status(before_, peer->key);
    const PeerStatus* status = find_status(device, peer->key);
    if (then == nullptr || status == nullptr || status->rx_bytes <= then->rx_bytes) return false;
    if (trials_.size() < kMaxProbedPeers) begin(*peer);
    return true;
  });
}

void Prober::look_at_trial(Trial& trial, const control::DeviceStatus& device,
                           const control::DeviceStats& told, Clock::time_point now) const {
  const PeerStatus* then = find_status(before_, trial.peer->key);
  const PeerStatus* status = find_status(device, trial.peer->key);
  if (then == nullptr || status == nullptr) return;
  const double passed_s = std::chrono::duration<double>(now - start_).count();
  ProbeFacts& probe = *trial.facts;
  probe.sent_bytes = status->tx_bytes - std::min(then->tx_bytes, status->tx_bytes);
  if (are_keepalives_alone(probe.sent_bytes, passed_s)) probe.sent_bytes = 0;
  probe.received_bytes = status->rx_bytes - std::min(then->rx_bytes, status->rx_bytes);
  probe.is_renewed = status->last_handshake.seconds != then->last_handshake.seconds ||
                     status->last_handshake.nanoseconds != then->last_handshake.nanoseconds;
  // A daemon of ours counts what comes by a session. Of others is known that keepalives have one size,
  // of which a few handshakes are no multiple.
  const auto messages = messages_of(trial.peer->key, told);
  const bool has_messages =
      messages ? *messages > 0
               : probe.received_bytes > 0 && probe.received_bytes % kKeepaliveSize == 0;
  probe.has_data = probe.received_bytes > most_without_data(passed_s) && messages != 0u;
  // An old session proves nothing until something comes by it.
  probe.has_session = is_young(*status) &&
                      (probe.is_renewed || probe.has_data || probe.is_answered || has_messages);
  if (!trial.heard_at && (probe.is_renewed || probe.received_bytes > 0)) trial.heard_at = now;
  probe.has_moved = status->endpoint != then->endpoint;
  trial.peer->endpoint = status->endpoint;
  trial.peer->handshake_age_s = std::nullopt;
  if (status->last_handshake.seconds != 0) {
    trial.peer->handshake_age_s =
        std::max<std::int64_t>(0, std::time(nullptr) - status->last_handshake.seconds);
  }
}

control::DeviceStats Prober::stats() const {
  auto stats = devices_.stats(facts_.interface);
  return stats ? std::move(*stats) : control::DeviceStats();
}

// How many messages of a session came meanwhile; none: the daemon does not tell.
std::optional<std::uint64_t> Prober::messages_of(const PublicKey& key,
                                                 const control::DeviceStats& told) const {
  const auto then = told_before_.peers.find(key);
  const auto now = told.peers.find(key);
  if (then == told_before_.peers.end() || now == told.peers.end()) return std::nullopt;
  return now->second.received - std::min(then->second.received, now->second.received);
}

void Prober::count_from(const control::Stats& then) {
  for (const auto& [name, count] : stats().counters) {
    const auto before = std::ranges::find(then, name, &control::Stats::value_type::first);
    if (before != then.end() && count > before->second) {
      facts_.counted[name] = count - before->second;
    }
  }
}

bool Prober::is_own(const IpAddress& address) const {
  return std::ranges::find(facts_.addresses, address, &io::LinkAddress::address) !=
         facts_.addresses.end();
}

EchoSocket* Prober::socket_of(Family family) {
  auto& socket = family == Family::v4 ? v4_ : v6_;
  return family != Family::none && socket ? &*socket : nullptr;
}

}  // namespace ferrule::diagnosis
