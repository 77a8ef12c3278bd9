// Initiations of both sides that cross on a long path (P31, P34).
#include <gtest/gtest.h>

#include <optional>
#include <tuple>

#include "protocol/world_testing.h"

namespace ferrule::protocol::testing {
namespace {

// What other implementations do on the wire: who answers an initiation has forgotten its own, and takes
// no response to it any more.
class Overwriting {
 public:
  explicit Overwriting(const Host& host) : host_(host) {}

  void sends(const Datagram& datagram) {
    if (datagram.from == host_.endpoint && datagram.type() == 1)
      pending_ = load_le32(&datagram.bytes[4]);
  }
  [[nodiscard]] bool takes(const Datagram& datagram) {
    if (datagram.to != host_.endpoint) return true;
    if (datagram.type() == 1) pending_.reset();
    return datagram.type() != 2 || pending_ == load_le32(&datagram.bytes[8]);
  }

 private:
  const Host& host_;
  std::optional<std::uint32_t> pending_;
};

// One way, and how much later than the other the second host begins.
using Path = std::tuple<std::chrono::milliseconds, std::chrono::milliseconds>;

class Crossed : public ::testing::TestWithParam<Path> {
 protected:
  Crossed() {
    world.pair(a, b);
    world.delay = delay();
  }
  static Duration delay() { return std::get<0>(GetParam()); }

  void there() { (void)a.send(ipv4("10.0.0.1", "10.0.0.2")); }
  void back() { (void)b.send(ipv4("10.0.0.2", "10.0.0.1")); }
  void both_begin() {
    there();
    world.run(std::get<1>(GetParam()));
    back();
    world.run(4 * delay() + 10ms);
  }
  void talk(Duration span) {
    for (Duration done{}; done < span; done += 500ms) {
      there();
      back();
      world.run(500ms);
    }
    world.run(delay());
  }
  // Whether all that was sent meanwhile has arrived.
  void expect_nothing_lost(Duration span) {
    const std::size_t of_a = b.delivered.size(), of_b = a.delivered.size();
    talk(span);
    EXPECT_EQ(b.delivered.size() - of_a, span / 500ms);
    EXPECT_EQ(a.delivered.size() - of_b, span / 500ms);
  }

  World world;
  Host& a = world.host("192.0.2.1:1000");
  Host& b = world.host("192.0.2.2:2000");
};

TEST_P(Crossed, P31_P34_BothConnectByTheFirstInitiationsOfEither) {
  both_begin();
  EXPECT_EQ(a.delivered.size(), 1u);
  EXPECT_EQ(b.delivered.size(), 1u);
  EXPECT_EQ(world.count_sent(1, a), 1u);
  EXPECT_EQ(world.count_sent(1, b), 1u);
}

TEST_P(Crossed, P34_NothingIsLostAfterwardsNorAtTheNextRekeys) {
  both_begin();
  expect_nothing_lost(400s);
}

TEST_P(Crossed, P34_OneOfTheTwoRekeysFromThenOn) {
  both_begin();
  talk(400s);
  EXPECT_EQ(world.count_sent(1, a) + world.count_sent(1, b), 2u + 3u);
  EXPECT_TRUE(world.count_sent(1, a) == 1 || world.count_sent(1, b) == 1);
}

TEST_P(Crossed, P34_ARunningSessionLosesNothing) {
  world.delay = {};
  there();
  world.settle();
  world.delay = delay();
  world.run(16s);
  there();
  back();
  world.run(delay());
  const std::size_t of_a = b.delivered.size(), of_b = a.delivered.size();
  world.passes = [](const Datagram& datagram) { return datagram.type() != 4; };
  there();
  back();
  world.run(15s + kMaxTimerJitter);  // nobody is heard: both initiate
  world.passes = nullptr;
  talk(20s);
  EXPECT_EQ(b.delivered.size() - of_a, 40u);
  EXPECT_EQ(a.delivered.size() - of_b, 40u);
}

TEST_P(Crossed, P34_OneThatForgetsItsOwnIsReachedToo) {
  for (Host* stock : {&a, &b}) {
    SCOPED_TRACE(stock == &a ? "the first one" : "the second one");
    Overwriting other(*stock);
    world.passes = [&](const Datagram& datagram) {
      other.sends(datagram);
      return true;
    };
    world.arrives = [&](const Datagram& datagram) { return other.takes(datagram); };
    a.delivered.clear();
    b.delivered.clear();
    both_begin();
    EXPECT_EQ(a.delivered.size(), 1u);
    EXPECT_EQ(b.delivered.size(), 1u);
    expect_nothing_lost(400s);
    a.down();
    b.down();
    world.run(10s);
    a.up();
    b.up();
  }
}

INSTANTIATE_TEST_SUITE_P(, Crossed,
                         ::testing::Values(Path{20ms, 0ms}, Path{300ms, 0ms}, Path{300ms, 250ms},
                                           Path{1000ms, 400ms}, Path{2000ms, 0ms},
                                           Path{2000ms, 1900ms}));

}  // namespace
}  // namespace ferrule::protocol::testing
