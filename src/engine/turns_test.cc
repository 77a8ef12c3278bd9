#include "engine/turns.h"

#include <gtest/gtest.h>

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

namespace ferrule::engine {
namespace {

TEST(Turns, TheFirstTicketHasItsTurnAtOnce) {
  Turns turns;
  turns.await(turns.draw());  // returns
}

TEST(Turns, ATicketHasItsTurnOnceTheOneBeforeIsPassed) {
  Turns turns;
  const Turns::Ticket first = turns.draw();
  const Turns::Ticket second = turns.draw();
  turns.pass(first);
  turns.await(second);  // returns
}

TEST(Turns, P77_ALaterTicketWaitsHoweverLongTheOneBeforeTakes) {
  Turns turns;
  const Turns::Ticket first = turns.draw();
  const Turns::Ticket second = turns.draw();
  std::atomic<bool> delivered{false};
  std::thread later([&] {
    turns.await(second);
    EXPECT_TRUE(delivered.load());
    turns.pass(second);
  });
  for (int work = 0; work < 1000; ++work) std::this_thread::yield();
  delivered = true;
  turns.pass(first);
  later.join();
}

// Readers draw under a lock and deliver in their turn, as a lane's workers do.
void take_turns(std::size_t workers, std::uint32_t rounds, std::vector<Turns::Ticket>& delivered) {
  Turns turns;
  std::mutex reading;
  std::uint32_t read = 0;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < workers; ++i) {
    threads.emplace_back([&] {
      for (;;) {
        Turns::Ticket ticket;
        {
          const std::lock_guard lock(reading);
          if (read == rounds) return;
          ++read;
          ticket = turns.draw();
        }
        turns.await(ticket);
        delivered.push_back(ticket);  // guarded by the turn
        turns.pass(ticket);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(Turns, P77_ManyWorkersDeliverInTheOrderOfTheirTickets) {
  constexpr std::uint32_t kRounds = 50'000;
  std::vector<Turns::Ticket> delivered;
  take_turns(4, kRounds, delivered);
  ASSERT_EQ(delivered.size(), kRounds);
  for (std::uint32_t i = 0; i < kRounds; ++i) ASSERT_EQ(delivered[i], i);
}

}  // namespace
}  // namespace ferrule::engine
