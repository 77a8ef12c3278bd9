#include "client/kernel/messages.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include <cstring>
#include <set>
#include <vector>

#include "io/linux/netlink.h"

namespace ferrule::client {
namespace {

using protocol::AllowedIpChange;
using protocol::DeviceChange;
using protocol::PeerChange;
using testing::ElementsAre;
using testing::SizeIs;

constexpr std::uint16_t kFamily = 31;

// The messages of a change, kept.
std::vector<std::vector<std::byte>> messages_of(const DeviceChange& change) {
  std::vector<std::vector<std::byte>> messages;
  const auto written = write_kernel_change("wg0", kFamily, change, [&](nlmsghdr& message) {
    const auto* bytes = reinterpret_cast<const std::byte*>(&message);
    messages.emplace_back(bytes, bytes + message.nlmsg_len);
    return Result<void>();
  });
  EXPECT_TRUE(written);
  return messages;
}

const nlmsghdr& header(const std::vector<std::byte>& message) {
  return *reinterpret_cast<const nlmsghdr*>(message.data());
}

// Attributes of a device have the same numbers in requests and answers, so that what was written can
// be read as if the kernel had said it.
control::DeviceStatus read_back(const DeviceChange& change) {
  KernelAnswer answer;
  for (const auto& message : messages_of(change)) answer.take(header(message));
  return std::move(answer.device());
}

template <std::size_t N>
std::array<std::uint8_t, N> filled(std::uint8_t value) {
  std::array<std::uint8_t, N> bytes;
  bytes.fill(value);
  return bytes;
}

Cidr cidr(std::string_view text) { return *Cidr::parse(text); }

PeerChange peer(std::uint8_t key) {
  PeerChange peer;
  peer.public_key.bytes = filled<32>(key);
  return peer;
}

// The flags of the device, or of its n-th peer in the message.
std::uint32_t peer_flags(const std::vector<std::byte>& message) {
  std::uint32_t flags = 0;
  io::for_each_attribute(header(message), sizeof(genlmsghdr), [&](const nlattr& device) {
    if (mnl_attr_get_type(&device) != WGDEVICE_A_PEERS) return;
    io::for_each_nested(device, [&](const nlattr& nest) {
      io::for_each_nested(nest, [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) == WGPEER_A_FLAGS) flags = mnl_attr_get_u32(&attribute);
      });
    });
  });
  return flags;
}

TEST(KernelMessages, ASetNamesItsDeviceAndAsksForAnAnswer) {
  const auto messages = messages_of({});
  ASSERT_THAT(messages, SizeIs(1));
  EXPECT_EQ(header(messages[0]).nlmsg_type, kFamily);
  EXPECT_EQ(header(messages[0]).nlmsg_flags, NLM_F_REQUEST | NLM_F_ACK);
  const auto* command = static_cast<const genlmsghdr*>(mnl_nlmsg_get_payload(&header(messages[0])));
  EXPECT_EQ(command->cmd, WG_CMD_SET_DEVICE);
  std::string name;
  io::for_each_attribute(header(messages[0]), sizeof(genlmsghdr), [&](const nlattr& attribute) {
    if (mnl_attr_get_type(&attribute) == WGDEVICE_A_IFNAME) name = mnl_attr_get_str(&attribute);
  });
  EXPECT_EQ(name, "wg0");
}

TEST(KernelMessages, WhatIsWrittenIsRead) {
  DeviceChange change;
  change.private_key.emplace(filled<32>(7));
  change.listen_port = 51820;
  change.fwmark = 0xca6c;
  change.peers.reserve(2);
  PeerChange& alice = change.peers.emplace_back(peer(1));
  alice.preshared_key.emplace(filled<32>(9));
  alice.endpoint = *Endpoint::parse("192.0.2.1:1000");
  alice.persistent_keepalive_s = 25;
  alice.allowed_ips = {{cidr("10.0.0.0/8")}, {cidr("fd00::/64")}};
  change.peers.emplace_back(peer(2)).endpoint = *Endpoint::parse("[2001:db8::1]:2000");

  const control::DeviceStatus status = read_back(change);
  EXPECT_THAT(status.private_key->bytes(), testing::Each(7));
  EXPECT_EQ(status.listen_port, 51820);
  EXPECT_EQ(status.fwmark, 0xca6cu);
  ASSERT_THAT(status.peers, SizeIs(2));
  EXPECT_EQ(status.peers[0].public_key, alice.public_key);
  EXPECT_THAT(status.peers[0].preshared_key.bytes(), testing::Each(9));
  EXPECT_EQ(status.peers[0].endpoint, *Endpoint::parse("192.0.2.1:1000"));
  EXPECT_EQ(status.peers[0].persistent_keepalive_s, 25);
  EXPECT_THAT(status.peers[0].allowed_ips, ElementsAre(cidr("10.0.0.0/8"), cidr("fd00::/64")));
  EXPECT_EQ(status.peers[1].endpoint, *Endpoint::parse("[2001:db8::1]:2000"));
}

