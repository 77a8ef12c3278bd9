#include "quick/difference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/key_text.h"
#include "crypto/x25519.h"

namespace ferrule::quick {
namespace {

using protocol::DeviceChange;
using protocol::PeerChange;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

PublicKey key(std::uint8_t number) {
  PublicKey made;
  made.bytes.fill(number);
  return made;
}

// A device of two peers: one has all that a peer may have, and the other nothing.
control::DeviceStatus device() {
  control::DeviceStatus device;
  device.listen_port = 51820;
  auto& full = device.peers.emplace_back();
  full.public_key = key(1);
  full.endpoint = *Endpoint::parse("192.0.2.1:5");
  full.persistent_keepalive_s = 25;
  full.allowed_ips = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("fd00::/8")};
  device.peers.emplace_back().public_key = key(2);
  return device;
}

PeerChange full_peer() {
  PeerChange peer;
  peer.public_key = key(1);
  peer.endpoint = *Endpoint::parse("192.0.2.1:5");
  peer.persistent_keepalive_s = 25;
  peer.replace_allowed_ips = true;
  peer.allowed_ips = {{*Cidr::parse("fd00::/8")}, {*Cidr::parse("10.0.0.0/8")}};
  return peer;
}

DeviceChange change_of(PeerChange peer) {
  DeviceChange change;
  change.peers.push_back(std::move(peer));
  return change;
}

// What is said of the differences.
std::vector<std::string> lines_of(DeviceChange& change) {
  std::vector<std::string> lines;
  for (const Difference& difference : keep_differences(change, device())) {
    lines.push_back(difference.text);
  }
  return lines;
}

TEST(Difference, WhatIsThereAlreadyIsNone) {
  DeviceChange change = change_of(full_peer());
  change.listen_port = 51820;
  change.private_key.emplace();
  EXPECT_THAT(lines_of(change), IsEmpty());
  EXPECT_THAT(change.peers, IsEmpty());
  EXPECT_FALSE(change.listen_port);
  EXPECT_FALSE(change.private_key);
}

TEST(Difference, WhatMeansTheSameIsNone) {
  DeviceChange change;
  change.listen_port = 0;  // any
  PeerChange first = full_peer();
  first.endpoint = *Endpoint::parse("192.0.2.9:5");
  first.allowed_ips = {{*Cidr::parse("10.1.0.0/16")}};
  change.peers.push_back(std::move(first));
  change.peers.push_back(full_peer());  // a second section of the same key
  PeerChange signs;
  signs.public_key = key(2);
  signs.allowed_ips = {{*Cidr::parse("10.9.0.0/16"), true}};  // which it does not have
  change.peers.push_back(std::move(signs));
  EXPECT_THAT(lines_of(change), IsEmpty());
}

TEST(Difference, APrivateKeyIsComparedAsItIsComputedWith) {
  Secret<kKeySize> raw;
  raw.mut_bytes().front() = 0xFF;
  control::DeviceStatus has = device();
  has.private_key.emplace(PrivateKey(raw.clone()));
  crypto::clamp(*has.private_key);
  DeviceChange change;
  change.private_key.emplace(PrivateKey(raw.clone()));
  EXPECT_THAT(keep_differences(change, has), IsEmpty());
}

TEST(Difference, TheDeviceIsNoPeerOfItsOwn) {
  control::DeviceStatus has = device();
  has.public_key = key(3);
  DeviceChange change;
  change.peers.emplace_back().public_key = key(3);
  EXPECT_THAT(keep_differences(change, has), IsEmpty());
}

TEST(Difference, OnlyFieldsThatDifferAreLeft) {
  PeerChange peer = full_peer();
  peer.endpoint = *Endpoint::parse("192.0.2.2:5");
  DeviceChange change = change_of(std::move(peer));
  EXPECT_THAT(lines_of(change), ElementsAre(HasSubstr(": endpoint 192.0.2.1:5 -> 192.0.2.2:5")));
  EXPECT_FALSE(change.peers[0].persistent_keepalive_s);
  EXPECT_FALSE(change.peers[0].replace_allowed_ips);
}

TEST(Difference, AllowedIpsThatDifferAreToldWhole) {
  PeerChange peer = full_peer();
  peer.allowed_ips.pop_back();
  DeviceChange change = change_of(std::move(peer));
  EXPECT_THAT(lines_of(change),
              ElementsAre(HasSubstr(": allowed IPs 10.0.0.0/8, fd00::/8 -> fd00::/8")));
  EXPECT_TRUE(change.peers[0].replace_allowed_ips);
}

TEST(Difference, AnAllowedIpOfTwoPeersIsTheLastOnes) {
  DeviceChange change = change_of(full_peer());
  auto& taker = change.peers.emplace_back();
  taker.public_key = key(2);
  taker.replace_allowed_ips = true;
  taker.allowed_ips = {{*Cidr::parse("10.0.0.0/8")}};
  EXPECT_THAT(lines_of(change),
              ElementsAre(HasSubstr("-> fd00::/8"), HasSubstr("(none) -> 10.0.0.0/8")));
}

TEST(Difference, PeersComeAndGo) {
  DeviceChange change;
  change.peers.emplace_back().public_key = key(3);
  auto& gone = change.peers.emplace_back();
  gone.public_key = key(2);
  gone.remove = true;
  EXPECT_THAT(lines_of(change),
              ElementsAre(testing::EndsWith(": added"), testing::EndsWith(": removed")));
}

TEST(Difference, WithoutPeersAllGo) {
  DeviceChange change;
  change.replace_peers = true;
  EXPECT_EQ(lines_of(change).size(), 2u);
  EXPECT_TRUE(change.replace_peers);
}

TEST(Difference, ProgramsAreToldWhatWasAndWhatIs) {
  PeerChange peer = full_peer();
  peer.endpoint = *Endpoint::parse("192.0.2.2:5");
  peer.persistent_keepalive_s = 0;
  peer.allowed_ips.pop_back();
  DeviceChange change = change_of(std::move(peer));
  change.listen_port = 7;
  change.peers.emplace_back().public_key = key(3);
  const std::vector<Difference> told = keep_differences(change, device());
  ASSERT_EQ(told.size(), 5u);
  EXPECT_EQ(told[0].change, "listen-port");
  EXPECT_EQ(told[0].from, DifferenceValue(std::uint64_t{51820}));
  EXPECT_EQ(told[0].to, DifferenceValue(std::uint64_t{7}));
  EXPECT_EQ(told[1].change, "endpoint");
  EXPECT_EQ(told[1].peer, key(1));
  EXPECT_EQ(told[1].from, DifferenceValue(*Endpoint::parse("192.0.2.1:5")));
  EXPECT_EQ(told[1].to, DifferenceValue(*Endpoint::parse("192.0.2.2:5")));
  EXPECT_EQ(told[2].change, "persistent-keepalive");
  EXPECT_EQ(told[2].to, DifferenceValue(std::uint64_t{0}));
  EXPECT_EQ(told[3].change, "allowed-ips");
  EXPECT_EQ(std::get<std::vector<Cidr>>(told[3].from).size(), 2u);
  EXPECT_EQ(std::get<std::vector<Cidr>>(told[3].to).size(), 1u);
  EXPECT_EQ(told[4].change, "peer-added");
  EXPECT_EQ(told[4].to, DifferenceValue());
}

TEST(Difference, P75d_AnotherPlaceIsOneAndTheSameIsNone) {
  const LocalPlace has{{*IpAddress::parse("192.0.2.1"), {}}, "eth0"};
  DeviceChange change;
  change.bind = has.addresses;
  change.bind_interface = "";
  const auto told = keep_differences(change, device(), has);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].text, "bound to 192.0.2.1 by eth0 -> 192.0.2.1");
  EXPECT_EQ(told[0].change, "bind");
  EXPECT_FALSE(change.bind);
  EXPECT_EQ(change.bind_interface, "");
  change.bind_interface = "eth0";
  EXPECT_THAT(keep_differences(change, device(), has), IsEmpty());
}

TEST(Difference, KeysAreNotShown) {
  PeerChange peer = full_peer();
  std::array<std::uint8_t, kKeySize> secret;
  secret.fill(7);
  peer.preshared_key = PresharedKey(secret);
  DeviceChange change = change_of(std::move(peer));
  change.private_key = PrivateKey(secret);
  EXPECT_THAT(lines_of(change), ElementsAre("private key", testing::EndsWith(": preshared key")));
}

}  // namespace
}  // namespace ferrule::quick
