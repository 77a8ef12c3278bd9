#include "protocol/peer_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <vector>

namespace ferrule::protocol {
namespace {

PublicKey key_of(std::uint64_t number) {
  PublicKey key;
  store_le64(key.bytes.data(), number);
  return key;
}

std::vector<PublicKey> keys_of(const PeerTable& table) {
  std::vector<PublicKey> keys;
  for (const Peer* peer = table.first(); peer != nullptr; peer = table.after(*peer)) {
    keys.push_back(peer->public_key);
  }
  return keys;
}

TEST(PeerTable, PeersAreFoundByKeyAndByIdUntilTheyGo) {
  PeerTable table;
  const PeerId id = table.add(key_of(1)).id;
  EXPECT_EQ(table.find(key_of(1)), table.find(id));
  ASSERT_NE(table.find(id), nullptr);
  EXPECT_EQ(table.find(id)->public_key, key_of(1));
  table.remove(id);
  EXPECT_EQ(table.find(id), nullptr);
  EXPECT_EQ(table.find(key_of(1)), nullptr);
  EXPECT_NE(table.add(key_of(2)).id, id) << "an id never names another peer";
}

TEST(PeerTable, P100_PeersStandInTheOrderInWhichTheyWereAdded) {
  PeerTable table;
  for (std::uint64_t i = 0; i < 200; ++i) (void)table.add(key_of(i));
  std::vector<PublicKey> expected;
  for (std::uint64_t i = 0; i < 200; ++i) {
    if (i % 3 == 0) {
      table.remove(table.find(key_of(i))->id);
    } else {
      expected.push_back(key_of(i));
    }
  }
  for (std::uint64_t i = 1000; i < 1050; ++i) {
    (void)table.add(key_of(i));
    expected.push_back(key_of(i));
  }
  EXPECT_EQ(keys_of(table), expected);
  EXPECT_EQ(table.size(), expected.size());
}

// Slots are few, whatever comes and goes: other tables have room for each.
TEST(PeerTable, SlotsServeAgain) {
  PeerTable table;
  for (std::uint64_t round = 0; round < 50; ++round) {
    for (std::uint64_t i = 0; i < 300; ++i) (void)table.add(key_of(i));
    while (const Peer* peer = table.first()) table.remove(peer->id);
  }
  EXPECT_LE(table.slot_count(), 320u);
}

TEST(PeerTable, SaysWhenItGivesMemoryBack) {
  PeerTable table;
  for (std::uint64_t i = 0; i < 3 * 64; ++i) (void)table.add(key_of(i));
  std::vector<std::size_t> left;
  while (const Peer* peer = table.first()) {
    if (table.remove(peer->id)) left.push_back(table.size());
  }
  for (const std::size_t block_is_empty : {128u, 64u, 0u}) {
    EXPECT_TRUE(std::ranges::find(left, block_is_empty) != left.end()) << block_is_empty;
  }
}

TEST(PeerTable, AgreesWithAMapWhateverComesAndGoes) {
  std::mt19937_64 random(1);
  PeerTable table;
  std::map<std::uint64_t, PeerId> model;
  for (int step = 0; step < 50'000; ++step) {
    const std::uint64_t number = random() % 2000;
    const auto known = model.find(number);
    if (known == model.end()) {
      model[number] = table.add(key_of(number)).id;
    } else {
      table.remove(known->second);
      model.erase(known);
    }
    if (random() % 1000 == 0) {
      while (!table.drop_spares()) {
      }
    }
  }
  ASSERT_EQ(table.size(), model.size());
  std::set<std::uint32_t> slots;
  for (const auto& [number, id] : model) {
    ASSERT_NE(table.find(id), nullptr);
    EXPECT_EQ(table.find(id), table.find(key_of(number)));
    EXPECT_TRUE(slots.insert(id.slot).second);
  }
}

}  // namespace
}  // namespace ferrule::protocol
