#include "quick/transaction.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <csignal>

#include "files/listener_testing.h"
#include "io/linux/ending_signals.h"

namespace ferrule::quick {
namespace {

using testing::ElementsAre;

class TransactionTest : public testing::Test {
 protected:
  Action note(const std::string& name) {
    return {name, [this, name]() -> Result<void> {
              done_.push_back(name);
              return {};
            }};
  }
  Action fail(const std::string& name) {
    return {name, [name] { return Result<void>(std::unexpected(system_error(EPERM, name))); }};
  }

  std::vector<std::string> done_;
  files::TestListener listener_;
};

TEST_F(TransactionTest, WhatIsNotKeptIsTakenBackFromTheLastToTheFirst) {
  {
    Transaction transaction(listener_);
    ASSERT_TRUE(transaction.perform(note("a"), note("undo a")));
    ASSERT_TRUE(transaction.perform(note("b")));
    ASSERT_TRUE(transaction.perform(note("c"), note("undo c")));
  }
  EXPECT_THAT(done_, ElementsAre("a", "b", "c", "undo c", "undo a"));
}

TEST_F(TransactionTest, WhatIsKeptStays) {
  {
    Transaction transaction(listener_);
    ASSERT_TRUE(transaction.perform(note("a"), note("undo a")));
    transaction.keep();
  }
  EXPECT_THAT(done_, ElementsAre("a"));
}

TEST_F(TransactionTest, WhatFailedIsNotTakenBack) {
  {
    Transaction transaction(listener_);
    ASSERT_TRUE(transaction.perform(note("a"), note("undo a")));
    EXPECT_FALSE(transaction.perform(fail("b"), note("undo b")));
  }
  EXPECT_THAT(done_, ElementsAre("a", "undo a"));
}

TEST_F(TransactionTest, AnUndoThatFailsIsSaidAndTheOthersGoOn) {
  {
    Transaction transaction(listener_);
    ASSERT_TRUE(transaction.perform(note("a"), note("undo a")));
    ASSERT_TRUE(transaction.perform(note("b"), fail("undo b")));
  }
  EXPECT_THAT(done_, ElementsAre("a", "b", "undo a"));
  EXPECT_THAT(listener_.heard(),
              ElementsAre("[#] a", "[#] b", "[#] undo b",
                          "Unable to take back: undo b: Operation not permitted", "[#] undo a"));
}

TEST_F(TransactionTest, StepsThatHappenedElsewhereAreTakenBackToo) {
  {
    Transaction transaction(listener_);
    transaction.remember(note("undo other"));
  }
  EXPECT_THAT(done_, ElementsAre("undo other"));
}

TEST_F(TransactionTest, NoStepIsTakenOnceAnEndingSignalHasCome) {
  const io::SignalsWait wait;
  Transaction transaction(listener_);
  ASSERT_TRUE(transaction.perform(note("a"), note("undo a")));
  raise(SIGTERM);
  const auto done = transaction.perform(note("b"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, EINTR);
  transaction.take_back();
  EXPECT_THAT(done_, ElementsAre("a", "undo a"));
  const sigset_t signals = io::ending_signals();
  int taken = 0;
  sigwait(&signals, &taken);  // else it would end the tests
  EXPECT_EQ(taken, SIGTERM);
}

}  // namespace
}  // namespace ferrule::quick
