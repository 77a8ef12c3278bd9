#include "control/uapi_client.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <string>

#include "base/key_text.h"
#include "control/uapi_parser.h"
#include "control/uapi_writer.h"

namespace ferrule::control {
namespace {

const std::string kPublic(64, 'c');

std::uint32_t scope_of(const char* name) { return std::string_view(name) == "eth7" ? 7 : 0; }
std::string name_of(std::uint32_t index) { return index == 7 ? "eth7" : ""; }

protocol::DeviceChange full_change() {
  protocol::DeviceChange change;
  change.private_key = PrivateKey(std::move(secret_from_hex(std::string(64, 'a')).value()));
  change.listen_port = 51820;
  change.fwmark = 3;
  change.replace_peers = true;
  protocol::PeerChange& peer = change.peers.emplace_back();
  peer.public_key = public_key_from_hex(kPublic).value();
  peer.update_only = true;
  peer.replace_allowed_ips = true;
  peer.preshared_key = PresharedKey(std::move(secret_from_hex(std::string(64, 'b')).value()));
  peer.endpoint = Endpoint::parse("[fe80::1%7]:5");
  peer.persistent_keepalive_s = 25;
  peer.allowed_ips = {{Cidr::parse("10.0.0.0/8").value(), false},
                      {Cidr::parse("::/0").value(), true}};
  protocol::PeerChange& gone = change.peers.emplace_back();
  gone.public_key = public_key_from_hex(std::string(64, 'd')).value();
  gone.remove = true;
  return change;
}

Result<void> outcome_of(std::string_view text) {
  UapiAnswer answer(scope_of);
  (void)answer.feed(text);
  return answer.outcome();
}

int errno_of(std::string_view text) {
  const auto outcome = outcome_of(text);
  return outcome ? 0 : outcome.error().code;
}

DeviceStatus device_of(const std::string& lines) {
  UapiAnswer answer(scope_of);
  EXPECT_TRUE(answer.feed(lines + "errno=0\n\n"));
  EXPECT_TRUE(answer.outcome());
  return std::move(answer.device());
}

TEST(UapiClient, P75d_APlaceIsAskedForAndTold) {
  const LocalPlace place{{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")},
                         "eth1"};
  protocol::DeviceChange change;
  change.bind = place.addresses;
  change.bind_interface = place.interface;
  EXPECT_EQ(set_request(change, name_of).view(),
            "set=1\nbind=192.0.2.1,2001:db8::1\nbind_interface=eth1\n\n");
  UapiAnswer answer(scope_of);
  bool ended = false;
  UapiWriter writer([&](std::string_view piece) { ended = answer.feed(piece); });
  const std::vector<std::string> missing{"2001:db8::1"};
  writer.place(place, missing);
  writer.finish(0);
  ASSERT_TRUE(ended && answer.outcome());
  EXPECT_EQ(answer.settings().place, place);
  EXPECT_EQ(answer.settings().missing, missing);
}

TEST(UapiClient, P101_ASetRequestSaysEverythingInWgsOrder) {
  EXPECT_EQ(set_request(full_change(), name_of).view(),
            "set=1\nprivate_key=" + std::string(64, 'a') +
                "\nlisten_port=51820\nfwmark=3\nreplace_peers=true\n"
                "public_key=" +
                kPublic + "\nupdate_only=true\npreshared_key=" + std::string(64, 'b') +
                "\nendpoint=[fe80::1%eth7]:5\npersistent_keepalive_interval=25\n"
                "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n"
                "public_key=" +
                std::string(64, 'd') + "\nremove=true\n\n");
}

TEST(UapiClient, P101_WhatIsNotSetIsNotSaid) {
  EXPECT_EQ(set_request({}, name_of).view(), "set=1\n\n");
}

TEST(UapiClient, P101_TheDaemonReadsWhatTheToolWrote) {
  const WipedText request = set_request(full_change(), name_of);
  UapiParser parser(scope_of);
  std::string_view input = request.view();
  auto parsed = parser.feed(input);
  ASSERT_TRUE(parsed && std::holds_alternative<protocol::DeviceChange>(*parsed));
  EXPECT_EQ(set_request(std::get<protocol::DeviceChange>(*parsed), name_of).view(), request.view());
}

TEST(UapiClient, P101a_TheToolReadsWhatTheDaemonWrote) {
  protocol::PeerStatus peer;
  peer.public_key = public_key_from_hex(kPublic).value();
  peer.preshared_key = PresharedKey(std::move(secret_from_hex(std::string(64, 'b')).value()));
  peer.endpoint = Endpoint::parse("[2001:db8::1]:5").value();
  peer.last_handshake = {1700000000, 5};
  peer.tx_bytes = UINT64_MAX;
  peer.rx_bytes = 7;
  peer.persistent_keepalive_s = 25;
  peer.allowed_ips = {Cidr::parse("10.0.0.0/8").value(), Cidr::parse("::/0").value()};
  const PrivateKey key = PrivateKey(std::move(secret_from_hex(std::string(64, 'a')).value()));

  UapiAnswer answer(scope_of);
  bool complete = false;
  UapiWriter writer([&](std::string_view piece) { complete = answer.feed(piece); });
  writer.device(key, 51820, 3);
  writer.peer(peer);
  writer.finish(0);
  ASSERT_TRUE(complete && answer.outcome());

  const DeviceStatus& device = answer.device();
  EXPECT_EQ(device.private_key->data()[0], 0xaa);
  EXPECT_EQ(device.listen_port, 51820);
  EXPECT_EQ(device.fwmark, 3u);
  ASSERT_EQ(device.peers.size(), 1u);
  EXPECT_EQ(device.peers[0].public_key, peer.public_key);
  EXPECT_EQ(device.peers[0].preshared_key.data()[31], 0xbb);
  EXPECT_EQ(device.peers[0].endpoint, peer.endpoint);
  EXPECT_EQ(device.peers[0].last_handshake, peer.last_handshake);
  EXPECT_EQ(device.peers[0].tx_bytes, UINT64_MAX);
  EXPECT_EQ(device.peers[0].rx_bytes, 7u);
  EXPECT_EQ(device.peers[0].persistent_keepalive_s, 25);
  EXPECT_EQ(device.peers[0].allowed_ips, peer.allowed_ips);
}

TEST(UapiClient, P101a_KeysOfNewerDaemonsArePassedOver) {
  const DeviceStatus device = device_of("listen_port=1\ncolour=red\npublic_key=" + kPublic +
                                        "\nweight=heavy\nrx_bytes=2\n");
  EXPECT_EQ(device.listen_port, 1);
  EXPECT_EQ(device.peers.at(0).rx_bytes, 2u);
}

TEST(UapiClient, P100_StatsAreNamesAndNumbers) {
  UapiAnswer answer(scope_of);
  ASSERT_TRUE(answer.feed("drop_bad_mac1=1\nother=2\nerrno=0\n\n"));
  ASSERT_EQ(answer.stats().size(), 2u);
  EXPECT_EQ(answer.stats()[0].first, "drop_bad_mac1");
  EXPECT_EQ(answer.stats()[0].second, 1u);
}

TEST(UapiClient, P100_AnAnswerArrivesInAnyPieces) {
  const std::string text = "listen_port=51820\nerrno=0\n\n";
  UapiAnswer answer(scope_of);
  for (std::size_t i = 0; i < text.size(); ++i) {
    EXPECT_EQ(answer.feed(text.substr(i, 1)), i + 1 == text.size());
  }
  EXPECT_EQ(answer.device().listen_port, 51820);
}

TEST(UapiClient, P102_AnErrnoIsNegativeOrPositive) {
  EXPECT_EQ(errno_of("errno=-22\n\n"), EINVAL);
  EXPECT_EQ(errno_of("errno=98\n\n"), EADDRINUSE);
}

TEST(UapiClient, P102_AnErrnoCountsMoreThanABadLine) {
  EXPECT_EQ(errno_of("listen_port=x\nerrno=-1\n\n"), EPERM);
}

TEST(UapiClient, P102_WhatIsNoAnswerIsAProtocolError) {
  for (const char* text : {"", "\n", "errno=0\n", "errno=x\n\n", "errno=\n\n", "x\nerrno=0\n\n",
                           "listen_port=65536\nerrno=0\n\n", "private_key=00\nerrno=0\n\n",
                           "public_key=00\nerrno=0\n\n"}) {
    EXPECT_EQ(errno_of(text), EPROTO) << text;
  }
  const std::string peer = "public_key=" + kPublic + "\n";
  for (const char* line :
       {"preshared_key=1", "endpoint=x", "last_handshake_time_sec=x", "last_handshake_time_nsec=x",
        "tx_bytes=-1", "rx_bytes=", "allowed_ip=1", "persistent_keepalive_interval=65536"}) {
    EXPECT_EQ(errno_of(peer + line + "\nerrno=0\n\n"), EPROTO) << line;
  }
}

TEST(UapiClient, P103_ALineThatNeverEndsIsAProtocolError) {
  UapiAnswer answer(scope_of);
  EXPECT_TRUE(answer.feed(std::string(5000, 'x')));
  EXPECT_EQ(answer.outcome().error().code, EPROTO);
}

}  // namespace
}  // namespace ferrule::control
