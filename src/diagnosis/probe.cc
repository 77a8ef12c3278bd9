#include "diagnosis/probe.h"

#include <algorithm>
#include <chrono>
#include <ctime>
#include <optional>
#include <thread>
#include <utility>

#include "diagnosis/echo.h"

namespace ferrule::diagnosis {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr std::int64_t kSessionAgeS = 180;        // after which nothing is sent by it
constexpr milliseconds kHandshakePatience{6000};  // longer than the time between two tries (P50)
constexpr milliseconds kSessionPatience{17000};   // a dead one is given up after 15 s (P53)
constexpr milliseconds kAnswerPatience{2000};     // after something came back
constexpr milliseconds kRound{200};
constexpr int kReplyTimeoutMs = 400;
constexpr unsigned kTriesOfASize = 2;
constexpr std::size_t kLeastMtuV4 = 576;

using protocol::PeerStatus;

const PeerStatus* find_status(const control::DeviceStatus& device, const PublicKey& key) {
  const auto found = std::ranges::find(device.peers, key, &PeerStatus::public_key);
  return found == device.peers.end() ? nullptr : &*found;
}

bool is_alive(const PeerStatus& status) {
  const std::int64_t age_s = std::time(nullptr) - status.last_handshake.seconds;
  return status.last_handshake.seconds != 0 && age_s >= 0 && age_s < kSessionAgeS;
}

// An address of the peer: of a prefix that is one address, else the first of a network, by guess.
void choose_target(const PeerFacts& peer, ProbeFacts& probe) {
  for (const RouteFacts& route : peer.routes) {
    const bool is_single = route.to.length() == route.address.bits();
    if (!is_single && probe.target.family() != Family::none) continue;
    probe.target = route.address;
    probe.is_guess = !is_single;
    if (is_single) return;
  }
}

class Prober {
 public:
  Prober(client::DeviceClient& devices, DoctorFacts& facts, const control::DeviceStatus& before)
      : devices_(devices), facts_(facts), before_(before) {
    if (auto socket = EchoSocket::open(Family::v4, facts.interface)) v4_ = std::move(*socket);
    if (auto socket = EchoSocket::open(Family::v6, facts.interface)) v6_ = std::move(*socket);
  }

  void run() {
    const control::Stats counters = stats();
    for (PeerFacts& peer : facts_.peers) {
      if (tried_.size() == kMaxProbedPeers) break;
      begin(peer);
    }
    const auto start = Clock::now();
    for (std::uint16_t round = 0; !all_done(Clock::now() - start); ++round) {
      send_round(round);
      collect_replies();
      look_again(Clock::now());
    }
    count_from(counters);
    for (Trial& trial : tried_) {
      if (trial.facts->is_answered) measure(*trial.facts);
    }
  }

 private:
  struct Trial {
    PeerFacts* peer;
    ProbeFacts* facts;
    std::optional<Clock::time_point> heard_at;  // something came back
  };

  void begin(PeerFacts& peer) {
    const PeerStatus* status = find_status(before_, peer.key);
    if (status == nullptr) return;
    ProbeFacts& probe = peer.probe.emplace();
    choose_target(peer, probe);
    probe.had_session = probe.has_session = is_alive(*status);
    tried_.push_back({&peer, &probe, {}});
  }

  [[nodiscard]] bool all_done(Clock::duration passed) const {
    const auto now = Clock::now();
    return std::ranges::all_of(tried_, [&](const Trial& trial) {
      if (trial.facts->is_answered) return true;
      if (trial.heard_at && now - *trial.heard_at >= kAnswerPatience) return true;
      return passed >= (trial.facts->had_session ? kSessionPatience : kHandshakePatience);
    });
  }

  void send_round(std::uint16_t round) {
    for (const Trial& trial : tried_) {
      const IpAddress& target = trial.facts->target;
      EchoSocket* socket = socket_of(target.family());
      if (trial.facts->is_answered || socket == nullptr) continue;
      socket->send(target, round, least_echo_bytes(target.family()));
    }
  }

