#include "netstack/linux/resolver_files.h"

#include <gtest/gtest.h>

namespace ferrule::netstack {
namespace {

TEST(OtherResolvers, AreLeftOutOfHosts) {
  EXPECT_EQ(
      without_other_resolvers("passwd: files systemd\n"
                              "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns\n"
                              "networks: files\n"),
      "passwd: files systemd\nhosts: files myhostname dns\nnetworks: files\n");
}

TEST(OtherResolvers, AreLeftOutHoweverTheLineIsWritten) {
  EXPECT_EQ(
      without_other_resolvers("  hosts:\tfiles mdns4_minimal [NOTFOUND=return] dns # and more"),
      "hosts: files dns\n");
}

TEST(OtherResolvers, DnsIsThereInAnyCase) {
  EXPECT_EQ(without_other_resolvers("hosts: db\n"), "hosts: files dns\n");
}

}  // namespace
}  // namespace ferrule::netstack
