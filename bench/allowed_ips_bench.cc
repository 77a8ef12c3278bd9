// What it costs to find a packet's peer among very many prefixes.
#include "protocol/allowed_ips.h"

#include <memory>

#include "lookups.h"

namespace ferrule::protocol {
namespace {

using bench::Batch;
using bench::Prefixes;

class Table {
 public:
  Table(benchmark::State& state, Prefixes::Families families)
      : prefixes(static_cast<std::size_t>(state.range(0)), families) {
    for (std::uint32_t i = 0; i < prefixes.cidrs.size(); ++i) {
      allowed_ips.insert(prefixes.cidrs[i], {i, 0});
    }
  }
  void look_up_together(Batch batch, bool v4) {
    for (std::size_t i = 0; i < batch.size(); ++i) {
      lookups_[i] = {batch[i], v4 ? Family::v4 : Family::v6, {}};
    }
    allowed_ips.lookup_together(lookups_);
    benchmark::DoNotOptimize(lookups_.back().owner);
  }

  Prefixes prefixes;
  AllowedIps allowed_ips;

 private:
  std::array<AllowedIps::Lookup, bench::kBatch> lookups_;
};

void alone(benchmark::State& state) {
  const Table table(state, Prefixes::Families::both);
  bench::measure(state, table.prefixes, [&](Batch batch, bool v4) {
    for (const std::uint8_t* address : batch) {
      benchmark::DoNotOptimize(v4 ? table.allowed_ips.lookup_v4(address)
                                  : table.allowed_ips.lookup_v6(address));
    }
  });
}
BENCHMARK(alone)->Apply(bench::sizes);

// As a batch of packets is routed.
void measure_together(benchmark::State& state, Prefixes::Families families) {
  Table table(state, families);
  bench::measure(state, table.prefixes,
                 [&](Batch batch, bool v4) { table.look_up_together(batch, v4); });
}
void together(benchmark::State& state) { measure_together(state, Prefixes::Families::both); }
void together_v4(benchmark::State& state) { measure_together(state, Prefixes::Families::v4); }
void together_v6(benchmark::State& state) { measure_together(state, Prefixes::Families::v6); }
BENCHMARK(together)->Apply(bench::sizes);
BENCHMARK(together_v4)->Apply(bench::sizes);
BENCHMARK(together_v6)->Apply(bench::sizes);

}  // namespace
}  // namespace ferrule::protocol
