#include "io/linux/event_loop.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>

#include <thread>

#include "io/clock.h"

namespace ferrule::io {
namespace {

bool is_readable(int fd, int milliseconds = 0) {
  pollfd descriptor{fd, POLLIN, 0};
  return ::poll(&descriptor, 1, milliseconds) == 1;
}

TEST(EventLoop, AnEventIsReadableUntilItIsDrained) {
  auto event = EventFd::open().value();
  EXPECT_FALSE(is_readable(event.poll_fd()));
  event.signal();
  event.signal();
  EXPECT_TRUE(is_readable(event.poll_fd()));
  EXPECT_TRUE(event.drain());
  EXPECT_FALSE(event.drain());
  EXPECT_FALSE(is_readable(event.poll_fd()));
}

TEST(EventLoop, TimerFiresAtItsInstantAndNotBefore) {
  auto timer = TimerFd::open().value();
  const Instant deadline = now().boot + 5ms;
  timer.arm(deadline);
  EXPECT_TRUE(is_readable(timer.poll_fd(), 5000));
  EXPECT_GE(now().boot, deadline);
}

TEST(EventLoop, TimerOfThePastFiresAtOnceAndNeverDisarms) {
  auto timer = TimerFd::open().value();
  for (const Instant past : {Instant(), Instant::from_ns(-5), now().boot - 1s}) {
    timer.arm(past);
    EXPECT_TRUE(is_readable(timer.poll_fd(), 1000));
    timer.arm(Instant::never());
    EXPECT_FALSE(is_readable(timer.poll_fd(), 10));
  }
}

TEST(EventLoop, SignalsArriveAsEvents) {
  std::thread([] {  // keeps its signal mask to itself
    const int wanted[] = {SIGUSR1, SIGUSR2};
    auto signals = SignalFd::open(wanted).value();
    EXPECT_FALSE(signals.take());
    ::pthread_kill(::pthread_self(), SIGUSR2);
    EXPECT_EQ(signals.take(), SIGUSR2);
    EXPECT_FALSE(signals.take());
  })
      .join();
}

TEST(Clock, BothClocksRun) {
  const Now first = now();
  const Now second = now();
  EXPECT_GT(first.boot.ns(), 0);
  EXPECT_GE(second.boot, first.boot);
  EXPECT_GT(first.wall.seconds, 1'600'000'000);
  EXPECT_LT(first.wall.nanoseconds, 1'000'000'000u);
}

}  // namespace
}  // namespace ferrule::io
