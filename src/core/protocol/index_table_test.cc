#include "protocol/index_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "base/heap_bytes_testing.h"
#include "protocol/rng_testing.h"

namespace ferrule::protocol {
namespace {

IndexEntry entry_of(std::uint32_t slot) { return {PeerId{slot, 0}, nullptr}; }

std::optional<LocalIndex> insert(IndexTable& table, Rng& rng, const IndexEntry& entry) {
  IndexCandidates candidates(rng, 1);
  const std::optional<LocalIndex> index = table.find_free(candidates);
  if (!index || !table.insert(*index, entry)) return std::nullopt;
  return index;
}

// Gives these indices one after the other, then the last of them for ever; without any it fails.
class IndexRng final : public Rng {
 public:
  explicit IndexRng(std::deque<std::uint32_t> indices) : indices_(std::move(indices)) {}
  [[nodiscard]] bool fill(MutBytes out) noexcept override {
    if (indices_.empty()) return false;
    for (std::size_t at = 0; at < out.size(); at += 4) {
      store_le32(out.data() + at, indices_.front());
      if (indices_.size() > 1) indices_.pop_front();
    }
    return true;
  }

 private:
  std::deque<std::uint32_t> indices_;
};

TEST(IndexTable, P12_AnIndexNamesItsEntry) {
  test::RepeatableRng rng(1);
  IndexTable table;
  const LocalIndex anna = *insert(table, rng, entry_of(1));
  const LocalIndex bert = *insert(table, rng, entry_of(2));
  EXPECT_EQ(table.find(anna)->peer.slot, 1u);
  EXPECT_EQ(table.find(bert)->peer.slot, 2u);
  EXPECT_EQ(table.find(LocalIndex{anna.value ^ bert.value}), nullptr);
  EXPECT_EQ(table.size(), 2u);
}

TEST(IndexTable, P12_AnIndexThatIsTakenIsNotGivenTwice) {
  IndexRng rng({7, 7, 7, 8});
  IndexTable table;
  EXPECT_EQ(insert(table, rng, entry_of(1)), LocalIndex{7});
  EXPECT_EQ(insert(table, rng, entry_of(2)), LocalIndex{8});
  EXPECT_EQ(table.find(LocalIndex{7})->peer.slot, 1u);
}

TEST(IndexTable, P12_ATakenIndexIsNotInsertedAgain) {
  IndexTable table;
  EXPECT_TRUE(table.insert(LocalIndex{7}, entry_of(1)));
  EXPECT_FALSE(table.insert(LocalIndex{7}, entry_of(2)));
  EXPECT_EQ(table.find(LocalIndex{7})->peer.slot, 1u);
  EXPECT_EQ(table.size(), 1u);
}

TEST(IndexTable, P12_EveryValueIsAnIndex) {
  IndexRng rng({0, UINT32_MAX});
  IndexTable table;
  EXPECT_EQ(table.find(LocalIndex{0}), nullptr);
  EXPECT_EQ(insert(table, rng, entry_of(1)), LocalIndex{0});
  EXPECT_EQ(insert(table, rng, entry_of(2)), LocalIndex{UINT32_MAX});
  EXPECT_EQ(table.find(LocalIndex{0})->peer.slot, 1u);
  EXPECT_EQ(table.find(LocalIndex{UINT32_MAX})->peer.slot, 2u);
}

TEST(IndexTable, P12_IndicesUseAllBitsOfTheRng) {
  test::RepeatableRng rng(2);
  IndexTable table;
  std::array<int, 32> ones{};
  constexpr int kCount = 10'000;
  for (int i = 0; i < kCount; ++i) {
    const std::uint32_t index = insert(table, rng, entry_of(0))->value;
    for (unsigned bit = 0; bit < 32; ++bit) ones[bit] += static_cast<int>(index >> bit & 1);
  }
  for (const int count : ones) {
    EXPECT_GT(count, kCount * 45 / 100);
    EXPECT_LT(count, kCount * 55 / 100);
  }
}

TEST(IndexTable, P35_NoIndexWithoutRandomness) {
  IndexRng rng({});
  IndexTable table;
  EXPECT_FALSE(insert(table, rng, entry_of(1)));
  EXPECT_EQ(table.size(), 0u);
}

TEST(IndexTable, P35_AnRngThatRepeatsItselfEndsNothing) {
  IndexRng rng(std::deque<std::uint32_t>(1000, 7));
  IndexTable table;
  EXPECT_TRUE(insert(table, rng, entry_of(1)));
  EXPECT_FALSE(insert(table, rng, entry_of(2)));
}

TEST(IndexTable, P33_ARemovedIndexIsFreeAgain) {
  IndexRng rng({7, 7});
  IndexTable table;
  table.remove(*insert(table, rng, entry_of(1)));
  EXPECT_EQ(table.find(LocalIndex{7}), nullptr);
  EXPECT_EQ(table.size(), 0u);
  EXPECT_EQ(insert(table, rng, entry_of(2)), LocalIndex{7});
}

TEST(IndexTable, P33_RemovingWhatIsNotThereChangesNothing) {
  IndexRng rng({7});
  IndexTable table;
  table.remove(LocalIndex{7});
  (void)insert(table, rng, entry_of(1));
  table.remove(LocalIndex{8});
  table.remove(LocalIndex{7 + 256});
  EXPECT_EQ(table.size(), 1u);
  EXPECT_NE(table.find(LocalIndex{7}), nullptr);
}

TEST(IndexTable, P40_AHandshakesIndexGoesOnAsTheKeypairs) {
  test::RepeatableRng rng(3);
  IndexTable table;
  const LocalIndex index = *insert(table, rng, entry_of(1));
  Keypair* const keypair = reinterpret_cast<Keypair*>(&table);  // never looked into
  table.replace(index, {PeerId{1, 0}, keypair});
  EXPECT_EQ(table.find(index)->keypair, keypair);
  EXPECT_EQ(table.size(), 1u);
}

// Indices that share their low bits stand in one shard, and those that differ only in the high ones
// want the same slot: every removal then has others to move.
TEST(IndexTable, P33_RemovalsAmongIndicesThatCollideLoseNone) {
  std::mt19937_64 random(4);
  for (int round = 0; round < 2000; ++round) {
    std::deque<std::uint32_t> indices;
    while (indices.size() < 12) {
      const auto index = static_cast<std::uint32_t>((random() % 4 << 24) | (random() % 16 << 8));
      if (std::find(indices.begin(), indices.end(), index) == indices.end()) {
        indices.push_back(index);
      }
    }
    IndexTable table;
    for (const std::uint32_t index : indices) {
      ASSERT_TRUE(table.insert(LocalIndex{index}, entry_of(index)));
    }
    std::shuffle(indices.begin(), indices.end(), random);
    while (!indices.empty()) {
      table.remove(LocalIndex{indices.front()});
      ASSERT_EQ(table.find(LocalIndex{indices.front()}), nullptr);
      indices.pop_front();
      for (const std::uint32_t index : indices) {
        ASSERT_NE(table.find(LocalIndex{index}), nullptr);
        ASSERT_EQ(table.find(LocalIndex{index})->peer.slot, index);
      }
    }
  }
}

TEST(IndexTable, P12_AMillionRandomChangesAgreeWithAMap) {
  std::mt19937_64 random(5);
  test::RepeatableRng rng(6);
  IndexTable table;
  std::vector<std::pair<LocalIndex, std::uint32_t>> model;
  std::uint32_t wanted = 100;  // the size swings, so that shards grow and shrink
  for (std::uint32_t step = 0; step < 1'000'000; ++step) {
    if (step % 50'000 == 0) wanted = wanted == 100 ? 20'000 : 100;
    if (model.empty() || random() % 20'000 < wanted) {
      const LocalIndex index = *insert(table, rng, entry_of(step));
      model.emplace_back(index, step);
    } else {
      std::swap(model[random() % model.size()], model.back());
      table.remove(model.back().first);
      ASSERT_EQ(table.find(model.back().first), nullptr);
      model.pop_back();
    }
    ASSERT_EQ(table.size(), model.size());
    if (model.empty()) continue;
    const auto& [index, slot] = model[random() % model.size()];
    ASSERT_NE(table.find(index), nullptr);
    ASSERT_EQ(table.find(index)->peer.slot, slot);
  }
}

TEST(IndexTable, P33_MemoryIsFlatOverAMillionInitiations) {
  test::RepeatableRng rng(7);
  IndexTable table;
  std::vector<LocalIndex> live;
  for (int i = 0; i < 100; ++i) live.push_back(*insert(table, rng, entry_of(0)));
  std::size_t most_early = 0;
  std::size_t most_late = 0;
  for (int initiation = 0; initiation < 1'000'000; ++initiation) {
    LocalIndex& index = live[static_cast<std::size_t>(initiation) % live.size()];
    table.remove(index);
    index = *insert(table, rng, entry_of(0));
    if (initiation % 1000 != 0) continue;
    std::size_t& most = initiation < 200'000 ? most_early : most_late;
    most = std::max(most, test::heap_bytes());
  }
  EXPECT_LE(most_late, most_early + 4096);
}

TEST(IndexTable, P33_MemoryFollowsAFallingNumberOfIndices) {
  test::RepeatableRng rng(9);
  IndexTable table;
  std::vector<LocalIndex> live;
  live.reserve(100'000);
  const std::size_t before = test::heap_bytes();
  for (int i = 0; i < 100'000; ++i) live.push_back(*insert(table, rng, entry_of(0)));
  const std::size_t with_all = test::heap_bytes() - before;
  for (int i = 0; i < 90'000; ++i) {
    table.remove(live.back());
    live.pop_back();
  }
  // Whoever is left goes on with handshakes, as peers do.
  for (int initiation = 0; initiation < 50'000; ++initiation) {
    LocalIndex& index = live[static_cast<std::size_t>(initiation) % live.size()];
    table.remove(index);
    index = *insert(table, rng, entry_of(0));
  }
  EXPECT_LE(test::heap_bytes() - before, with_all / 3);
}

TEST(IndexTable, P33_MemoryIsGivenBackWithTheLastIndices) {
  test::RepeatableRng rng(8);
  IndexTable table;
  const std::size_t before = test::heap_bytes();
  std::vector<LocalIndex> live;
  live.reserve(100'000);
  const std::size_t with_list = test::heap_bytes();
  for (int i = 0; i < 100'000; ++i) live.push_back(*insert(table, rng, entry_of(0)));
  for (const LocalIndex index : live) table.remove(index);
  EXPECT_LE(test::heap_bytes(), before + (with_list - before) + 4096);
  EXPECT_EQ(table.size(), 0u);
}

}  // namespace
}  // namespace ferrule::protocol
