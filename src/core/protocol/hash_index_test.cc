#include "protocol/key_index.h"

#include <gtest/gtest.h>

#include <map>
#include <random>
#include <vector>

#include "base/bytes.h"

namespace ferrule::protocol {
namespace {

PublicKey key_of(std::uint64_t number) {
  PublicKey key;
  store_le64(key.bytes.data(), number);
  return key;
}

// With the keys that a table would have.
class KeyIndexTest : public ::testing::Test {
 protected:
  void insert(const PublicKey& key) {
    keys.push_back(key);
    index.insert(key, static_cast<std::uint32_t>(keys.size() - 1));
  }
  [[nodiscard]] std::uint32_t find(const PublicKey& key) const {
    return index.find(key, [&](std::uint32_t slot) { return keys[slot] == key; });
  }
  KeyIndex index;
  std::vector<PublicKey> keys;
};

TEST_F(KeyIndexTest, FindsWhatWasInsertedAndNothingElse) {
  EXPECT_EQ(find(key_of(1)), KeyIndex::kNone);
  for (std::uint64_t i = 0; i < 20'000; ++i) insert(key_of(i));
  for (std::uint32_t i = 0; i < 20'000; ++i) ASSERT_EQ(find(key_of(i)), i);
  for (std::uint64_t i = 20'000; i < 40'000; ++i) ASSERT_EQ(find(key_of(i)), KeyIndex::kNone);
}

TEST_F(KeyIndexTest, KeysOfOneHashAreToldApart) {
  PublicKey other = key_of(5);
  other.bytes[31] = 1;  // not part of the hash
  insert(key_of(5));
  insert(other);
  EXPECT_EQ(find(key_of(5)), 0u);
  EXPECT_EQ(find(other), 1u);
  index.remove(key_of(5), 0);
  EXPECT_EQ(find(key_of(5)), KeyIndex::kNone);
  EXPECT_EQ(find(other), 1u);
}

TEST_F(KeyIndexTest, SaysWhenItGivesMemoryBack) {
  constexpr std::uint32_t kKeys = 20'000;
  for (std::uint64_t i = 0; i < kKeys; ++i) insert(key_of(i));
  std::size_t gave_back = 0;
  for (std::uint32_t i = 0; i < kKeys; ++i) gave_back += index.remove(key_of(i), i) ? 1 : 0;
  EXPECT_EQ(gave_back, 256u) << "once a shard";
}

TEST_F(KeyIndexTest, AgreesWithAMapWhateverComesAndGoes) {
  std::mt19937_64 random(1);
  std::map<std::uint64_t, std::uint32_t> model;
  for (int step = 0; step < 100'000; ++step) {
    const std::uint64_t number = random() % 3000;
    const auto known = model.find(number);
    if (known != model.end()) {
      index.remove(key_of(number), known->second);
      model.erase(known);
    } else {
      if (random() % 4 == 0) (void)index.hold_room(key_of(number));
      insert(key_of(number));
      model[number] = static_cast<std::uint32_t>(keys.size() - 1);
    }
    if (random() % 16 == 0) index.let_go();
  }
  for (std::uint64_t number = 0; number < 3000; ++number) {
    const auto known = model.find(number);
    ASSERT_EQ(find(key_of(number)), known == model.end() ? KeyIndex::kNone : known->second);
  }
}

}  // namespace
}  // namespace ferrule::protocol
