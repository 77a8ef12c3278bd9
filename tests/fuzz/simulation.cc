// The simulated world, with its choices made by the fuzzer: who does what, what gets lost, what the
// attacker tries. Its checkers (tests/sim) say what must hold.
#include <cstdio>
#include <cstdlib>

#include "sim/world.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule::sim;
  WorldOptions options;
  options.hosts = 3;
  options.length = std::chrono::minutes(20);
  options.script = {data, size};
  World world(options);
  try {
    world.run();
  } catch (const Violation& violation) {
    std::fprintf(stderr, "broken invariant: step %llu: %s\n",
                 static_cast<unsigned long long>(world.step()), violation.what());
    std::abort();
  }
  return 0;
}
