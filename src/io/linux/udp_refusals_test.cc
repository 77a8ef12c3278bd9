// What the outer door does when the kernel refuses: a kernel that refuses on demand stands between.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/udp.h>

#include <cerrno>
#include <chrono>
#include <functional>

#include "io/datagrams_testing.h"
#include "io/linux/limits.h"
#include "io/linux/udp.h"

namespace ferrule::io {
namespace {

// What one message asks of the kernel.
struct Asked {
  bool segments = false;
  bool source = false;
  std::size_t segment_size = 0;
};

Asked read(const msghdr& header) {
  Asked asked;
  auto* head = const_cast<msghdr*>(&header);
  for (cmsghdr* at = CMSG_FIRSTHDR(head); at != nullptr; at = CMSG_NXTHDR(head, at)) {
    if (at->cmsg_level == SOL_UDP && at->cmsg_type == UDP_SEGMENT) {
      asked.segments = true;
      std::uint16_t size;
      std::memcpy(&size, CMSG_DATA(at), sizeof size);
      asked.segment_size = size;
    }
    if (at->cmsg_level == IPPROTO_IP && at->cmsg_type == IP_PKTINFO) asked.source = true;
  }
  return asked;
}

// The refusing kernel: answers 0 to pass a message on, or an errno.
struct Kernel {
  std::function<int(const Asked&)> judge = [](const Asked&) { return 0; };
  std::vector<int> receive_errors;  // each receive takes one, from the back
  unsigned most_per_call = 1024;
  unsigned calls = 0;
  unsigned trains_tried = 0;
  bool has_mmsg = true;
};
thread_local Kernel* kernel = nullptr;

ssize_t judge_and_send(int fd, const msghdr* header, int flags) {
  const Asked asked = read(*header);
  if (asked.segments) ++kernel->trains_tried;
  if (const int error = kernel->judge(asked); error != 0) {
    errno = error;
    return -1;
  }
  return ::sendmsg(fd, header, flags);
}

int next_receive_error() {
  if (kernel->receive_errors.empty()) return 0;
  errno = kernel->receive_errors.back();
  kernel->receive_errors.pop_back();
  return -1;
}

UdpCalls refusing_calls() {
  UdpCalls calls;
  calls.sendmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
    ++kernel->calls;
    errno = ENOSYS;
    if (!kernel->has_mmsg) return -1;
    unsigned sent = 0;
    while (sent < std::min(count, kernel->most_per_call)) {
      if (judge_and_send(fd, &messages[sent].msg_hdr, flags) < 0) break;
      ++sent;
    }
    return sent > 0 ? static_cast<int>(sent) : -1;
  };
  calls.sendmsg = judge_and_send;
  calls.recvmmsg = [](int fd, mmsghdr* messages, unsigned count, int flags) {
    errno = ENOSYS;
    if (!kernel->has_mmsg || next_receive_error() < 0) return -1;
    return ::recvmmsg(fd, messages, count, flags, nullptr);
  };
  calls.recvmsg = [](int fd, msghdr* header, int flags) -> ssize_t {
    return next_receive_error() < 0 ? -1 : ::recvmsg(fd, header, flags);
  };
  return calls;
}

class UdpRefusals : public testing::Test {
 protected:
  void SetUp() override {
    kernel = &kernel_;
    UdpOptions options;
    options.calls = refusing_calls();
    a_ = LinuxUdp::open(options).value();
    b_ = LinuxUdp::open({}).value();
    if (!a_->segments(Family::v4)) GTEST_SKIP() << "this kernel has no UDP_SEGMENT";
  }
  Endpoint at_b(std::string_view address = "127.0.0.1") { return endpoint(address, b_->port()); }

  // Sends `size` bytes in segments of `segment` and checks that nothing of it is lost.
  void expect_whole(std::size_t size, std::size_t segment, std::string_view address = "127.0.0.1") {
    Entry entry(pattern(size), at_b(address), segment);
    EXPECT_EQ(send(*a_, entry.outgoing), 1u);
    ByteVector all;
    for (const auto& datagram : receive(*b_, (size + segment - 1) / segment)) {
      EXPECT_LE(datagram.bytes.size(), segment);
      all.insert(all.end(), datagram.bytes.begin(), datagram.bytes.end());
    }
    EXPECT_EQ(all, entry.bytes);
    EXPECT_EQ(a_->send_failures(), 0u);
  }

