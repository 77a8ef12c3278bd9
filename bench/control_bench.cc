// How long the control thread is away at the most: its longest turn with very many peers, and how long
// a lane that carries data waits for handshakes. What counts is the longest, not the mean. Turns and holds are
// counted in the thread's own CPU time, and where a row does the same three times over, each turn counts as
// often as it was shortest, so that a busy machine does not show; in `longest_seen_ms` it does, and in
// `longest_stall_ms`, which is what a clock on the wall says.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <malloc.h>
#include <time.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/log.h"
#include "control/uapi_parser.h"
#include "crypto/aead.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "engine/control.h"
#include "engine/handshake_intake.h"
#include "engine/inbox.h"
#include "engine/locks.h"
#include "protocol/device.h"

namespace ferrule::engine {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto kMilli = benchmark::kMillisecond;
using protocol::DeviceChange;
using protocol::PeerChange;

// As the daemon does (daemon/steady_heap.h).
[[maybe_unused]] const bool kSteadyHeap = ::mallopt(M_MMAP_THRESHOLD, 32 << 10) != 0 &&
                                          ::mallopt(M_TRIM_THRESHOLD, 1 << 20) != 0 &&
                                          ::mallopt(M_MXFAST, 0) != 0;

void numbers_of_peers(benchmark::internal::Benchmark* benchmark) {
  for (const int count : {1, 1000, 10'000, 100'000, 1'000'000}) benchmark->Arg(count);
  benchmark->Iterations(1)->Unit(kMilli);
}

const Endpoint kNowhere = Endpoint::parse("192.0.2.1:51820").value();

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

class NoUdp final : public io::Udp {
 public:
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams>) override { return 0; }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override { return batch.size(); }
  std::uint16_t port() const noexcept override { return 51820; }
  std::uint64_t send_failures() const noexcept override { return 0; }
};

