// What it costs to find a packet's peer among very many prefixes: IPv4 and IPv6, nine in ten a host's.
// Addresses come at random, so that each look-up waits for memory as it would with as many peers that
// speak in turn. `ns_each` is a look-up's CPU time: the median of some hundred rounds.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <vector>

#include "base/bytes.h"
#include "protocol/allowed_ips.h"

namespace ferrule::protocol {
namespace {

using Address = std::array<std::uint8_t, 16>;

constexpr std::size_t kRounds = 401;
constexpr std::size_t kBatch = 64;
constexpr std::size_t kBatchesARound = 64;

// Of this thread, in nanoseconds.
double cpu_time() {
  timespec used{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return 1e9 * static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec);
}

// Prefixes of one family each, at random in 10.0.0.0/8 and fd00::/8, and addresses that they hold.
class Prefixes {
 public:
  explicit Prefixes(std::size_t count) {
    for (std::uint32_t i = 0; i < count; ++i) {
      const bool is_v4 = i % 2 == 0;
      Address bytes{};
      for (std::uint8_t& byte : bytes) byte = static_cast<std::uint8_t>(random_());
      bytes[0] = is_v4 ? 10 : 0xfd;
      const bool is_host = random_() % 10 != 0;
      const std::span<const std::uint8_t, 16> all(bytes);
      const Cidr cidr = is_v4 ? Cidr(IpAddress::v4(all.first<4>()), is_host ? 32 : 28)
                              : Cidr(IpAddress::v6(all), is_host ? 128 : 64);
      table.insert(cidr, {i, 0});
      (is_v4 ? v4 : v6).push_back(bytes);
    }
    if (v6.empty()) v6 = v4;
    std::shuffle(v4.begin(), v4.end(), random_);
    std::shuffle(v6.begin(), v6.end(), random_);
  }
  AllowedIps table;
  std::vector<Address> v4;
  std::vector<Address> v6;

 private:
  std::mt19937_64 random_{1};
};

// `look_up(addresses of a batch, whether they are IPv4)`, by turns of both.
template <class LookUp>
void measure(benchmark::State& state, LookUp look_up) {
  const Prefixes prefixes(static_cast<std::size_t>(state.range(0)));
  std::array<const std::uint8_t*, kBatch> batch{};
  std::size_t next = 0;
  std::vector<double> rounds;
  for (auto _ : state) {
    for (std::size_t round = 0; round < kRounds; ++round) {
      const double start = cpu_time();
      for (std::size_t i = 0; i < kBatchesARound; ++i) {
        const bool is_v4 = i % 2 == 0;
        const std::vector<Address>& from = is_v4 ? prefixes.v4 : prefixes.v6;
        for (const std::uint8_t*& address : batch) address = from[next++ % from.size()].data();
        look_up(prefixes.table, std::span<const std::uint8_t* const>(batch), is_v4);
      }
      rounds.push_back((cpu_time() - start) / (kBatch * kBatchesARound));
    }
  }
  std::sort(rounds.begin(), rounds.end());
  state.counters["ns_each"] = rounds[rounds.size() / 2];
}

void sizes(benchmark::internal::Benchmark* benchmark) {
  for (const int count : {1, 1000, 10'000, 100'000, 1'000'000}) benchmark->Arg(count);
  benchmark->Iterations(1)->Unit(benchmark::kMillisecond);
}

void alone(benchmark::State& state) {
  measure(state, [](const AllowedIps& table, std::span<const std::uint8_t* const> batch, bool v4) {
    for (const std::uint8_t* address : batch) {
      benchmark::DoNotOptimize(v4 ? table.lookup_v4(address) : table.lookup_v6(address));
    }
  });
}
BENCHMARK(alone)->Apply(sizes);

// As a batch of packets is routed.
void together(benchmark::State& state) {
  std::array<AllowedIps::Lookup, kBatch> lookups;
  measure(state, [&](const AllowedIps& table, std::span<const std::uint8_t* const> batch, bool v4) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      lookups[i] = {batch[i], v4 ? Family::v4 : Family::v6, {}};
    }
    table.lookup_together(lookups);
    benchmark::DoNotOptimize(lookups.back().owner);
  });
}
BENCHMARK(together)->Apply(sizes);

}  // namespace
}  // namespace ferrule::protocol
