#include "engine/locks.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

namespace ferrule::engine {
namespace {

// A table of which a reader must never see half a change (P91).
struct Table {
  std::uint64_t left = 0;
  std::uint64_t right = 0;
};

TEST(Locks, P91_NoReaderSeesHalfAChangeOfTheTables) {
  constexpr std::size_t kReaders = 3;
  Locks locks(kReaders);
  Table table;
  std::atomic<std::size_t> reading = kReaders;
  std::vector<std::thread> readers;
  for (std::size_t reader = 0; reader < kReaders; ++reader) {
    readers.emplace_back([&, reader] {
      for (int look = 0; look < 10'000; ++look) {
        const Locks::TablesShared shared(locks, reader);
        ASSERT_EQ(table.left, table.right);
      }
      --reading;
    });
  }
  while (reading > 0) {
    const protocol::TablesGuard guard(locks);
    ++table.left;
    ++table.right;
  }
  for (std::thread& reader : readers) reader.join();
}

TEST(Locks, ReadersOfTheTablesDoNotMeet) {
  Locks locks(2);
  const Locks::TablesShared first(locks, 0);
  const Locks::TablesShared second(locks, 1);  // returns
}

TEST(Locks, ATableMayBeHeldWhileAPeerIsLocked) {
  Locks locks(1);
  const protocol::TablesGuard tables(locks);
  const protocol::PeerGuard peer(locks, PeerId{7, 0});  // returns
}

TEST(Locks, OnePeerIsOneThreadsAtATime) {
  Locks locks(1);
  std::uint64_t count = 0;
  const auto add = [&] {
    for (int i = 0; i < 20'000; ++i) {
      const protocol::PeerGuard guard(locks, PeerId{3, 0});
      ++count;
    }
  };
  std::thread other(add);
  add();
  other.join();
  EXPECT_EQ(count, 40'000u);
}

}  // namespace
}  // namespace ferrule::engine
