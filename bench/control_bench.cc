// How long the control thread is away at the most: its longest turn with very many peers. What counts is the
// longest, not the mean. Turns and holds are counted in the thread's own CPU time, and where a row does the
// same three times over, each turn counts as often as it was shortest, so that a busy machine does not show; in
// `longest_seen_ms` it does. How long data waits for handshakes, control_stalls.cc measures.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "control/uapi_parser.h"
#include "control_gateway.h"

namespace ferrule::engine {
namespace {

constexpr auto kMilli = benchmark::kMillisecond;
// As the daemon does (daemon/steady_heap.h).
[[maybe_unused]] const bool kSteadyHeap = ::mallopt(M_MMAP_THRESHOLD, 32 << 10) != 0 &&
                                          ::mallopt(M_TRIM_THRESHOLD, 1 << 20) != 0 &&
                                          ::mallopt(M_MXFAST, 0) != 0;

void numbers_of_peers(benchmark::internal::Benchmark* benchmark) {
  for (const int count : {1, 1000, 10'000, 100'000, 1'000'000}) benchmark->Arg(count);
  benchmark->Iterations(1)->Unit(kMilli);
}

void report(benchmark::State& state, const Longest& longest, std::size_t turns) {
  state.counters["longest_ms"] = longest.ms();
  state.counters["turns"] = static_cast<double>(turns);
}

// A sweep over inner addresses whose peers do not answer, and a round of retransmissions after it.
void unanswered_peers(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Gateway gateway;
    gateway.apply(Gateway::dead_peers(count));
    gateway.sweep(count);
    Longest longest;
    std::size_t turns = 0;
    gateway.settle(longest, turns);
    gateway.now.boot = gateway.now.boot + 6s;
    gateway.settle(longest, turns);
    report(state, longest, turns);
  }
}
BENCHMARK(unanswered_peers)->Apply(numbers_of_peers);

// As many persistent keepalives, when the interface comes up.
void interface_comes_up(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Gateway gateway;
    gateway.device.down();
    gateway.apply(Gateway::dead_peers(count, 25));
    gateway.device.up();
    Longest longest;
    std::size_t turns = 0;
    gateway.settle(longest, turns);
    report(state, longest, turns);
  }
}
BENCHMARK(interface_comes_up)->Apply(numbers_of_peers);

// How long each of the turns of a gateway takes while it does what `work` says, which takes long, and is
// done several times over: the least counts. What a busy machine adds comes in another turn each time.
class TurnsWithin {
 public:
  template <class Work>
  void measure(Gateway& gateway, Work work) {
    turn_ = 0;
    gateway.locks.longest = {};
    gateway.device.yield_to([&] { look(); });
    start_ = cpu_time();
    work();
    look();
    gateway.device.yield_to({});
    longest_hold_ms_ = std::min(longest_hold_ms_, gateway.locks.longest.ms());
  }
  void report(benchmark::State& state) const {
    state.counters["longest_ms"] = milliseconds(*std::ranges::max_element(least_));
    state.counters["longest_seen_ms"] = milliseconds(seen_);
    state.counters["turns"] = static_cast<double>(least_.size());
    state.counters["longest_hold_us"] = 1000 * longest_hold_ms_;
  }

 private:
  void look() {
    const Duration took = cpu_time() - start_;
    seen_ = std::max(seen_, took);
    if (turn_ == least_.size()) least_.push_back(took);
    least_[turn_] = std::min(least_[turn_], took);
    ++turn_;
    start_ = cpu_time();
  }

  std::vector<Duration> least_;  // by turn
  std::size_t turn_ = 0;
  Duration start_{0};
  Duration seen_{0};
  double longest_hold_ms_ = 1e9;
};
constexpr int kTimesOver = 3;

void peers_are_added(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  TurnsWithin turns;
  for (auto _ : state) {
    Gateway gateway;
    DeviceChange change = Gateway::dead_peers(count);
    turns.measure(gateway, [&] { gateway.apply(std::move(change)); });
  }
  turns.report(state);
}
BENCHMARK(peers_are_added)->Arg(100'000)->Arg(1'000'000)->Iterations(kTimesOver)->Unit(kMilli);

// One after the other, so that every table grows with all that is in it.
void peers_are_added_singly(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    Gateway gateway;
    DeviceChange all = Gateway::dead_peers(count);
    Longest longest;
    gateway.locks.longest = {};
    for (PeerChange& peer : all.peers) {
      DeviceChange change;
      change.peers.push_back(std::move(peer));
      longest.start();
      gateway.apply(std::move(change));
      longest.look();
    }
    report(state, longest, count);
    state.counters["longest_hold_us"] = 1000 * gateway.locks.longest.ms();
  }
}
BENCHMARK(peers_are_added_singly)->Apply(numbers_of_peers);

void peers_are_removed(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  TurnsWithin turns;
  for (auto _ : state) {
    Gateway gateway;
    gateway.apply(Gateway::dead_peers(count));
    DeviceChange none;
    none.replace_peers = true;
    turns.measure(gateway, [&] { gateway.apply(std::move(none)); });
  }
  turns.report(state);
}
BENCHMARK(peers_are_removed)->Arg(100'000)->Arg(1'000'000)->Iterations(kTimesOver)->Unit(kMilli);

void private_key_changes(benchmark::State& state) {
  const auto count = static_cast<std::size_t>(state.range(0));
  TurnsWithin turns;
  for (auto _ : state) {
    Gateway gateway;
    gateway.apply(Gateway::dead_peers(count));
    DeviceChange change;
    change.private_key = new_key();
    turns.measure(gateway, [&] { gateway.apply(std::move(change)); });
  }
  turns.report(state);
}
BENCHMARK(private_key_changes)->Arg(100'000)->Arg(1'000'000)->Iterations(kTimesOver)->Unit(kMilli);

// What one read of a configuration socket may hold, while a request for so many peers comes in.
void request_is_read(benchmark::State& state) {
  constexpr std::size_t kReadBytes = 65536;  // as the server of the configuration socket reads
  const auto count = static_cast<std::size_t>(state.range(0));
  for (auto _ : state) {
    control::UapiParser parser([](const char*) { return 0u; });
    Longest longest;
    std::size_t turns = 0;
    std::string text = "set=1\n";
    const auto read = [&] {
      longest.start();
      std::string_view rest = text;
      benchmark::DoNotOptimize(parser.feed(rest));
      longest.look();
      ++turns;
      text.clear();
    };
    for (std::uint32_t i = 0; i < count; ++i) {
      text += fmt::format("public_key={:064x}\nendpoint=192.0.2.1:51820\nallowed_ip={}/32\n", i,
                          address(i).to_string());
      if (text.size() >= kReadBytes - 200) read();
    }
    read();
    report(state, longest, turns);
  }
}
BENCHMARK(request_is_read)->Apply(numbers_of_peers);

}  // namespace
}  // namespace ferrule::engine
