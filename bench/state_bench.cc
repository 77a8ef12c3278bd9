// What a state file costs with very many peers: its size, how long it takes to be written and to be read, and
// the longest turn that the control thread spends on it, in that thread's own CPU time.
#include <benchmark/benchmark.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>

#include "base/log.h"
#include "crypto/random.h"
#include "crypto/x25519.h"
#include "io/linux/kept_file.h"
#include "protocol/device.h"
#include "protocol/noise.h"
#include "service/state_keeper.h"

namespace ferrule::service {
namespace {

using Clock = std::chrono::steady_clock;
using protocol::DeviceChange;
using protocol::PeerMemory;

class NullLog final : public Log {
 public:
  [[nodiscard]] bool wants(LogLevel) const noexcept override { return false; }
  void write(LogLevel, std::string_view) noexcept override {}
};

// What the calling thread has used.
Duration cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

double milliseconds(Duration span) {
  return std::chrono::duration<double, std::milli>(span).count();
}

PublicKey peer_key(std::uint32_t number) {
  PublicKey key{};
  store_le32(key.bytes.data(), number + 1);
  key.bytes[30] = 9;
  return key;
}

// A hub and its peers, all of which have something to be remembered.
class Hub {
 public:
  explicit Hub(std::size_t peers) {
    apply(device, false);
    protocol::DeviceMemory memory;
    memory.identity = *device.memory_identity();
    for (std::uint32_t i = 0; i < peers; ++i) {
      PeerMemory& peer = memory.peers.emplace_back();
      peer.public_key = peer_key(i);
      peer.endpoint = *Endpoint::parse("192.0.2.1:51820");
      peer.sent = peer.received = protocol::make_timestamp(now.wall);
      peer.seen_s = now.wall.seconds;
    }
    count_ = peers;
    remembering.remember(std::move(memory));
    apply(remembering, true);
  }

  Now now{Instant::from_ns(1'000'000'000'000), {1'700'000'000, 0}};
  crypto::SystemRng rng;
  NullLog log;
  protocol::NoExclusion exclusion;
  protocol::Device remembering{rng, crypto::best_aead_backend(), exclusion, log};

 private:
  void apply(protocol::Device& to, bool with_peers) {
    DeviceChange change;
    change.private_key = PrivateKey(key.clone());
    for (std::uint32_t i = 0; with_peers && i < count_; ++i) {
      change.peers.emplace_back().public_key = peer_key(i);
    }
    if (with_peers) {  // one that is spoken to, or there would be nothing new to keep
      change.peers.front().endpoint = *Endpoint::parse("192.0.2.1:51820");
      change.peers.front().persistent_keepalive_s = 25;
    }
    protocol::Outbox outbox;
    if (!to.prepare(change)) std::abort();
    to.apply(now, std::move(change), outbox);
    to.up();
    protocol::Budget waking = protocol::Budget::unlimited();
    (void)to.catch_up(now, waking);
    protocol::Budget firing = protocol::Budget::unlimited();
    (void)to.fire_timers(now, firing, outbox);
  }

  std::size_t count_ = 0;
  PrivateKey key = *crypto::generate_private_key(rng);
  protocol::Device device{rng, crypto::best_aead_backend(), exclusion, log};
};

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "state-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  [[nodiscard]] std::string file() const { return (path_ / "wg0.state").string(); }

 private:
  std::filesystem::path path_;
};

void state_file(benchmark::State& state) {
  const auto peers = static_cast<std::size_t>(state.range(0));
  Hub hub(peers);
  const Folder folder;
  for (auto _ : state) {
    Duration longest{0};
    std::size_t turns = 0;
    {
      StateKeeper keeper(io::LinuxKeptFile::open(folder.file()), hub.log, hub.now);
      keeper.start([] {});
      const Clock::time_point start = Clock::now();
      while (!std::filesystem::exists(folder.file())) {
        const Duration before = cpu_time();
        keeper.work(hub.now, hub.remembering);
        const Duration turn = cpu_time() - before;
        longest = std::max(longest, turn);
        turns += turn > 20us ? 1 : 0;
        std::this_thread::yield();
      }
      state.counters["write_ms"] = milliseconds(Clock::now() - start);
    }
    state.counters["longest_turn_ms"] = milliseconds(longest);
    state.counters["turns"] = static_cast<double>(turns);
    state.counters["bytes"] = static_cast<double>(std::filesystem::file_size(folder.file()));
    const Clock::time_point start = Clock::now();
    const StateKeeper reading(io::LinuxKeptFile::open(folder.file()), hub.log, hub.now);
    state.counters["read_and_reserve_ms"] = milliseconds(Clock::now() - start);
  }
}
BENCHMARK(state_file)
    ->Arg(1000)
    ->Arg(100'000)
    ->Arg(1'000'000)
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace ferrule::service
