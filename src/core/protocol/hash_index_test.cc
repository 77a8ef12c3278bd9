#include "protocol/hash_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

namespace ferrule::protocol {
namespace {

// A hash as good as any.
std::uint64_t hash_of(std::uint64_t number) { return number * 0x9E3779B97F4A7C15u; }

// With the numbers that a table would have.
class HashIndexTest : public ::testing::Test {
 protected:
  void insert(std::uint64_t number, std::uint64_t hash) {
    numbers.push_back(number);
    index.insert(hash, static_cast<std::uint32_t>(numbers.size() - 1));
  }
  void insert(std::uint64_t number) { insert(number, hash_of(number)); }
  [[nodiscard]] std::uint32_t find(std::uint64_t number, std::uint64_t hash) const {
    (void)index.first_look(hash);
    return index.find(hash, [&](std::uint32_t slot) { return numbers[slot] == number; });
  }
  [[nodiscard]] std::uint32_t find(std::uint64_t number) const {
    return find(number, hash_of(number));
  }
  HashIndex index;
  std::vector<std::uint64_t> numbers;
};

TEST_F(HashIndexTest, FindsWhatWasInsertedAndNothingElse) {
  EXPECT_EQ(find(1), HashIndex::kNone);
  EXPECT_TRUE(index.empty());
  for (std::uint64_t i = 0; i < 20'000; ++i) insert(i);
  EXPECT_FALSE(index.empty());
  for (std::uint32_t i = 0; i < 20'000; ++i) ASSERT_EQ(find(i), i);
  for (std::uint64_t i = 20'000; i < 40'000; ++i) ASSERT_EQ(find(i), HashIndex::kNone);
}

TEST_F(HashIndexTest, WhatHasTheSameHashIsToldApart) {
  insert(5, hash_of(5));
  insert(6, hash_of(5));
  EXPECT_EQ(find(5, hash_of(5)), 0u);
  EXPECT_EQ(find(6, hash_of(5)), 1u);
  index.remove(hash_of(5), 0);
  EXPECT_EQ(find(5, hash_of(5)), HashIndex::kNone);
  EXPECT_EQ(find(6, hash_of(5)), 1u);
}

TEST_F(HashIndexTest, SaysWhenItGivesMemoryBack) {
  constexpr std::uint32_t kNumbers = 20'000;
  for (std::uint64_t i = 0; i < kNumbers; ++i) insert(i);
  std::size_t gave_back = 0;
  for (std::uint32_t i = 0; i < kNumbers; ++i) gave_back += index.remove(hash_of(i), i) ? 1 : 0;
  EXPECT_EQ(gave_back, 256u) << "once a shard";
  EXPECT_TRUE(index.empty());
}

TEST_F(HashIndexTest, AgreesWithAMapWhateverComesAndGoes) {
  std::mt19937_64 random(1);
  std::map<std::uint64_t, std::uint32_t> model;
  for (int step = 0; step < 100'000; ++step) {
    const std::uint64_t number = random() % 3000;
    const auto known = model.find(number);
    if (known != model.end()) {
      index.remove(hash_of(number), known->second);
      model.erase(known);
    } else {
      if (random() % 4 == 0) (void)index.hold_room(hash_of(number));
      insert(number);
      model[number] = static_cast<std::uint32_t>(numbers.size() - 1);
    }
    if (random() % 16 == 0) index.let_go();
  }
  for (std::uint64_t number = 0; number < 3000; ++number) {
    const auto known = model.find(number);
    ASSERT_EQ(find(number), known == model.end() ? HashIndex::kNone : known->second);
  }
}

// All in one shard, around whose end they are put: none is lost there.
TEST_F(HashIndexTest, AShardHasNoEnd) {
  for (std::uint64_t i = 0; i < 100; ++i) insert(i, (std::uint64_t{0xffffffff} - i % 3) << 24);
  for (std::uint64_t i = 0; i < 100; ++i) {
    ASSERT_EQ(find(i, (std::uint64_t{0xffffffff} - i % 3) << 24), i);
  }
  for (std::uint32_t i = 0; i < 100; i += 2) {
    index.remove((std::uint64_t{0xffffffff} - i % 3) << 24, i);
  }
  for (std::uint64_t i = 0; i < 100; ++i) {
    const std::uint32_t found = find(i, (std::uint64_t{0xffffffff} - i % 3) << 24);
    ASSERT_EQ(found, i % 2 == 0 ? HashIndex::kNone : i);
  }
}

}  // namespace
}  // namespace ferrule::protocol
