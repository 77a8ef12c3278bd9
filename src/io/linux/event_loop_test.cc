#include "io/linux/event_loop.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>

#include <thread>

#include "io/linux/clock.h"

namespace ferrule::io {
namespace {

TEST(EventLoop, ReadyDescriptorGivesItsTag) {
  auto epoll = Epoll::open().value();
  auto one = EventFd::open().value();
  auto two = EventFd::open().value();
  ASSERT_TRUE(epoll.add(one.poll_fd(), EPOLLIN, 11));
  ASSERT_TRUE(epoll.add(two.poll_fd(), EPOLLIN, 22));
  epoll_event room[4];
  EXPECT_TRUE(epoll.wait(room, 0ns).empty());
  two.signal();
  two.signal();
  auto events = epoll.wait(room, std::nullopt);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(tag_of(events[0]), 22u);
  EXPECT_TRUE(two.drain());
  EXPECT_FALSE(two.drain());
  EXPECT_TRUE(epoll.wait(room, 0ns).empty());
  epoll.remove(one.poll_fd());
  one.signal();
  EXPECT_TRUE(epoll.wait(room, 0ns).empty());
}

TEST(EventLoop, OneShotIsSilentUntilArmedAgain) {
  auto epoll = Epoll::open().value();
  auto event = EventFd::open().value();
  ASSERT_TRUE(epoll.add(event.poll_fd(), EPOLLIN | EPOLLONESHOT, 1));
  event.signal();
  epoll_event room[4];
  EXPECT_EQ(epoll.wait(room, 0ns).size(), 1u);
  EXPECT_TRUE(epoll.wait(room, 0ns).empty());
  ASSERT_TRUE(epoll.modify(event.poll_fd(), EPOLLIN | EPOLLONESHOT, 1));
  EXPECT_EQ(epoll.wait(room, 0ns).size(), 1u);
}

TEST(EventLoop, BadDescriptorIsAnError) {
  auto epoll = Epoll::open().value();
  EXPECT_FALSE(epoll.add(-1, EPOLLIN, 1));
}

TEST(EventLoop, WaitDoesNotEndBeforeItsTime) {
  auto epoll = Epoll::open().value();
  epoll_event room[1];
  const Instant start = now().boot;
  EXPECT_TRUE(epoll.wait(room, 2'500'000ns).empty());
  EXPECT_GE(now().boot - start, 2'500'000ns);
}

TEST(EventLoop, AnotherThreadWakesTheLoop) {
  auto epoll = Epoll::open().value();
  auto event = EventFd::open().value();
  ASSERT_TRUE(epoll.add(event.poll_fd(), EPOLLIN, 1));
  std::thread waker([&] { event.signal(); });
  epoll_event room[1];
  EXPECT_EQ(epoll.wait(room, 5s).size(), 1u);
  waker.join();
}

TEST(EventLoop, TimerFiresAtItsInstantAndNotBefore) {
  auto epoll = Epoll::open().value();
  auto timer = TimerFd::open().value();
  ASSERT_TRUE(epoll.add(timer.poll_fd(), EPOLLIN, 1));
  epoll_event room[1];
  const Instant deadline = now().boot + 5ms;
  timer.arm(deadline);
  EXPECT_FALSE(timer.drain());
  EXPECT_EQ(epoll.wait(room, 5s).size(), 1u);
  EXPECT_GE(now().boot, deadline);
  EXPECT_TRUE(timer.drain());
  EXPECT_FALSE(timer.drain());
}

TEST(EventLoop, TimerOfThePastFiresAtOnceAndNeverDisarms) {
  auto epoll = Epoll::open().value();
  auto timer = TimerFd::open().value();
  ASSERT_TRUE(epoll.add(timer.poll_fd(), EPOLLIN, 1));
  epoll_event room[1];
  for (const Instant past : {Instant(), Instant::from_ns(-5), now().boot - 1s}) {
    timer.arm(past);
    EXPECT_EQ(epoll.wait(room, 1s).size(), 1u);
    timer.arm(Instant::never());
    EXPECT_TRUE(epoll.wait(room, 10ms).empty());
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
