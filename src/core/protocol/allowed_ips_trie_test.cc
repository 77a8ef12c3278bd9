#include "protocol/allowed_ips_trie.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace ferrule::protocol {
namespace {

// A trie and the prefixes in it, each with a place.
class Trie {
 public:
  std::uint32_t add(const Cidr& cidr) {
    prefixes_.make_room();
    trie_.make_room();
    const std::uint32_t place = prefixes_.take(0);
    OwnedPrefix& prefix = prefixes_[place];
    prefix = OwnedPrefix{};
    copy(cidr.address().bytes(), prefix.address);
    prefix.length = static_cast<std::uint8_t>(cidr.length());
    prefix.family = cidr.address().family();
    trie_.insert(place);
    return place;
  }
  std::uint32_t add(std::string_view text) { return add(*Cidr::parse(text)); }
  void remove(std::uint32_t place) {
    trie_.remove(place);
    prefixes_.give_back(place, 0);
  }
  std::size_t node_count() const { return trie_.node_count(); }
  std::size_t memory_bytes() const { return trie_.memory_bytes(); }
  std::size_t memory_with_prefixes_bytes() const {
    return trie_.memory_bytes() + prefixes_.memory_bytes();
  }

 private:
  BlockArena<OwnedPrefix> prefixes_;
  AllowedIpsTrie trie_{prefixes_};
};

std::vector<Cidr> random_addresses(std::size_t count, unsigned seed) {
  std::mt19937_64 random(seed);
  std::vector<Cidr> prefixes;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, 16> bytes{};
    store_le64(bytes.data(), random());
    store_le64(bytes.data() + 8, random());
    prefixes.emplace_back(IpAddress::v6(bytes), 128);
  }
  return prefixes;
}

TEST(AllowedIpsTrie, P91_ARemovedPrefixLeavesNoNode) {
  Trie trie;
  trie.add("10.0.0.0/8");
  const std::size_t before = trie.node_count();
  trie.remove(trie.add("10.1.2.3/32"));
  EXPECT_EQ(trie.node_count(), before);
}

TEST(AllowedIpsTrie, P91_ABranchGoesWithTheSecondLastOfItsChildren) {
  Trie trie;
  trie.add("10.0.0.1/32");
  const std::size_t before = trie.node_count();
  const std::uint32_t second = trie.add("10.200.0.1/32");
  EXPECT_EQ(trie.node_count(), before + 2);  // its own, and one that tells the two apart
  trie.remove(second);
  EXPECT_EQ(trie.node_count(), before);
}

TEST(AllowedIpsTrie, P91_ABranchWithAPrefixOfItsOwnStays) {
  Trie trie;
  const std::uint32_t branch = trie.add("10.0.0.0/8");
  const std::uint32_t low = trie.add("10.0.0.1/32");
  const std::uint32_t high = trie.add("10.200.0.1/32");
  trie.remove(low);
  EXPECT_EQ(trie.node_count(), 2u);
  trie.remove(branch);
  EXPECT_EQ(trie.node_count(), 1u);
  trie.remove(high);
  EXPECT_EQ(trie.node_count(), 0u);
}

TEST(AllowedIpsTrie, P91_TheNodeCountGoesBackStepByStep) {
  std::vector<Cidr> prefixes = random_addresses(500, 1);
  for (std::size_t i = 0; i < prefixes.size(); ++i) {
    prefixes[i] = Cidr(prefixes[i].address(), static_cast<unsigned>(i % 129));
  }
  std::sort(prefixes.begin(), prefixes.end());
  prefixes.erase(std::unique(prefixes.begin(), prefixes.end()), prefixes.end());
  Trie trie;
  std::vector<std::uint32_t> places;
  std::vector<std::size_t> counts;
  for (const Cidr& prefix : prefixes) {
    counts.push_back(trie.node_count());
    places.push_back(trie.add(prefix));
  }
  while (!places.empty()) {
    trie.remove(places.back());
    ASSERT_EQ(trie.node_count(), counts.back());
    places.pop_back();
    counts.pop_back();
  }
}

TEST(AllowedIpsTrie, P91_AnEmptyTrieHoldsNoMemory) {
  Trie trie;
  std::vector<std::uint32_t> places;
  for (const Cidr& prefix : random_addresses(1000, 2)) places.push_back(trie.add(prefix));
  EXPECT_GT(trie.memory_bytes(), 0u);
  for (const std::uint32_t place : places) trie.remove(place);
  EXPECT_EQ(trie.memory_bytes(), 0u);
}

TEST(AllowedIpsTrie, P91_MemoryIsFlatWhilePrefixesComeAndGo) {
  std::vector<Cidr> prefixes;
  for (const Cidr& host : random_addresses(500, 3)) {
    // Those of 120 to 123 bits stand in one node.
    for (unsigned length = 120; length <= 128; ++length) {
      prefixes.emplace_back(host.address(), length);
    }
  }
  Trie trie;
  trie.add("::/0");
  std::size_t after_first_round = 0;
  for (int round = 0; round < 20; ++round) {
    std::vector<std::uint32_t> places;
    for (const Cidr& prefix : prefixes) places.push_back(trie.add(prefix));
    for (const std::uint32_t place : places) trie.remove(place);
    if (round == 0) after_first_round = trie.memory_bytes();
    ASSERT_EQ(trie.memory_bytes(), after_first_round);
  }
}

TEST(AllowedIpsTrie, P90_APrefixCostsAbout64Bytes) {
  constexpr std::size_t kCount = 100'000;
  Trie trie;
  for (const Cidr& prefix : random_addresses(kCount, 4)) trie.add(prefix);
  EXPECT_LT(trie.memory_with_prefixes_bytes(), 66 * kCount);
}

}  // namespace
}  // namespace ferrule::protocol
