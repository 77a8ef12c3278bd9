// Prefixes and addresses for what measures look-ups: IPv4 and IPv6, nine in ten a host's. Addresses come at
// random, so that each look-up waits for memory as it would with as many peers that speak in turn.
#pragma once

#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "base/net.h"

namespace ferrule::bench {

using Address = std::array<std::uint8_t, 16>;

constexpr std::size_t kRounds = 401;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kBatchesARound = 64;

// Of this thread, in nanoseconds.
inline double cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return 1e9 * static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec);
}

/// Prefixes at random in 10.0.0.0/8 and fd00::/8, of both families or of one, and an address in each of them.
class Prefixes {
 public:
  enum class Families { both, v4, v6 };

  Prefixes(std::size_t count, Families families) {
    for (std::size_t i = 0; i < count; ++i) {
      const bool is_v4 = families == Families::v4 || (families == Families::both && i % 2 == 0);
      Address bytes{};
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
      bytes[0] = is_v4 ? 10 : 0xfd;
      const bool is_host = random_() % 10 != 0;
      const std::span<const std::uint8_t, 16> all(bytes);
      cidrs.push_back(is_v4 ? Cidr(IpAddress::v4(all.first<4>()), is_host ? 32 : 28)
                            : Cidr(IpAddress::v6(all), is_host ? 128 : 64));
      (is_v4 ? v4 : v6).push_back(bytes);
    }
    std::shuffle(v4.begin(), v4.end(), random_);
    std::shuffle(v6.begin(), v6.end(), random_);
  }
  std::vector<Cidr> cidrs;
  std::vector<Address> v4;
  std::vector<Address> v6;

 private:
  std::mt19937_64 random_{1};
};

using Batch = std::span<const std::uint8_t* const>;

/// `look_up(addresses of a batch, whether they are IPv4)`, by turns of the families that there are. `ns_each` is
/// a look-up's CPU time: the median of some hundred rounds.
template <class LookUp>
void measure(benchmark::State& state, const Prefixes& prefixes, LookUp look_up) {
  std::array<const std::uint8_t*, kBatch> batch{};
  std::size_t next = 0;
  std::vector<double> rounds;
  for (auto _ : state) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const double start = cpu_time();
      for (std::size_t i = 0; i < kBatchesARound; ++i) {
        const bool is_v4 = prefixes.v6.empty() || (i % 2 == 0 && !prefixes.v4.empty());
        const std::vector<Address>& from = is_v4 ? prefixes.v4 : prefixes.v6;
        for (const std::uint8_t*& address : batch) address = from[next++ % from.size()].data();
        look_up(Batch(batch), is_v4);
      }
      rounds.push_back((cpu_time() - start) / (kBatch * kBatchesARound));
    }
  }
  std::sort(rounds.begin(), rounds.end());
  state.counters["ns_each"] = rounds[rounds.size() / 2];
}

inline void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int count : {1, 1000, 10'000, 100'000, 1'000'000}) benchmark->Arg(count);
  benchmark->Iterations(1)->Unit(benchmark::kMillisecond);
}

}  // namespace ferrule::bench
