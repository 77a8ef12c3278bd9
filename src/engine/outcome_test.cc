// What the outer door made of trains, as the device is told.
#include "engine/outcome.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "protocol/exclusion.h"
#include "protocol/world_testing.h"

namespace ferrule::engine {
namespace {

using protocol::Drop;

class OutcomeOfTrains : public ::testing::Test {
 protected:
  // A train of five datagrams, the last of which is shorter.
  io::OutgoingDatagrams train() {
    parts = {Bytes(bytes).first(400), Bytes(bytes).subspan(400)};
    io::OutgoingDatagrams train;
    train.parts = parts;
    train.segment_size = 100;
    return train;
  }
  void tell(const io::OutgoingDatagrams& sent) {
    Outcome outcome(PeerId{});
    outcome.add(sent);
    protocol::Attention attention;
    outcome.tell(device.data_path(), attention);
  }
  [[nodiscard]] std::uint64_t lost() { return device.drops()[Drop::send_failed]; }

  std::array<std::uint8_t, 450> bytes{};
  std::array<Bytes, 2> parts;
  protocol::testing::SeededRng rng{1};
  protocol::testing::NullLog log;
  protocol::NoExclusion exclusion;
  protocol::Device device{rng, crypto::best_aead_backend(), exclusion, log};
};

TEST_F(OutcomeOfTrains, P78_EachDatagramOfATrainThatDidNotGoIsCounted) {
  io::OutgoingDatagrams sent = train();
  tell(sent);
  EXPECT_EQ(lost(), 0u);
  sent.error = EPERM;
  sent.lost_bytes = 450;
  tell(sent);
  EXPECT_EQ(lost(), 5u);
  sent.lost_bytes = 150;  // one, and the short one
  tell(sent);
  EXPECT_EQ(lost(), 7u);
}

TEST_F(OutcomeOfTrains, P78_ADatagramAloneIsOne) {
  io::OutgoingDatagrams sent = train();
  sent.segment_size = 0;
  tell(sent);
  EXPECT_EQ(lost(), 0u);
  sent.lost_bytes = 450;  // there was no room in time, which is no error
  tell(sent);
  EXPECT_EQ(lost(), 1u);
}

}  // namespace
}  // namespace ferrule::engine
