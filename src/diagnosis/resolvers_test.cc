#include "diagnosis/resolvers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ferrule::diagnosis {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

TEST(Resolvers, NameServersStandInTheFile) {
  EXPECT_THAT(name_servers_in("# nameserver 1.2.3.4\nsearch example\nnameserver 10.0.0.1\n"
                              "nameserver\tfe80::1%eth0\nnameserver nonsense\noptions edns0\n"),
              ElementsAre(ip("10.0.0.1"), ip("fe80::1")));
  EXPECT_THAT(name_servers_in(""), IsEmpty());
}

TEST(Resolvers, ALinkThatWantsAllNamesIsAsked) {
  EXPECT_THAT(
      servers_for_all_names("LLMNR=no\nSERVERS=10.0.0.1 10.0.0.2#dns.example\nDOMAINS=~.\n"),
      ElementsAre(ip("10.0.0.1"), ip("10.0.0.2")));
  EXPECT_THAT(servers_for_all_names("SERVERS=10.0.0.1\nDOMAINS=example ~corp\n"), IsEmpty());
}

}  // namespace
}  // namespace ferrule::diagnosis