  unsigned trains_tried() { return std::exchange(kernel_.trains_tried, 0); }

  Kernel kernel_;
  std::unique_ptr<LinuxUdp> a_;
  std::unique_ptr<LinuxUdp> b_;
};

TEST_F(UdpRefusals, DeviceThatCannotSegmentGetsSingleDatagramsFromThenOn) {
  kernel_.judge = [](const Asked& asked) { return asked.segments ? EIO : 0; };
  expect_whole(10'000, 1000);
  EXPECT_EQ(trains_tried(), 1u);
  EXPECT_FALSE(a_->segments(Family::v4));
  expect_whole(10'500, 1000);
  EXPECT_EQ(trains_tried(), 0u);
}

TEST_F(UdpRefusals, RefusalOverOneFamilyLeavesTheOther) {
  kernel_.judge = [](const Asked& asked) { return asked.segments ? EOPNOTSUPP : 0; };
  expect_whole(10'000, 1000);
  EXPECT_FALSE(a_->segments(Family::v4));
  EXPECT_TRUE(a_->segments(Family::v6));
}

TEST_F(UdpRefusals, SegmentBeyondThePathsMtuIsRememberedForThatDestination) {
  for (const int error : {EMSGSIZE, EINVAL}) {
    kernel_.judge = [error](const Asked& asked) { return asked.segment_size > 1200 ? error : 0; };
    expect_whole(20'000, 1400);
    EXPECT_EQ(trains_tried(), 1u);
    expect_whole(20'000, 1400);
    expect_whole(20'000, 1500);
    EXPECT_EQ(trains_tried(), 0u);
    expect_whole(20'000, 1200);
    EXPECT_EQ(trains_tried(), 1u) << "shorter segments still leave as one";
    kernel_.judge = [](const Asked&) { return 0; };
    expect_whole(20'000, 1400, "127.0.0.2");
    EXPECT_EQ(trains_tried(), 1u) << "other destinations are not slowed";
    EXPECT_TRUE(a_->segments(Family::v4));
    a_->forget_paths();
    expect_whole(20'000, 1400);
    EXPECT_EQ(trains_tried(), 1u);
    a_->forget_paths();
  }
}

TEST_F(UdpRefusals, SmallerSegmentIsLearnedAfterALargerOne) {
  kernel_.judge = [](const Asked& asked) { return asked.segment_size > 1000 ? EMSGSIZE : 0; };
  expect_whole(20'000, 1400);
  expect_whole(20'000, 1100);
  EXPECT_EQ(trains_tried(), 2u);
  expect_whole(20'000, 1100);
  expect_whole(20'000, 1400);
  EXPECT_EQ(trains_tried(), 0u);
}

TEST_F(UdpRefusals, RefusalThatPlainSendsMeetTooTeachesNothing) {
  kernel_.judge = [](const Asked&) { return EINVAL; };
  Entry entry(pattern(5000), at_b(), 1000);
  EXPECT_EQ(send(*a_, entry.outgoing), 0u);
  EXPECT_EQ(a_->send_failures(), 5u);
  kernel_.judge = [](const Asked&) { return 0; };
  trains_tried();
  EXPECT_EQ(send(*a_, entry.outgoing), 1u);
  EXPECT_EQ(trains_tried(), 1u);
}

TEST_F(UdpRefusals, P75_EachRefusalOfTheSourceIsAnsweredByASendWithout) {
  for (const int error : {EINVAL, ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL, ENODEV}) {
    kernel_.judge = [error](const Asked& asked) { return asked.source ? error : 0; };
    Entry entry(pattern(3000), at_b(), 1000);
    entry.outgoing.from = {IpAddress::parse("127.0.0.1").value(), 1};
    EXPECT_EQ(send(*a_, entry.outgoing), 1u);
    EXPECT_EQ(entry.outgoing.refused, SourceRefusal::source);
    EXPECT_EQ(receive(*b_, 3).size(), 3u);
    trains_tried();
    expect_whole(5000, 1000);
    EXPECT_EQ(trains_tried(), 1u) << "nothing was learned about segments";
  }
}

TEST_F(UdpRefusals, P75_UnreachableDestinationDoesNotBlameTheSource) {
  kernel_.judge = [](const Asked&) { return ENETUNREACH; };
  Entry entry(pattern(100), at_b());
  entry.outgoing.from = {IpAddress::parse("127.0.0.1").value(), 1};
  EXPECT_EQ(send(*a_, entry.outgoing), 0u);
  EXPECT_EQ(entry.outgoing.refused, SourceRefusal::none);
  EXPECT_EQ(a_->send_failures(), 1u);
}

TEST_F(UdpRefusals, P75_SourceAndSegmentsRefusedAtOnceLoseNothing) {
  kernel_.judge = [](const Asked& asked) {
    return asked.source ? EINVAL : asked.segments ? EMSGSIZE : 0;
  };
  Entry entry(pattern(3000), at_b(), 1000);
  entry.outgoing.from = {IpAddress::parse("127.0.0.1").value(), 1};
  EXPECT_EQ(send(*a_, entry.outgoing), 1u);
  EXPECT_EQ(entry.outgoing.refused, SourceRefusal::source);
  EXPECT_EQ(receive(*b_, 3).size(), 3u);
  EXPECT_EQ(a_->send_failures(), 0u);
}

TEST_F(UdpRefusals, P78_WhatIsRefusedIsToldWithTheReason) {
  kernel_.judge = [](const Asked&) { return EPERM; };
  Entry train(pattern(3000), at_b(), 1000);
  EXPECT_EQ(send(*a_, train.outgoing), 0u);
  EXPECT_EQ(train.outgoing.lost_bytes, 3000u);
  EXPECT_EQ(train.outgoing.error, EPERM);
  kernel_.judge = [](const Asked&) { return ENOBUFS; };
  EXPECT_EQ(send(*a_, train.outgoing), 0u);
  EXPECT_EQ(train.outgoing.lost_bytes, 3000u);
  EXPECT_EQ(train.outgoing.error, 0) << "there was no room: nobody refuses";
  kernel_.judge = [](const Asked&) { return 0; };
  EXPECT_EQ(send(*a_, train.outgoing), 1u);
  EXPECT_EQ(train.outgoing.lost_bytes, 0u);
}

TEST_F(UdpRefusals, P78_OfATrainThatGoesInPiecesOnlyWhatIsRefusedIsLost) {
  int plain = 0;
  kernel_.judge = [&plain](const Asked& asked) {
    if (asked.segments) return EMSGSIZE;
    return ++plain == 2 ? EPERM : 0;
  };
  kernel_.most_per_call = 1;
  Entry train(pattern(2500), at_b(), 1000);
  EXPECT_EQ(send(*a_, train.outgoing), 0u);
  EXPECT_EQ(train.outgoing.lost_bytes, 1000u);
  EXPECT_EQ(train.outgoing.error, EPERM);
  EXPECT_EQ(receive(*b_, 2).size(), 2u);
}

TEST_F(UdpRefusals, RestAfterAPartialSendmmsgIsSent) {
  kernel_.most_per_call = 3;
  std::vector<OutgoingDatagrams> batch;
  Entry entry(pattern(100), at_b());
  batch.assign(20, entry.outgoing);
  EXPECT_EQ(a_->send(batch), 20u);
  EXPECT_EQ(receive(*b_, 20).size(), 20u);
}

TEST_F(UdpRefusals, DatagramRefusedInTheMiddleOfABatchCostsNoOther) {
  unsigned seen = 0;
  kernel_.judge = [&](const Asked&) { return ++seen == 5 || seen == 6 ? EPERM : 0; };
  Entry entry(pattern(100), at_b());
  std::vector<OutgoingDatagrams> batch(20, entry.outgoing);
  EXPECT_EQ(a_->send(batch), 19u) << "refused at the end of one call and the start of the next";
  EXPECT_EQ(a_->send_failures(), 1u);
  EXPECT_EQ(receive(*b_, 19).size(), 19u);
}

TEST_F(UdpRefusals, FullSendBufferDropsAPacketAndKeepsTheSocket) {
  for (const int error : {EAGAIN, ENOBUFS}) {
    kernel_.judge = [error](const Asked&) { return error; };
    Entry entry(pattern(100), at_b());
    std::vector<OutgoingDatagrams> batch(50, entry.outgoing);
    const auto start = std::chrono::steady_clock::now();
    const auto lost_before = a_->send_failures();
    EXPECT_EQ(a_->send(batch), 0u);
    EXPECT_LT(std::chrono::steady_clock::now() - start, kSendPatience + 500ms);
    EXPECT_EQ(a_->send_failures() - lost_before, 50u);
    kernel_.judge = [](const Asked&) { return 0; };
    EXPECT_EQ(send(*a_, entry.outgoing), 1u);
    EXPECT_EQ(receive(*b_, 1).size(), 1u);
  }
}

TEST_F(UdpRefusals, BufferThatEmptiesInTimeLosesNothing) {
  unsigned tries = 0;
  kernel_.judge = [&](const Asked&) { return ++tries <= 2 ? EAGAIN : 0; };
  expect_whole(100, 100);
}

TEST_F(UdpRefusals, ErrorLeftByAnEarlierDatagramCostsNothing) {
  unsigned tries = 0;
  kernel_.judge = [&](const Asked&) { return ++tries == 1 ? ECONNREFUSED : 0; };
  expect_whole(5000, 1000);
}

TEST_F(UdpRefusals, KernelWithoutMmsgCallsIsServedOneByOne) {
  kernel_.has_mmsg = false;
  Entry to_b(pattern(100), at_b());
  std::vector<OutgoingDatagrams> batch(10, to_b.outgoing);
  EXPECT_EQ(a_->send(batch), 10u);
  EXPECT_EQ(a_->send(batch), 10u);
  EXPECT_EQ(kernel_.calls, 1u) << "asked once and remembered";
  EXPECT_EQ(receive(*b_, 20).size(), 20u);
  Entry to_a(pattern(100), endpoint("127.0.0.1", a_->port()));
  std::vector<OutgoingDatagrams> back(10, to_a.outgoing);
  EXPECT_EQ(b_->send(back), 10u);
  EXPECT_EQ(receive(*a_, 10).size(), 10u);
}

TEST_F(UdpRefusals, P75b_PassingErrorsDoNotEndReception) {
  Entry entry(pattern(100), endpoint("127.0.0.1", a_->port()));
  for (const int error : {ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, ENOBUFS, ENOMEM, EINTR,
                          EAGAIN, EPERM, EPROTO}) {
    ASSERT_EQ(send(*b_, entry.outgoing), 1u);
    kernel_.receive_errors.assign(3, error);
    EXPECT_EQ(receive(*a_, 1).size(), 1u) << error;
  }
}

TEST_F(UdpRefusals, P75b_DeadSocketIsAnErrorAtOnce) {
  for (const int error : {EBADF, ENOTSOCK}) {
    kernel_.receive_errors.assign(1, error);
    Slots slots(1);
    auto got = a_->receive(slots.span());
    if (got) got = a_->receive(slots.span());  // the other family's turn
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().code, error);
  }
}

TEST_F(UdpRefusals, P75b_SocketThatOnlyErrsIsGivenUpInsteadOfSpinning) {
  kernel_.receive_errors.assign(100'000, EPROTO);
  Slots slots(4);
  unsigned calls = 0;
  while (a_->receive(slots.span())) ASSERT_LT(++calls, 100u);
  EXPECT_GT(calls, 2u);
}

TEST_F(UdpRefusals, WithoutOffloadTrainsLeaveAsSingleDatagrams) {
  UdpOptions options;
  options.offload = false;
  options.calls = refusing_calls();
  a_ = LinuxUdp::open(options).value();
  expect_whole(20'000, 1400);
  EXPECT_EQ(trains_tried(), 0u);
  EXPECT_FALSE(a_->coalesces(Family::v4));
}

}  // namespace
}  // namespace ferrule::io
