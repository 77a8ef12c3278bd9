// ferrule_sim: runs worlds, one seed after the other.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <optional>
#include <random>

#include "sim/world.h"

namespace ferrule::sim {
namespace {

// Seeds that every run of continuous integration tries, and how long it goes on with fresh ones.
constexpr std::uint64_t kFixedSeeds = 24;
constexpr double kFreshSeconds = 75;
// How much of the end of a failed run is shown.
constexpr std::uint64_t kTracedSteps = 60;

struct Arguments {
  std::optional<std::uint64_t> seed;
  double hours = 4;
  std::size_t peers = 4;
  bool until_failure = false;
  bool trace = false;
  bool ci = false;
};

struct Totals {
  std::uint64_t passed = 0;
  std::uint64_t failed = 0;
  double peer_hours = 0;
  std::uint64_t steps = 0;
  std::uint64_t links_proven = 0;
  std::uint64_t links_not_judged = 0;
};

class Runner {
 public:
  explicit Runner(const Arguments& arguments) : arguments_(arguments) {}

  // One world. A failure says how to see it again.
  bool run(std::uint64_t seed) {
    World world(options(seed, arguments_.trace ? 0 : UINT64_MAX));
    try {
      world.run();
    } catch (const Violation& violation) {
      ++totals_.failed;
      std::printf("FAIL seed %llu, step %llu, %s s: %s\n", u(seed), u(world.step()),
                  world.clock().c_str(), violation.what());
      show_end(seed, world.step());
      std::printf("     again: ./dev sim --seed %llu --hours %g --peers %zu\n", u(seed),
                  arguments_.hours, arguments_.peers);
      return false;
    }
    ++totals_.passed;
    totals_.peer_hours += arguments_.hours * static_cast<double>(arguments_.peers);
    totals_.steps += world.step();
    totals_.links_proven += world.liveness().links_proven();
    totals_.links_not_judged += world.liveness().links_not_judged();
    digest_ = world.digest();
    return true;
  }

  [[nodiscard]] std::uint64_t digest() const noexcept { return digest_; }
  [[nodiscard]] const Totals& totals() const noexcept { return totals_; }
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  }

 private:
  static unsigned long long u(std::uint64_t number) { return number; }

  [[nodiscard]] WorldOptions options(std::uint64_t seed, std::uint64_t first_traced_step) const {
    WorldOptions options;
    options.seed = seed;
    options.hosts = arguments_.peers;
    options.length = Duration(static_cast<std::int64_t>(arguments_.hours * 3600e9));
    options.first_traced_step = first_traced_step;
    return options;
  }

  // The same again up to the failure, its last steps in words.
  void show_end(std::uint64_t seed, std::uint64_t step) const {
    if (arguments_.trace) return;
    World world(options(seed, step < kTracedSteps ? 0 : step - kTracedSteps));
    try {
      world.run();
    } catch (const Violation&) {
    }
  }

  Arguments arguments_;
  Totals totals_;
  std::uint64_t digest_ = 0;
  std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
};

std::uint64_t fresh_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 16 ^ device();
}

void run_many(const Arguments& arguments, Runner& runner) {
  for (std::uint64_t seed = 1; seed <= kFixedSeeds; ++seed) (void)runner.run(seed);
  std::uint64_t seed = fresh_seed();
  std::printf("fixed seeds 1 to %llu, fresh seeds from %llu\n",
              static_cast<unsigned long long>(kFixedSeeds), static_cast<unsigned long long>(seed));
  const double end = runner.seconds() + kFreshSeconds;
  while (arguments.until_failure ? runner.totals().failed == 0 : runner.seconds() < end) {
    (void)runner.run(seed++);
  }
}

int run(const Arguments& arguments) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);  // whoever ends a long run has seen what it found
  Runner runner(arguments);
  if (arguments.seed && !arguments.until_failure) {
    (void)runner.run(*arguments.seed);
    std::printf("seed %llu, digest %016llx\n", static_cast<unsigned long long>(*arguments.seed),
                static_cast<unsigned long long>(runner.digest()));
  } else if (arguments.ci) {
    run_many(arguments, runner);
  } else {
    std::uint64_t seed = arguments.seed ? *arguments.seed : fresh_seed();
    std::printf("seeds from %llu\n", static_cast<unsigned long long>(seed));
    do {
      (void)runner.run(seed++);
    } while (arguments.until_failure && runner.totals().failed == 0);
  }
  const Totals& totals = runner.totals();
  std::printf(
      "%.0f peer-hours in %.1f s, %llu steps; %llu times traffic was shown to flow again, "
      "%llu times it could not\n",
      totals.peer_hours, runner.seconds(), static_cast<unsigned long long>(totals.steps),
      static_cast<unsigned long long>(totals.links_proven),
      static_cast<unsigned long long>(totals.links_not_judged));
  std::printf("%llu passed, %llu failed\n", static_cast<unsigned long long>(totals.passed),
              static_cast<unsigned long long>(totals.failed));
  return totals.failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace ferrule::sim

int main(int argc, char** argv) {
  ferrule::sim::Arguments arguments;
  CLI::App app("Runs WireGuard devices in a simulated world until something is wrong.",
               "./dev sim");
  app.add_option("--seed", arguments.seed, "which world; the same seed is the same world");
  app.add_option("--hours", arguments.hours, "how long a world lasts")->check(CLI::PositiveNumber);
  app.add_option("--peers", arguments.peers, "how many hosts are in it")
      ->check(CLI::Range(2, 1000));
  app.add_flag("--until-failure", arguments.until_failure, "goes on with the next seed");
  app.add_flag("--trace", arguments.trace, "prints everything that happens");
  app.add_flag("--ci", arguments.ci, "a fixed set of seeds, then fresh ones, two minutes in all");
  CLI11_PARSE(app, argc, argv);
  return ferrule::sim::run(arguments);
}
