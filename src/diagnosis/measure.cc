// What the way to a peer is like, once it has answered.
#include <algorithm>
#include <thread>

#include "diagnosis/echo_meter.h"
#include "diagnosis/probe.h"

namespace ferrule::diagnosis {

namespace {

using std::chrono::milliseconds;

constexpr unsigned kEchoes = 5;
constexpr milliseconds kBetweenEchoes{20};
constexpr milliseconds kPatience{400};
constexpr unsigned kTriesOutside = 6;  // whoever forwards may tell of used up hops once a second

}  // namespace

void Prober::measure() {
  std::size_t left = kMaxMeasuredPeers;
  for (Trial& trial : trials_) {
    if (!trial.facts->is_answered || left == 0) continue;
    --left;
    measure_way(*trial.facts);
    ask_outside(trial);
  }
}

// Who has only said that hops were used up may limit how often it says so: that is no loss.
void Prober::measure_way(ProbeFacts& probe) {
  EchoMeter meter(*socket_of(probe.target.family()), probe.target, sequence_);
  for (; probe.echoes < kEchoes; ++probe.echoes) {
    if (probe.echoes > 0) std::this_thread::sleep_for(kBetweenEchoes);
    const auto took_ms = meter.round_trip_ms(kPatience);
    if (!took_ms) ++probe.lost;
    if (took_ms) probe.round_trip_ms = std::min(probe.round_trip_ms.value_or(*took_ms), *took_ms);
  }
  if (probe.lost < probe.echoes) probe.largest_bytes = meter.largest_packet(facts_.mtu_bytes);
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
    for (const EchoAnswer& answer : socket->receive(static_cast<int>(kPatience.count())))
      take(answer);
  }
  if (!trial.facts->is_passed_on) trial.facts->is_passed_on = false;
}

}  // namespace ferrule::diagnosis
