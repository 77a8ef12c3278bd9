#include "protocol/drop.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace ferrule::protocol {
namespace {

TEST(Drop, EachHasANameOfItsOwn) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kDropCount; ++i) {
    const std::string_view name = name_of(static_cast<Drop>(i));
    EXPECT_FALSE(name.empty()) << i;
    EXPECT_TRUE(names.insert(name).second) << name;
  }
}

// The names are a list beside the enumerators: these three would shift if either missed one.
TEST(Drop, TheNameIsThatOfTheEnumerator) {
  EXPECT_EQ(name_of(Drop::none), "none");
  EXPECT_EQ(name_of(Drop::unknown_index), "unknown_index");
  EXPECT_EQ(name_of(Drop::tun_write_failed), "tun_write_failed");
}

TEST(DropCounters, EachCountsForItself) {
  DropCounters counters;
  counters.count(Drop::bad_mac1);
  counters.count(Drop::bad_tag, 3);
  EXPECT_EQ(counters[Drop::bad_mac1], 1u);
  EXPECT_EQ(counters[Drop::bad_tag], 3u);
  EXPECT_EQ(counters[Drop::queue_full], 0u);
}

}  // namespace
}  // namespace ferrule::protocol
