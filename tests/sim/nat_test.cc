#include "sim/nat.h"

#include <gtest/gtest.h>

namespace ferrule::sim {
namespace {

constexpr Instant kStart = Instant::from_ns(1'000);
const Endpoint kInside = *Endpoint::parse("192.0.2.1:51820");
const Endpoint kOne = *Endpoint::parse("198.51.100.1:1000");
const Endpoint kOtherPort = *Endpoint::parse("198.51.100.1:2000");
const Endpoint kOtherHost = *Endpoint::parse("198.51.100.2:1000");

Nat nat(NatKind mapping, NatKind filter) {
  return Nat(*IpAddress::parse("203.0.113.1"), {mapping, filter, 60s});
}

std::uint16_t port_to(Nat& nat, const Endpoint& to) {
  return nat.outbound(kStart, kInside, to).port;
}

TEST(Nat, AnEndpointIndependentMappingHasOnePortForAll) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::address_and_port);
  EXPECT_EQ(port_to(box, kOne), port_to(box, kOtherHost));
}

TEST(Nat, AnAddressDependentMappingHasAPortForEachAddress) {
  Nat box = nat(NatKind::address_dependent, NatKind::address_and_port);
  EXPECT_EQ(port_to(box, kOne), port_to(box, kOtherPort));
  EXPECT_NE(port_to(box, kOne), port_to(box, kOtherHost));
}

TEST(Nat, AnAddressAndPortDependentMappingHasAPortForEachEndpoint) {
  Nat box = nat(NatKind::address_and_port, NatKind::address_and_port);
  EXPECT_NE(port_to(box, kOne), port_to(box, kOtherPort));
}

TEST(Nat, AnEndpointIndependentFilterLetsEverybodyIn) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::endpoint_independent);
  EXPECT_EQ(box.inbound(kStart, kOtherHost, port_to(box, kOne)), kInside);
}

TEST(Nat, AnAddressDependentFilterLetsInWhomItSentTo) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::address_dependent);
  const std::uint16_t port = port_to(box, kOne);
  EXPECT_EQ(box.inbound(kStart, kOtherPort, port), kInside);
  EXPECT_EQ(box.inbound(kStart, kOtherHost, port), std::nullopt);
}

TEST(Nat, AnAddressAndPortDependentFilterIsTheStrictest) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::address_and_port);
  const std::uint16_t port = port_to(box, kOne);
  EXPECT_EQ(box.inbound(kStart, kOne, port), kInside);
  EXPECT_EQ(box.inbound(kStart, kOtherPort, port), std::nullopt);
}

TEST(Nat, AMappingLivesWhileSomethingGoesOut) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::endpoint_independent);
  const std::uint16_t port = port_to(box, kOne);
  EXPECT_EQ(box.outbound(kStart + 59s, kInside, kOne).port, port);
  EXPECT_EQ(box.inbound(kStart + 118s, kOne, port), kInside);
  EXPECT_EQ(box.inbound(kStart + 119s, kOne, port), std::nullopt);
}

TEST(Nat, AReboundNatHasOtherPorts) {
  Nat box = nat(NatKind::endpoint_independent, NatKind::endpoint_independent);
  const std::uint16_t port = port_to(box, kOne);
  box.rebind();
  EXPECT_NE(port_to(box, kOne), port);
  EXPECT_EQ(box.inbound(kStart, kOne, port), std::nullopt);
}

}  // namespace
}  // namespace ferrule::sim
