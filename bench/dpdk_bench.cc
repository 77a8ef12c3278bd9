// The same look-ups by DPDK's tables for it, the fastest that a library in Debian has (librte-fib): IPv4 by a
// table of the first 24 bits (DIR-24-8), IPv6 by a trie of such tables. Built where the library is. A host's
// IPv6 address has a table of 1 KiB for each byte behind the third, so that a million of them would take some
// 10 GB: of these there are fewer.
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_fib.h>
#include <rte_fib6.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/bytes.h"
#include "lookups.h"

namespace ferrule::bench {
namespace {

constexpr int kMostRoutes = 1 << 20;
constexpr std::uint64_t kNobody = INT32_MAX;  // a bit of an entry is the library's
constexpr std::uint32_t kV4Tables = 1 << 16;
constexpr std::uint32_t kV6TablesAHost = 14;

void must(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s: %s\n", what, rte_strerror(rte_errno));
  std::exit(1);
}

// Ordinary memory, as we have it.
void start_dpdk() {
  static const bool started = [] {
    std::array<std::string, 9> words{"dpdk_bench", "--no-huge",      "-m",
                                     "3000",       "--no-pci",       "-l",
                                     "0",          "--no-telemetry", "--log-level=3"};
    std::array<char*, 9> arguments;
    std::ranges::transform(words, arguments.begin(), [](std::string& word) { return word.data(); });
    must(rte_eal_init(static_cast<int>(arguments.size()), arguments.data()) >= 0, "rte_eal_init");
    return true;
  }();
  (void)started;
}

void dpdk_v4(benchmark::State& state) {
  start_dpdk();
  const Prefixes prefixes(static_cast<std::size_t>(state.range(0)), Prefixes::Families::v4);
  rte_fib_conf conf{};
  conf.type = RTE_FIB_DIR24_8;
  conf.default_nh = kNobody;
  conf.max_routes = kMostRoutes;
  conf.dir24_8.nh_sz = RTE_FIB_DIR24_8_4B;
  conf.dir24_8.num_tbl8 = kV4Tables;
  rte_fib* const fib = rte_fib_create("v4", -1, &conf);
  must(fib != nullptr, "rte_fib_create");
  for (std::size_t i = 0; i < prefixes.cidrs.size(); ++i) {
    const Cidr& cidr = prefixes.cidrs[i];
    must(rte_fib_add(fib, load_be32(cidr.address().bytes().data()),
                     static_cast<std::uint8_t>(cidr.length()), i) == 0,
         "rte_fib_add");
  }
  std::array<std::uint32_t, kBatch> addresses;
  std::array<std::uint64_t, kBatch> found;
  measure(state, prefixes, [&](Batch batch, bool) {
    for (std::size_t i = 0; i < batch.size(); ++i) addresses[i] = load_be32(batch[i]);
    (void)rte_fib_lookup_bulk(fib, addresses.data(), found.data(), kBatch);
    benchmark::DoNotOptimize(found.back());
  });
  rte_fib_free(fib);
}
BENCHMARK(dpdk_v4)->Apply(sizes);

void dpdk_v6(benchmark::State& state) {
  start_dpdk();
  const Prefixes prefixes(static_cast<std::size_t>(state.range(0)), Prefixes::Families::v6);
  rte_fib6_conf conf{};
  conf.type = RTE_FIB6_TRIE;
  conf.default_nh = kNobody;
  conf.max_routes = kMostRoutes;
  conf.trie.nh_sz = RTE_FIB6_TRIE_4B;
  conf.trie.num_tbl8 = kV6TablesAHost * static_cast<std::uint32_t>(state.range(0)) + 64;
  rte_fib6* const fib = rte_fib6_create("v6", -1, &conf);
  must(fib != nullptr, "rte_fib6_create");
  for (std::size_t i = 0; i < prefixes.cidrs.size(); ++i) {
    const Cidr& cidr = prefixes.cidrs[i];
    must(rte_fib6_add(fib, cidr.address().bytes().data(), static_cast<std::uint8_t>(cidr.length()),
                      i) == 0,
         "rte_fib6_add");
  }
  std::uint8_t addresses[kBatch][16];
  std::array<std::uint64_t, kBatch> found;
  measure(state, prefixes, [&](Batch batch, bool) {
    for (std::size_t i = 0; i < batch.size(); ++i) std::copy_n(batch[i], 16, addresses[i]);
    (void)rte_fib6_lookup_bulk(fib, addresses, found.data(), kBatch);
    benchmark::DoNotOptimize(found.back());
  });
  rte_fib6_free(fib);
}
BENCHMARK(dpdk_v6)->Arg(1)->Arg(1000)->Arg(10'000)->Arg(100'000)->Iterations(1)->Unit(
    benchmark::kMillisecond);

}  // namespace
}  // namespace ferrule::bench
