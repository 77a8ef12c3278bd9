// What every outer door does: the same facts on sockets and in memory.
#include "io/udp.h"

#include <gtest/gtest.h>

#include <numeric>

#include "io/datagrams_testing.h"
#include "io/linux/kernel_query.h"
#include "io/linux/namespace_testing.h"
#include "io/linux/udp.h"
#include "io/memory/memory_udp.h"

namespace ferrule::io {
namespace {

// A machine with 127.0.0.1, 127.0.0.2, ::1 and a second IPv6 address, on which sockets can be opened.
// Without the right to make a namespace it is this machine's loopback, where ::1 stands for both.
class SocketWorld {
 public:
  SocketWorld() : space_(TestNamespace::make(why_no_space_)) {
    if (space_ == nullptr) {
      const Source one{IpAddress::parse("::1").value(), 1};
      auto query = KernelQuery::open();
      if (!query || !query->owner(one)) why_not = why_no_space_ + ", and no IPv6 on loopback";
      return;
    }
    inside_.emplace(*space_);
    second_v6 = "fd00::2";
    if (!add_address("fd00::2/128", "lo")) why_not = "no IPv6 on loopback";
  }
  std::unique_ptr<Udp> open() { return LinuxUdp::open({}).value(); }

  std::string why_not;
  const char* second_v6 = "::1";

 private:
  std::string why_no_space_;
  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
};

class MemoryWorld {
 public:
  std::unique_ptr<Udp> open() {
    MemoryUdpOptions options;
    for (auto address : {"127.0.0.1", "127.0.0.2", "::1", "fd00::2"}) {
      options.addresses.push_back({IpAddress::parse(address).value(), 1});
    }
    return MemoryUdp::open(network_, options).value();
  }

  std::string why_not;
  const char* second_v6 = "fd00::2";

 private:
  MemoryNetwork network_;
};

template <class World>
class UdpDoor : public testing::Test {
 protected:
  void SetUp() override {
    if (!world_.why_not.empty()) GTEST_SKIP() << world_.why_not;
    a_ = world_.open();
    b_ = world_.open();
  }
  Endpoint at_b(std::string_view address) { return endpoint(address, b_->port()); }

