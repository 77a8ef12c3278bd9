#include "proxy/dialer.h"

#include <gtest/gtest.h>

#include <optional>

#include "proxy/services_testing.h"

namespace ferrule::proxy {
namespace {

struct Dialing : TestServices {
  Dialled take() {
    return [this](Result<io::UniqueFd> made) { outcome.emplace(std::move(made)); };
  }
  std::optional<Result<io::UniqueFd>> outcome;
};

// Nobody listens there, for as long as this lives.
struct DeadPort {
  explicit DeadPort(netstack::Reach& reach) : socket(reach.listen(loopback()).value()) {
    port = netstack::local_end_of(socket.get()).port;
    socket.reset();
  }
  io::UniqueFd socket;
  std::uint16_t port;
};

TEST(Dialer, ConnectsToAnAddress) {
  Dialing test;
  const io::UniqueFd listener = test.reach.listen(loopback()).value();
  const Endpoint at = netstack::local_end_of(listener.get());
  const Dialling dialling = dial(test.services, test.reach, {"", at.address, at.port}, test.take());
  EXPECT_FALSE(test.outcome) << "called from within";
  test.run_until([&] { return test.outcome.has_value(); });
  ASSERT_TRUE(*test.outcome);
  EXPECT_EQ(netstack::other_end_of((*test.outcome)->get()), at);
}

TEST(Dialer, DoesNotComeBackToTheProxyItself) {
  Dialing test;
  test.services.inner.push_back(*IpAddress::parse("192.0.2.1"));
  const io::UniqueFd listener = test.reach.listen(loopback()).value();
  const std::uint16_t port = netstack::local_end_of(listener.get()).port;
  for (const char* own :
       {"127.0.0.1", "127.1.2.3", "0.0.0.0", "::1", "::ffff:127.0.0.1", "192.0.2.1"}) {
    test.outcome.reset();
    const Dialling dialling =
        dial(test.services, test.reach, {"", *IpAddress::parse(own), port}, test.take());
    test.run_until([&] { return test.outcome.has_value(); });
    ASSERT_FALSE(*test.outcome) << own;
    EXPECT_EQ(test.outcome->error().code, ECONNREFUSED) << own;
  }
}

TEST(Dialer, SaysWhatWentWrong) {
  Dialing test;
  const DeadPort dead(test.reach);
  const Dialling dialling =
      dial(test.services, test.reach, {"", loopback().address, dead.port}, test.take());
  test.run_until([&] { return test.outcome.has_value(); });
  ASSERT_FALSE(*test.outcome);
  EXPECT_EQ(test.outcome->error().code, ECONNREFUSED);
  EXPECT_EQ(test.services.counters.failed_dials, 1u);
}

TEST(Dialer, OneOfSomeHostsThatAnswersDoes) {
  Dialing test;
  const io::UniqueFd listener = test.reach.listen(loopback()).value();
  const Endpoint at = netstack::local_end_of(listener.get());
  const std::vector<IpAddress> hosts{*IpAddress::parse("127.0.0.9"), *IpAddress::parse("::1"),
                                     at.address};
  const Dialling dialling = dial_any(test.services, test.reach, hosts, at.port, test.take());
  test.run_until([&] { return test.outcome.has_value(); });
  ASSERT_TRUE(*test.outcome);
  EXPECT_EQ(netstack::other_end_of((*test.outcome)->get()), at);
}

TEST(Dialer, WhoGivesUpIsNotCalled) {
  Dialing test;
  const DeadPort dead(test.reach);
  Dialling dialling =
      dial(test.services, test.reach, {"", loopback().address, dead.port}, test.take());
  dialling.reset();
  bool is_later = false;
  const Timer later(test.loop, test.loop.now() + 30ms, [&] { is_later = true; });
  test.run_until([&] { return is_later; });
  EXPECT_FALSE(test.outcome);
}

}  // namespace
}  // namespace ferrule::proxy