double milliseconds(Clock::duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

// What the calling thread has used.
Duration cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

// Keeps the longest time between two looks.
class Longest {
 public:
  void start() { last_ = cpu_time(); }
  void look() {
    const Duration now = cpu_time();
    longest_ = std::max(longest_, now - last_);
    last_ = now;
  }
  [[nodiscard]] double ms() const { return milliseconds(longest_); }

 private:
  Duration last_{0};
  Duration longest_{0};
};

// Locks that know for how long the tables were held exclusively at the most.
class TimedLocks final : public protocol::Exclusion {
 public:
  void lock_tables() noexcept override {
    locks.lock_tables();
    longest.start();
    ++holds;
  }
  void unlock_tables() noexcept override {
    longest.look();
    locks.unlock_tables();
  }
  void lock_peer(PeerId peer) noexcept override { locks.lock_peer(peer); }
  void unlock_peer(PeerId peer) noexcept override { locks.unlock_peer(peer); }
  void lock_staging() noexcept override { locks.lock_staging(); }
  void unlock_staging() noexcept override { locks.unlock_staging(); }

  Locks locks{2};
  Longest longest;
  std::size_t holds = 0;
};

PrivateKey new_key(Rng& rng) { return crypto::generate_private_key(rng).value(); }

IpAddress address(std::uint32_t number) {
  std::array<std::uint8_t, 4> bytes;
  store_be32(bytes.data(), 0x0A000000u + number);
  return IpAddress::v4(bytes);
}

class Gateway {
 public:
  Gateway() {
    DeviceChange change;
    change.private_key = PrivateKey(key.clone());
    apply(std::move(change));
    device.up();
  }
  void apply(DeviceChange change) {
    if (!device.prepare(change)) std::abort();
    device.apply(now, std::move(change), control.outbox());
    control.send(&udp);
  }
  // Peers that do not answer, with an allowed IP each.
  static DeviceChange dead_peers(std::size_t count, std::uint16_t keepalive_s = 0) {
    DeviceChange change;
    for (std::uint32_t i = 0; i < count; ++i) {
      PeerChange& peer = change.peers.emplace_back();
      store_le32(peer.public_key.bytes.data(), i + 1);
      peer.public_key.bytes[30] = 9;
      peer.endpoint = kNowhere;
      peer.persistent_keepalive_s = keepalive_s;
      peer.allowed_ips.push_back({Cidr(address(i), 32), false});
    }
    return change;
  }
  // A packet for each of them comes from the tunnel.
  void sweep(std::size_t count) {
    protocol::Attention attention;
    std::array<std::uint8_t, 20> packet{0x45, 0, 0, 20};
    for (std::uint32_t i = 0; i < count; ++i) {
      store_be32(packet.data() + 16, 0x0A000000u + i);
      protocol::OutboundPacket outbound;
      outbound.inner = packet;
      protocol::SendPlan plan;
      device.plan_send(now, {&outbound, 1}, plan, attention);
      device.stage(now, outbound.place_of(0), packet, 0, attention);
    }
    inbox.post(attention);
  }
  // Takes turns until there is nothing more to do at once, or it has seen enough of them.
  void settle(Longest& longest, std::size_t& turns) {
    constexpr std::size_t kEnough = 5000;
    longest.start();
    for (std::size_t i = 0; i < kEnough; ++i) {
      woken = false;
      control.work(now, &udp);
      longest.look();
      ++turns;
      if (!woken) return;
    }
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  crypto::SystemRng rng;
  PrivateKey key = new_key(rng);
  NullLog log;
  NoUdp udp;
  TimedLocks locks;
  bool woken = false;
  Inbox inbox{[this] { woken = true; }};
  HandshakeIntake intake{1, [this] { inbox.rouse(); }};
  protocol::Device device{rng, crypto::best_aead_backend(), locks, log};
  Control control{device, inbox, intake, [](std::span<const PeerId>) {}};
};

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
    change.private_key = new_key(gateway.rng);
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

// A reader of the tables that does nothing but take and leave them, as a lane does for each batch.
struct Stalls {
  double longest_ms = 0;
  double over_100us = 0;  // how many
};
Stalls read_tables(Locks& locks, const std::atomic<bool>& stops) {
  Stalls stalls;
  while (!stops.load(std::memory_order_relaxed)) {
    const Clock::time_point start = Clock::now();
    {
      const Locks::TablesShared tables(locks, 0);
    }
    const double ms = milliseconds(Clock::now() - start);
    stalls.longest_ms = std::max(stalls.longest_ms, ms);
    stalls.over_100us += ms > 0.1 ? 1 : 0;
    benchmark::DoNotOptimize(ms);
  }
  return stalls;
}

// Initiations of very many peers come at so many a second, while a lane carries data.
void data_beside_handshakes(benchmark::State& state) {
  const auto per_second = static_cast<std::size_t>(state.range(0));
  constexpr std::size_t kSeconds = 2;
  const std::size_t count = per_second * kSeconds;
  Gateway gateway;
  DeviceChange change;
  std::vector<protocol::HandshakeMessage> initiations;
  {
    NullLog log;
    protocol::NoExclusion alone;
    const PublicKey gateway_key = crypto::public_key_of(gateway.key);
    for (std::size_t i = 0; i < count; ++i) {
      protocol::Device peer(gateway.rng, crypto::best_aead_backend(), alone, log);
      DeviceChange theirs;
      theirs.private_key = new_key(gateway.rng);
      change.peers.emplace_back().public_key = crypto::public_key_of(*theirs.private_key);
      PeerChange& to = theirs.peers.emplace_back();
      to.public_key = gateway_key;
      to.endpoint = kNowhere;
      to.persistent_keepalive_s = 25;
      protocol::Outbox outbox;
      if (!peer.prepare(theirs)) std::abort();
      peer.apply(gateway.now, std::move(theirs), outbox);
      peer.up();
      protocol::Budget all = protocol::Budget::unlimited();
      (void)peer.catch_up(gateway.now, all);
      (void)peer.fire_timers(gateway.now, all, outbox);
      protocol::HandshakeMessage& message = initiations.emplace_back();
      message.size = outbox.messages.at(0).size;
      copy(outbox.messages[0].view(), message.bytes);
      message.from = {address(static_cast<std::uint32_t>(i)), 1, 0};
    }
  }
  gateway.apply(std::move(change));
  gateway.locks.longest = {};
  gateway.locks.holds = 0;
  for (auto _ : state) {
    std::atomic<bool> stops = false;
    Stalls stalls;
    std::thread lane([&] { stalls = read_tables(gateway.locks.locks, stops); });
    const Clock::time_point start = Clock::now();
    std::size_t posted = 0;
    while (posted < count) {
      const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
      const auto due = static_cast<std::size_t>(elapsed * static_cast<double>(per_second));
      for (; posted < std::min(due, count); ++posted) {
        (void)gateway.intake.post(gateway.now.boot, initiations[posted]);
      }
      gateway.now.boot = gateway.now.boot + 1ms;
      gateway.control.work(gateway.now, &gateway.udp);
    }
    stops = true;
    lane.join();
    state.counters["longest_hold_us"] = 1000 * gateway.locks.longest.ms();
    state.counters["holds/handshake"] =
        static_cast<double>(gateway.locks.holds) / static_cast<double>(count);
    state.counters["longest_stall_ms"] = stalls.longest_ms;
    state.counters["stalls_over_0.1_ms"] = stalls.over_100us;
    state.counters["handshakes/s"] = benchmark::Counter(
        static_cast<double>(count) / std::chrono::duration<double>(Clock::now() - start).count());
  }
}
BENCHMARK(data_beside_handshakes)->Arg(8000)->Iterations(1)->Unit(kMilli);

}  // namespace
}  // namespace ferrule::engine
