#include "sim/world.h"

#include <gtest/gtest.h>

namespace ferrule::sim {
namespace {

std::uint64_t digest_of_seed(std::uint64_t seed) {
  WorldOptions options;
  options.seed = seed;
  options.length = 30min;
  World world(options);
  world.run();
  return world.digest();
}

TEST(World, TheSameSeedIsTheSameWorldToTheByte) { EXPECT_EQ(digest_of_seed(1), digest_of_seed(1)); }

TEST(World, AnotherSeedIsAnotherWorld) { EXPECT_NE(digest_of_seed(1), digest_of_seed(2)); }

TEST(World, TrafficIsShownToFlowAgain) {
  WorldOptions options;
  options.length = 30min;
  World world(options);
  world.run();
  EXPECT_GT(world.liveness().links_proven(), 0u);
}

}  // namespace
}  // namespace ferrule::sim