  // Both sockets get half a round.
  void collect_replies() {
    const auto until = Clock::now() + kRound;
    for (auto* socket : {&v4_, &v6_}) {
      if (!*socket) continue;
      for (const EchoReply& reply : (*socket)->receive(static_cast<int>(kRound.count() / 2))) {
        for (Trial& trial : tried_) {
          if (trial.facts->target == reply.from) trial.facts->is_answered = true;
        }
      }
    }
    if (!all_answered()) std::this_thread::sleep_until(until);
  }

  [[nodiscard]] bool all_answered() const {
    return std::ranges::all_of(tried_, [](const Trial& t) { return t.facts->is_answered; });
  }

  void look_again(Clock::time_point now) {
    const auto device = devices_.get(facts_.interface);
    if (!device) return;
    for (Trial& trial : tried_) {
      const PeerStatus* then = find_status(before_, trial.peer->key);
      const PeerStatus* status = find_status(*device, trial.peer->key);
      if (then == nullptr || status == nullptr) continue;
      ProbeFacts& probe = *trial.facts;
      probe.sent_bytes = status->tx_bytes - std::min(then->tx_bytes, status->tx_bytes);
      probe.received_bytes = status->rx_bytes - std::min(then->rx_bytes, status->rx_bytes);
      const bool is_fresh = status->last_handshake.seconds != then->last_handshake.seconds ||
                            status->last_handshake.nanoseconds != then->last_handshake.nanoseconds;
      // An old session proves nothing until something comes by it.
      probe.has_session =
          is_alive(*status) && (is_fresh || probe.received_bytes > 0 || probe.is_answered);
      if (!trial.heard_at && (is_fresh || probe.received_bytes > 0)) trial.heard_at = now;
      trial.peer->endpoint = status->endpoint;
    }
  }

  // The largest echo that is answered, where that is less than the interface would take.
  void measure(ProbeFacts& probe) {
    EchoSocket& socket = *socket_of(probe.target.family());
    std::size_t good = least_echo_bytes(probe.target.family());
    std::size_t bad = facts_.mtu_bytes + 1;
    if (is_echoed(socket, probe.target, facts_.mtu_bytes)) {
      probe.largest_bytes = facts_.mtu_bytes;
      return;
    }
    if (is_echoed(socket, probe.target, kLeastMtuV4)) good = kLeastMtuV4;
    while (bad - good > 1) {
      const std::size_t middle = good + (bad - good) / 2;
      (is_echoed(socket, probe.target, middle) ? good : bad) = middle;
    }
    probe.largest_bytes = static_cast<std::uint32_t>(good);
  }

  bool is_echoed(EchoSocket& socket, const IpAddress& target, std::size_t bytes) {
    for (unsigned i = 0; i < kTriesOfASize; ++i) {
      const std::uint16_t sequence = ++size_sequence_;
      if (!socket.send(target, sequence, bytes)) return false;
      for (const EchoReply& reply : socket.receive(kReplyTimeoutMs)) {
        if (reply.sequence == sequence && reply.from == target) return true;
      }
    }
    return false;
  }

  [[nodiscard]] control::Stats stats() const {
    auto stats = devices_.stats(facts_.interface);
    return stats ? std::move(stats->counters) : control::Stats();
  }

  void count_from(const control::Stats& then) {
    for (const auto& [name, count] : stats()) {
      const auto before = std::ranges::find(then, name, &control::Stats::value_type::first);
      if (before != then.end() && count > before->second) {
        facts_.counted[name] = count - before->second;
      }
    }
  }

  [[nodiscard]] EchoSocket* socket_of(Family family) {
    auto& socket = family == Family::v4 ? v4_ : v6_;
    return family != Family::none && socket ? &*socket : nullptr;
  }

  client::DeviceClient& devices_;
  DoctorFacts& facts_;
  const control::DeviceStatus& before_;
  std::optional<EchoSocket> v4_;
  std::optional<EchoSocket> v6_;
  std::vector<Trial> tried_;
  std::uint16_t size_sequence_ = 0x8000;
};

}  // namespace

void probe_peers(client::DeviceClient& devices, DoctorFacts& facts,
                 const control::DeviceStatus& before) {
  Prober(devices, facts, before).run();
}

}  // namespace ferrule::diagnosis
