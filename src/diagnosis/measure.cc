// What the way to a peer is like, once it has answered.
#include <algorithm>
#include <thread>

#include "diagnosis/probe.h"

namespace ferrule::diagnosis {

namespace {

using std::chrono::milliseconds;

constexpr unsigned kEchoes = 5;
constexpr milliseconds kBetweenEchoes{20};
constexpr int kReplyTimeoutMs = 400;
constexpr unsigned kTriesOfASize = 2;
constexpr std::size_t kLeastMtuV4 = 576;
constexpr unsigned kTriesOutside = 6;  // whoever forwards may tell of used up hops once a second

}  // namespace

void Prober::measure() {
  std::size_t left = kMaxMeasuredPeers;
  for (Trial& trial : trials_) {
    if (!trial.facts->is_answered || left == 0) continue;
    --left;
    measure_way(*trial.facts);
    measure_size(*trial.facts);
    ask_outside(trial);
  }
}

// Who has only said that hops were used up may limit how often it says so: that is no loss.
void Prober::measure_way(ProbeFacts& probe) {
  EchoSocket& socket = *socket_of(probe.target.family());
  for (unsigned i = 0; i < kEchoes; ++i) {
    const std::uint16_t sequence = ++sequence_;
    const auto sent_at = Clock::now();
    if (!socket.send(probe.target, sequence, least_echo_bytes(probe.target.family()))) break;
    ++probe.echoes;
    if (comes_back(socket, probe.target, sequence)) {
      const std::chrono::duration<double, std::milli> took = Clock::now() - sent_at;
      probe.round_trip_ms = std::min(probe.round_trip_ms.value_or(took.count()), took.count());
    } else {
      ++probe.lost;
    }
    if (i + 1 < kEchoes) std::this_thread::sleep_for(kBetweenEchoes);
  }
}

// The largest echo that is answered, where that is less than the interface would take.
void Prober::measure_size(ProbeFacts& probe) {
  if (probe.lost == probe.echoes) return;
  EchoSocket& socket = *socket_of(probe.target.family());
  std::size_t good = least_echo_bytes(probe.target.family());
  std::size_t bad = facts_.mtu_bytes + 1;
  if (is_echoed(socket, probe.target, facts_.mtu_bytes, kTriesOfASize)) {
    probe.largest_bytes = facts_.mtu_bytes;
    return;
  }
  if (is_echoed(socket, probe.target, kLeastMtuV4, kTriesOfASize)) good = kLeastMtuV4;
  while (bad - good > 1) {
    const std::size_t middle = good + (bad - good) / 2;
    (is_echoed(socket, probe.target, middle, kTriesOfASize) ? good : bad) = middle;
  }
  probe.largest_bytes = static_cast<std::uint32_t>(good);
}

// Whether the peer passes on what is for all the world: it says where the hops are used up, or somebody
// there answers.
void Prober::ask_outside(Trial& trial) {
  if (!trial.outside || trial.facts->is_passed_on) return;
  EchoSocket* socket = socket_of(trial.outside->family());
  if (socket == nullptr) return;
  for (unsigned i = 0; i < kTriesOutside && !trial.facts->is_passed_on; ++i) {
    sent_[++sequence_] = {static_cast<std::size_t>(&trial - trials_.data()), {*trial.outside, 1}};
    // The last goes all the way: a machine on it may have more to say.
    socket->send(*trial.outside, sequence_, least_echo_bytes(trial.outside->family()),
                 i + 1 < kTriesOutside ? 1 : kAllHops);
    for (const EchoAnswer& answer : socket->receive(kReplyTimeoutMs)) take(answer);
  }
  if (!trial.facts->is_passed_on) trial.facts->is_passed_on = false;
}

// Answers to earlier requests may come first.
bool Prober::comes_back(EchoSocket& socket, const IpAddress& target, std::uint16_t sequence) const {
  const auto until = Clock::now() + milliseconds(kReplyTimeoutMs);
  for (auto now = Clock::now(); now < until; now = Clock::now()) {
    const auto left = std::chrono::ceil<milliseconds>(until - now).count();
    for (const EchoAnswer& answer : socket.receive(static_cast<int>(left))) {
      if (answer.is_reply && answer.sequence == sequence && answer.from == target) return true;
    }
  }
  return false;
}

bool Prober::is_echoed(EchoSocket& socket, const IpAddress& target, std::size_t bytes,
                       unsigned tries) {
  for (unsigned i = 0; i < tries; ++i) {
    const std::uint16_t sequence = ++sequence_;
    if (!socket.send(target, sequence, bytes)) return false;
    if (comes_back(socket, target, sequence)) return true;
  }
  return false;
}

}  // namespace ferrule::diagnosis
