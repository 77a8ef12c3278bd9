// The table of allowed IPs takes its memory before a change: enough for whatever comes, and not much more.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <string>
#include <vector>

#include "memory/failing_memory.h"
#include "protocol/allowed_ips.h"

namespace ferrule::memory {
namespace {

using protocol::AllowedIps;

constexpr PeerId kPeer{0, 0};

Cidr v4(std::uint32_t address, unsigned length) {
  std::array<std::uint8_t, 4> bytes{};
  store_be32(bytes.data(), address);
  return Cidr(IpAddress::v4(bytes), length);
}

// Holds room for `changes` and makes them while there is no memory at all.
void change_without_memory(AllowedIps& table, const std::vector<Cidr>& changes,
                           std::mt19937& random, unsigned removals_in_ten) {
  while (!table.hold_slots(1)) {
  }
  while (!table.hold_some_room({.v4 = changes.size(), .v6 = 0})) {
  }
  {
    const Shortage shortage(0, Failing::rest);
    for (std::size_t i = 0; i < changes.size(); ++i) {
      ASSERT_NO_THROW(table.insert(changes[i], kPeer)) << i << " of " << changes.size();
      if (random() % 10 < removals_in_ten) (void)table.remove(changes[random() % (i + 1)], kPeer);
    }
    // Hosts have an index, which asks for memory, and does without.
    const bool has_hosts =
        std::ranges::any_of(changes, [](const Cidr& cidr) { return cidr.length() == 32; });
    ASSERT_TRUE(has_hosts || !shortage.was_felt());
  }
  while (!table.let_go()) {
  }
}

// Hosts whose nodes have the same number of children on each level: all grow at the same time.
std::vector<Cidr> hosts(std::uint32_t nodes, std::uint32_t first, std::uint32_t end) {
  std::vector<Cidr> prefixes;
  for (std::uint32_t child = first; child < end; ++child) {
    for (std::uint32_t node = 0; node < nodes; ++node) {
      prefixes.push_back(v4(node << 8 | child << 4, 28));
    }
  }
  return prefixes;
}

// Of many sizes, since a table often has room to spare that it took before.
TEST(AllowedIpsMemory, P35_TheRoomIsEnoughWhereEachInsertMakesANodeGrow) {
  std::mt19937 random(1);
  for (std::uint32_t nodes = 500; nodes < 1000; nodes += 30) {
    for (const std::uint32_t full : {1u, 2u, 4u, 8u, 15u}) {
      AllowedIps table;
      for (const Cidr& cidr : hosts(nodes, 0, full)) table.insert(cidr, kPeer);
      change_without_memory(table, hosts(nodes, full, full + 1), random, 0);
    }
  }
}

TEST(AllowedIpsMemory, P35_TheRoomIsEnoughWhereAllNodesGrowFromNothing) {
  std::mt19937 random(2);
  for (const std::uint32_t children : {2u, 3u, 5u, 9u, 16u}) {
    AllowedIps table;
    change_without_memory(table, hosts(1000, 0, children), random, 0);
  }
}

TEST(AllowedIpsMemory, P35_TheRoomIsEnoughWhereOneNodeHoldsManyPrefixes) {
  std::mt19937 random(3);
  std::vector<Cidr> prefixes;
  for (unsigned value = 0; value < 8; ++value) {
    for (unsigned length = 24; length < 28; ++length) {
      for (std::uint32_t node = 0; node < 500; ++node) {
        prefixes.push_back(v4(node << 8 | value << 5, length));
      }
    }
  }
  AllowedIps table;
  change_without_memory(table, prefixes, random, 0);
  change_without_memory(table, prefixes, random, 5);
}

TEST(AllowedIpsMemory, P35_TheRoomIsEnoughWhateverComesAndGoes) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 random(seed);
    const unsigned bits = 2 + random() % 12;  // how crowded it is
    AllowedIps table;
    for (int change = 0; change < 6; ++change) {
      std::vector<Cidr> prefixes(1 + random() % 600);
      for (Cidr& cidr : prefixes) {
        cidr = v4(static_cast<std::uint32_t>(random() & ((1u << bits) - 1)) << (random() % 20),
                  1 + random() % 32);
      }
      ASSERT_NO_FATAL_FAILURE(change_without_memory(table, prefixes, random, random() % 10));
    }
  }
}

TEST(AllowedIpsMemory, P35_HostsAreFoundWhereTheirIndexHasNoMemory) {
  constexpr std::uint32_t kHosts = 3000;
  for (const std::uint32_t before : {0u, 1u, 1000u}) {  // that stand in it
    AllowedIps table;
    while (!table.hold_slots(kHosts) || !table.hold_some_room({.v4 = kHosts, .v6 = 0})) {
    }
    const auto host = [](std::uint32_t n) { return v4(0x0a000000 + 7 * n, 32); };
    for (std::uint32_t n = 0; n < before; ++n) table.insert(host(n), {n, 0});
    {
      const Shortage shortage(0, Failing::rest);
      for (std::uint32_t n = before; n < kHosts; ++n) {
        ASSERT_NO_THROW(table.insert(host(n), {n, 0}));
      }
      ASSERT_TRUE(shortage.was_felt());
    }
    for (std::uint32_t n = 0; n < kHosts; ++n) {
      ASSERT_EQ(table.lookup(host(n).address()), (PeerId{n, 0}));
    }
    for (std::uint32_t n = 0; n < kHosts; n += 2) ASSERT_TRUE(table.remove(host(n), {n, 0}));
    for (std::uint32_t n = 0; n < kHosts; ++n) {
      ASSERT_EQ(table.lookup(host(n).address()), n % 2 == 0 ? PeerId{} : (PeerId{n, 0}));
    }
  }
}

// Under vm.overcommit_memory=2 what is reserved must be there, whether it is touched or not.
TEST(AllowedIpsMemory, P35_AMillionPrefixesReserveNotMuchMoreThanTheyTake) {
  constexpr std::size_t kPrefixes = 1'000'000;
  AllowedIps table;
  const std::size_t before = reserved_bytes();
  while (!table.hold_some_room({.v4 = kPrefixes, .v6 = 0})) {
  }
  EXPECT_LT(reserved_bytes() - before, 128 * kPrefixes);
  while (!table.let_go()) {
  }
}

}  // namespace
}  // namespace ferrule::memory