  World world_;
  std::unique_ptr<Udp> a_;
  std::unique_ptr<Udp> b_;
};

using Worlds = testing::Types<SocketWorld, MemoryWorld>;
class WorldNames {
 public:
  template <class World>
  static std::string GetName(int) {
    return std::is_same_v<World, SocketWorld> ? "Sockets" : "Memory";
  }
};
TYPED_TEST_SUITE(UdpDoor, Worlds, WorldNames);

constexpr const char* kBothFamilies[] = {"127.0.0.1", "::1"};

TYPED_TEST(UdpDoor, NothingThereIsNoError) {
  Slots slots(4);
  EXPECT_EQ(this->a_->receive(slots.span()).value(), 0u);
  EXPECT_EQ(this->a_->receive({}).value(), 0u);
}

TYPED_TEST(UdpDoor, P75a_OnePortServesBothFamilies) {
  ASSERT_NE(this->a_->port(), 0);
  for (auto address : kBothFamilies) {
    Entry entry(pattern(100), this->at_b(address));
    ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
    const auto got = receive(*this->b_, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].bytes, entry.bytes);
    EXPECT_EQ(got[0].from, endpoint(address, this->a_->port()));
    EXPECT_EQ(got[0].to.address, entry.outgoing.to.address);
    EXPECT_EQ(got[0].to.interface_index, 1u);
  }
}

TYPED_TEST(UdpDoor, P75_ReplyLeavesFromTheAddressThatWasWrittenTo) {
  for (auto address : {"127.0.0.2", this->world_.second_v6}) {
    Entry question(pattern(10), this->at_b(address));
    ASSERT_EQ(send(*this->a_, question.outgoing), 1u);
    const auto got = receive(*this->b_, 1);
    ASSERT_EQ(got.size(), 1u);
    Entry answer(pattern(20), got[0].from);
    answer.outgoing.from = got[0].to;
    ASSERT_EQ(send(*this->b_, answer.outgoing), 1u);
    EXPECT_EQ(answer.outgoing.refused, SourceRefusal::none);
    const auto back = receive(*this->a_, 1);
    ASSERT_EQ(back.size(), 1u);
    EXPECT_EQ(back[0].from, this->at_b(address));
  }
}

TYPED_TEST(UdpDoor, P75_RefusedSourceIsReportedAndTheDatagramSentWithout) {
  const std::pair<const char*, const char*> kNotOurs[] = {{"127.0.0.1", "192.0.2.7"},
                                                          {"::1", "2001:db8::7"}};
  for (auto [address, source] : kNotOurs) {
    Entry entry(pattern(30), this->at_b(address));
    entry.outgoing.from = {IpAddress::parse(source).value(), 1};
    EXPECT_EQ(send(*this->a_, entry.outgoing), 1u);
    EXPECT_EQ(entry.outgoing.refused, SourceRefusal::source);
    const auto got = receive(*this->b_, 1);
    ASSERT_EQ(got.size(), 1u);
    EXPECT_EQ(got[0].bytes, entry.bytes);
    EXPECT_EQ(this->a_->send_failures(), 0u);
  }
}

TYPED_TEST(UdpDoor, P75_RefusedSourceOfATrainIsReportedAndNothingIsLost) {
  Entry entry(pattern(5000), this->at_b("127.0.0.1"), 1200);
  entry.outgoing.from = {IpAddress::parse("192.0.2.7").value(), 1};
  EXPECT_EQ(send(*this->a_, entry.outgoing), 1u);
  EXPECT_EQ(entry.outgoing.refused, SourceRefusal::source);
  EXPECT_EQ(receive(*this->b_, 5).size(), 5u);
}

TYPED_TEST(UdpDoor, P75_SourceOfTheOtherFamilyIsLeftToTheSystem) {
  Entry entry(pattern(30), this->at_b("::1"));
  entry.outgoing.from = {IpAddress::parse("127.0.0.2").value(), 1};
  EXPECT_EQ(send(*this->a_, entry.outgoing), 1u);
  EXPECT_EQ(receive(*this->b_, 1).size(), 1u);
}

TYPED_TEST(UdpDoor, P75a_FirstIPv6DatagramAfterAnIPv4OneGoesToTheWholeAddress) {
  Entry four(pattern(40, 1), this->at_b("127.0.0.2"));
  Entry six(pattern(41, 2), this->at_b(this->world_.second_v6));
  OutgoingDatagrams batch[] = {four.outgoing, six.outgoing, four.outgoing, six.outgoing};
  ASSERT_EQ(this->a_->send(batch), 4u);
  const auto got = receive(*this->b_, 4);
  ASSERT_EQ(got.size(), 4u);
  for (const auto& datagram : got) {
    const bool is_six = datagram.bytes == six.bytes;
    EXPECT_EQ(datagram.bytes, is_six ? six.bytes : four.bytes);
    EXPECT_EQ(datagram.to.address, (is_six ? six : four).outgoing.to.address);
  }
}

TYPED_TEST(UdpDoor, P76_EcnBitsOfTheOuterHeaderAreGiven) {
  for (auto address : kBothFamilies) {
    for (std::uint8_t ecn = 0; ecn < 4; ++ecn) {
      Entry entry(pattern(10), this->at_b(address));
      entry.outgoing.traffic_class = ecn;
      ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
      const auto got = receive(*this->b_, 1);
      ASSERT_EQ(got.size(), 1u);
      EXPECT_EQ(got[0].ecn, ecn) << address;
    }
  }
}

TYPED_TEST(UdpDoor, TrainArrivesAsDatagramsInOrder) {
  for (auto address : kBothFamilies) {
    Entry entry(pattern(60'300), this->at_b(address), 1000);
    ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
    const auto got = receive(*this->b_, 61);
    ASSERT_EQ(got.size(), 61u);
    ByteVector all;
    for (const auto& datagram : got) {
      EXPECT_EQ(datagram.from, endpoint(address, this->a_->port()));
      all.insert(all.end(), datagram.bytes.begin(), datagram.bytes.end());
    }
    EXPECT_EQ(got.back().bytes.size(), 300u);
    EXPECT_EQ(all, entry.bytes);
  }
}

TYPED_TEST(UdpDoor, TrainOfOneIsOneDatagram) {
  Entry entry(pattern(700), this->at_b("127.0.0.1"), 1000);
  ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
  const auto got = receive(*this->b_, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes, entry.bytes);
}

TYPED_TEST(UdpDoor, TrainsOfTheLargestSizesArriveWhole) {
  for (auto [size, segment] : {std::pair<std::size_t, std::size_t>{64 * 1000, 1000},
                               {kMaxSendSize, 1400},
                               {kMaxSendSize, kMaxSendSize - 1},
                               {64, 1}}) {
    Entry entry(pattern(size), this->at_b("127.0.0.1"), segment);
    ASSERT_EQ(send(*this->a_, entry.outgoing), 1u) << segment;
    const auto got = receive(*this->b_, (size + segment - 1) / segment);
    const auto add = [](std::size_t sum, const Datagram& d) { return sum + d.bytes.size(); };
    EXPECT_EQ(std::accumulate(got.begin(), got.end(), std::size_t{0}, add), size);
  }
}

TYPED_TEST(UdpDoor, PartsAreGathered) {
  Entry entry(pattern(kMaxSendParts * 3), this->at_b("::1"));
  entry.parts.clear();
  for (std::size_t i = 0; i < kMaxSendParts; ++i) {
    entry.parts.push_back(Bytes(entry.bytes).subspan(i * 3, 3));
  }
  entry.outgoing.parts = entry.parts;
  ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
  const auto got = receive(*this->b_, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_EQ(got[0].bytes, entry.bytes);
}

TYPED_TEST(UdpDoor, P77_LargeBatchArrivesWholeAndInOrder) {
  std::vector<std::unique_ptr<Entry>> entries;
  std::vector<OutgoingDatagrams> batch;
  for (std::size_t i = 0; i < 500; ++i) {
    entries.push_back(std::make_unique<Entry>(pattern(50 + i), this->at_b("127.0.0.1")));
    batch.push_back(entries.back()->outgoing);
  }
  ASSERT_EQ(this->a_->send(batch), 500u);
  const auto got = receive(*this->b_, 500);
  ASSERT_EQ(got.size(), 500u);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(got[i].bytes.size(), 50 + i);
}

TYPED_TEST(UdpDoor, EmptyDatagramArrives) {
  Entry entry({}, this->at_b("127.0.0.1"));
  ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
  const auto got = receive(*this->b_, 1);
  ASSERT_EQ(got.size(), 1u);
  EXPECT_TRUE(got[0].bytes.empty());
}

TYPED_TEST(UdpDoor, P75b_DatagramLargerThanTheRoomDoesNotStopReception) {
  Entry large(pattern(5000), this->at_b("127.0.0.1"));
  Entry small(pattern(100), this->at_b("127.0.0.1"));
  OutgoingDatagrams batch[] = {small.outgoing, large.outgoing, small.outgoing};
  ASSERT_EQ(this->a_->send(batch), 3u);
  const auto got = receive(*this->b_, 3, 2000);
  ASSERT_EQ(got.size(), 3u);
  EXPECT_EQ(got[0].bytes, small.bytes);
  EXPECT_TRUE(got[1].bytes.empty());
  EXPECT_EQ(got[2].bytes, small.bytes);
}

TYPED_TEST(UdpDoor, P75b_CoalescedDatagramsLargerThanTheRoomDoNotStopReception) {
  Entry train(pattern(5000), this->at_b("127.0.0.1"), 1000);
  Entry small(pattern(100), this->at_b("127.0.0.1"));
  OutgoingDatagrams batch[] = {train.outgoing, small.outgoing};
  ASSERT_EQ(this->a_->send(batch), 2u);
  auto got = receive(*this->b_, 3, 2500);
  ASSERT_GE(got.size(), 3u);
  EXPECT_EQ(got[1].bytes, ByteVector(train.bytes.begin() + 1000, train.bytes.begin() + 2000));
  EXPECT_EQ(got.back().bytes, small.bytes);
}

TYPED_TEST(UdpDoor, EntryWithoutADestinationIsCountedAsLost) {
  Entry nowhere(pattern(10), Endpoint{});
  Entry fine(pattern(11), this->at_b("127.0.0.1"));
  OutgoingDatagrams batch[] = {nowhere.outgoing, fine.outgoing};
  EXPECT_EQ(this->a_->send(batch), 1u);
  EXPECT_EQ(this->a_->send_failures(), 1u);
  EXPECT_EQ(receive(*this->b_, 1).size(), 1u);
}

TYPED_TEST(UdpDoor, SourceRefusedOfAnEarlierSendIsCleared) {
  Entry entry(pattern(10), this->at_b("127.0.0.1"));
  entry.outgoing.refused = SourceRefusal::source;
  ASSERT_EQ(send(*this->a_, entry.outgoing), 1u);
  EXPECT_EQ(entry.outgoing.refused, SourceRefusal::none);
}

}  // namespace
}  // namespace ferrule::io
