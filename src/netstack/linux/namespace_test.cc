#include "netstack/linux/namespace.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

namespace ferrule::netstack {
namespace {

NamespaceSettings settings() {
  NamespaceSettings wanted;
  wanted.interface = "inner0";
  wanted.mtu_bytes = 1420;
  wanted.addresses = {{*IpAddress::parse("10.99.0.1"), 24}};
  wanted.routes = {*Cidr::parse("0.0.0.0/0")};
  return wanted;
}

#define FERRULE_OPEN_OR_SKIP(name)                      \
  Result<Namespace> name = Namespace::open(settings()); \
  if (!name) GTEST_SKIP() << name.error().what

bool writable_within(int socket, int milliseconds) {
  pollfd question{socket, POLLOUT, 0};
  return ::poll(&question, 1, milliseconds) == 1;
}

TEST(Namespace, ItsSocketsHaveTheAddressesOfInside) {
  FERRULE_OPEN_OR_SKIP(space);
  NamespaceReach reach(*space);
  const auto udp = reach.open_udp(Endpoint(*IpAddress::parse("10.99.0.1"), 0));
  ASSERT_TRUE(udp) << udp.error().what;
  EXPECT_EQ(local_end_of(udp->get()).address.to_string(), "10.99.0.1");
  EXPECT_FALSE(OwnReach().open_udp(Endpoint(*IpAddress::parse("10.99.0.1"), 0)));
}

TEST(Namespace, ItsLoopbackIsItsOwn) {
  FERRULE_OPEN_OR_SKIP(space);
  NamespaceReach inside(*space);
  OwnReach outside;
  const auto listener = inside.listen(Endpoint(*IpAddress::parse("127.0.0.1"), 0));
  ASSERT_TRUE(listener) << listener.error().what;
  const Endpoint at = local_end_of(listener->get());
  const auto there = inside.dial(at, {});
  ASSERT_TRUE(there);
  ASSERT_TRUE(writable_within(there->get(), 5000));
  EXPECT_TRUE(inside.connected(there->get()));
  EXPECT_EQ(other_end_of(there->get()), at);
  const auto here = outside.dial(at, {});
  if (here && writable_within(here->get(), 5000)) {
    EXPECT_FALSE(outside.connected(here->get()));
  }
}

TEST(Namespace, ItsHelperOpensNothingButTcpAndUdp) {
  FERRULE_OPEN_OR_SKIP(space);
#ifdef FERRULE_SANITIZED
  GTEST_SKIP() << "a sanitizer makes calls of its own";
#endif
  EXPECT_FALSE(space->sockets(AF_PACKET, SOCK_RAW, 1));
  EXPECT_FALSE(space->sockets(AF_INET, SOCK_STREAM, 1)) << "it lives on after a forbidden call";
}

TEST(Namespace, ManySocketsComeAtOnce) {
  FERRULE_OPEN_OR_SKIP(space);
  const auto sockets = space->sockets(AF_INET6, SOCK_STREAM, 16);
  ASSERT_TRUE(sockets) << sockets.error().what;
  EXPECT_EQ(sockets->size(), 16u);
}

}  // namespace
}  // namespace ferrule::netstack