TEST(KernelMessages, PeersHaveTheirFlags) {
  DeviceChange change;
  PeerChange& gone = change.peers.emplace_back(peer(1));
  gone.remove = true;
  gone.update_only = true;
  EXPECT_EQ(peer_flags(messages_of(change)[0]),
            std::uint32_t{WGPEER_F_REMOVE_ME} | WGPEER_F_UPDATE_ONLY);
  change.peers.clear();
  change.peers.emplace_back(peer(1)).replace_allowed_ips = true;
  EXPECT_EQ(peer_flags(messages_of(change)[0]), std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
}

TEST(KernelMessages, AllowedIpsThatDoNotFitGoOnInTheNextMessage) {
  DeviceChange change;
  PeerChange& big = change.peers.emplace_back(peer(1));
  big.replace_allowed_ips = true;
  std::set<Cidr> wanted;
  for (std::uint8_t i = 0; i < 100; ++i) {
    for (std::uint8_t j = 0; j < 100; ++j) {
      const std::array<std::uint8_t, 4> address{10, i, j, 0};
      big.allowed_ips.push_back({Cidr(IpAddress::v4(address), 24)});
      wanted.insert(big.allowed_ips.back().cidr);
    }
  }
  const auto messages = messages_of(change);
  ASSERT_GT(messages.size(), 10u);
  for (const auto& message : messages) EXPECT_LE(message.size(), kMaxKernelMessage);
  // Replacing again would throw away what the first messages brought.
  EXPECT_EQ(peer_flags(messages[0]), std::uint32_t{WGPEER_F_REPLACE_ALLOWEDIPS});
  EXPECT_EQ(peer_flags(messages[1]), 0u);
  const control::DeviceStatus status = read_back(change);
  ASSERT_THAT(status.peers, SizeIs(1));
  const auto& ips = status.peers[0].allowed_ips;
  EXPECT_EQ(ips.size(), wanted.size());
  EXPECT_EQ(std::set<Cidr>(ips.begin(), ips.end()), wanted);
}

TEST(KernelMessages, ManyPeersAreSeveralMessagesAndNoneIsLost) {
  DeviceChange change;
  change.replace_peers = true;
  for (int i = 0; i < 1000; ++i) {
    PeerChange& one = change.peers.emplace_back(peer(static_cast<std::uint8_t>(i)));
    one.public_key.bytes[1] = static_cast<std::uint8_t>(i >> 8);
    one.preshared_key.emplace(filled<32>(9));
    one.endpoint = *Endpoint::parse("192.0.2.1:1000");
    one.allowed_ips = {{cidr("10.0.0.1/32")}};
  }
  const control::DeviceStatus status = read_back(change);
  ASSERT_THAT(status.peers, SizeIs(1000));
  for (std::size_t i = 0; i < 1000; ++i) {
    EXPECT_EQ(status.peers[i].public_key, change.peers[i].public_key);
    EXPECT_THAT(status.peers[i].allowed_ips, SizeIs(1));
  }
}

TEST(KernelMessages, AFailureEndsTheChange) {
  DeviceChange change;
  for (int i = 0; i < 1000; ++i) change.peers.emplace_back(peer(static_cast<std::uint8_t>(i)));
  int sent = 0;
  const auto written = write_kernel_change("wg0", kFamily, change, [&](nlmsghdr&) -> Result<void> {
    ++sent;
    return std::unexpected(system_error(EPERM, "configure wg0"));
  });
  EXPECT_FALSE(written);
  EXPECT_EQ(sent, 1);
}

TEST(KernelMessages, OneAllowedIpIsRemovedByAFlagOfItsOwn) {
  DeviceChange change;
  change.peers.emplace_back(peer(1)).allowed_ips = {{cidr("10.0.0.0/8"), true}};
  bool removes = false;
  const auto messages = messages_of(change);
  io::for_each_attribute(header(messages[0]), sizeof(genlmsghdr), [&](const nlattr& device) {
    if (mnl_attr_get_type(&device) != WGDEVICE_A_PEERS) return;
    io::for_each_nested(device, [&](const nlattr& peer) {
      io::for_each_nested(peer, [&](const nlattr& attribute) {
        if (mnl_attr_get_type(&attribute) != WGPEER_A_ALLOWEDIPS) return;
        io::for_each_nested(attribute, [&](const nlattr& ip) {
          io::for_each_nested(ip, [&](const nlattr& part) {
            removes |= mnl_attr_get_type(&part) == 4 && mnl_attr_get_u32(&part) == 1;
          });
        });
      });
    });
  });
  EXPECT_TRUE(removes);
}

// The kernel is believed, but a length that does not fit is not read.
TEST(KernelMessages, AttributesOfAWrongSizeArePassedOver) {
  alignas(nlmsghdr) std::byte room[256];
  nlmsghdr* message = mnl_nlmsg_put_header(room);
  mnl_nlmsg_put_extra_header(message, sizeof(genlmsghdr));
  mnl_attr_put_u32(message, WGDEVICE_A_PRIVATE_KEY, 1);
  mnl_attr_put_u32(message, WGDEVICE_A_LISTEN_PORT, 1);
  nlattr* peers = mnl_attr_nest_start(message, WGDEVICE_A_PEERS);
  nlattr* nest = mnl_attr_nest_start(message, 0);
  mnl_attr_put_u32(message, WGPEER_A_PUBLIC_KEY, 1);
  mnl_attr_nest_end(message, nest);
  mnl_attr_nest_end(message, peers);
  KernelAnswer answer;
  answer.take(*message);
  EXPECT_FALSE(answer.device().private_key);
  EXPECT_EQ(answer.device().listen_port, 0);
  EXPECT_THAT(answer.device().peers, SizeIs(0));
}

}  // namespace
}  // namespace ferrule::client
