#include "io/linux/port_guard.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <optional>
#include <string>

#include "io/datagrams_testing.h"
#include "io/linux/namespace_testing.h"
#include "io/linux/socket_address.h"
#include "io/linux/udp.h"

namespace ferrule::io {
namespace {

// 0 or the errno with which another program is refused.
int bind_as_stranger(const char* address, std::uint16_t port, int option) {
  const IpAddress at = IpAddress::parse(address).value();
  const int family = at.family() == Family::v4 ? AF_INET : AF_INET6;
  const UniqueFd fd(::socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  constexpr int kYes = 1;
  if (option != 0) setsockopt(fd.get(), SOL_SOCKET, option, &kYes, sizeof kYes);
  if (family == AF_INET6) setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kYes, sizeof kYes);
  const SocketAddress to(Endpoint{at, port, 0});
  return ::bind(fd.get(), &to.any, to.size) == 0 ? 0 : errno;
}

void expect_refused(std::uint16_t port, const std::string& when) {
  for (auto address : {"0.0.0.0", "127.0.0.1", "::", "::1"}) {
    for (const int option : {0, SO_REUSEPORT, SO_REUSEADDR}) {
      EXPECT_EQ(bind_as_stranger(address, port, option), EADDRINUSE)
          << when << ": " << address << " with option " << option;
    }
  }
}

std::size_t count_received(LinuxUdp& udp) {
  Slots slots(64, 2048);
  return udp.receive(slots.span()).value();
}

class PortGuardTest : public ::testing::TestWithParam<std::size_t> {
 protected:
  void SetUp() override {
    space_ = TestNamespace::make(why_not_);
    if (!space_) GTEST_SKIP() << why_not_;
    inside_.emplace(*space_);
  }
  LinuxUdp::Group open(std::uint16_t port, PortGuard* held = nullptr) {
    UdpOptions options;
    options.at.port = port;
    options.held = held;
    return LinuxUdp::open_group(options, GetParam()).value();
  }
  std::string why_not_;
  std::unique_ptr<TestNamespace> space_;
  std::optional<InNamespace> inside_;
};

TEST_P(PortGuardTest, P75a_StrangersAreRefusedWhileAGroupHasThePort) {
  const auto group = open(0);
  ASSERT_NE(group.guard, nullptr);
  expect_refused(group.lanes.front()->port(), "open");
}

TEST_P(PortGuardTest, P75a_StrangersAreRefusedOnceTheSocketsAreClosed) {
  const auto guard = open(7000).guard;
  expect_refused(7000, "closed");
}

TEST_P(PortGuardTest, P75a_TheOneWhoHoldsAPortOpensItAgain) {
  auto guard = open(7000).guard;
  auto group = open(7000, guard.get());
  guard.reset();
  expect_refused(7000, "open again");
}

TEST_P(PortGuardTest, P75a_NothingComesToAGuard) {
  auto group = open(7000);
  auto client = LinuxUdp::open({}).value();
  for (auto address : {"127.0.0.1", "::1"}) {
    Entry entry(pattern(60), endpoint(address, 7000));
    for (int i = 0; i < 20; ++i) ASSERT_EQ(send(*client, entry.outgoing), 1u);
    std::size_t received = group.handshakes ? count_received(*group.handshakes) : 0;
    for (const auto& lane : group.lanes) received += count_received(*lane);
    EXPECT_EQ(received, 20u) << address;
  }
}

TEST_P(PortGuardTest, P75a_APortThatNobodyHoldsIsFree) {
  open(7000);
  EXPECT_EQ(bind_as_stranger("0.0.0.0", 7000, 0), 0);
  EXPECT_EQ(bind_as_stranger("::", 7000, 0), 0);
}

TEST_P(PortGuardTest, P75a_ASecondGroupIsRefused) {
  const auto group = open(7000);
  UdpOptions options;
  options.at.port = 7000;
  EXPECT_EQ(LinuxUdp::open_group(options, 1).error().code, EADDRINUSE);
}

// From eleven sockets on the kernel looks for objections in another table.
INSTANTIATE_TEST_SUITE_P(Lanes, PortGuardTest, ::testing::Values(1, 2, 8));

}  // namespace
}  // namespace ferrule::io
