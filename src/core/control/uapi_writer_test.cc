#include "control/uapi_writer.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>
#include <vector>

#include "base/key_text.h"
#include "control/uapi_parser.h"

namespace ferrule::control {
namespace {

using protocol::PeerStatus;

PrivateKey private_key() { return *secret_from_hex(std::string(64, 'A')); }

PeerStatus full_peer() {
  PeerStatus status;
  status.public_key = *public_key_from_hex(std::string(64, 'B'));
  status.preshared_key = *secret_from_hex(std::string(64, 'C'));
  status.endpoint = *Endpoint::parse("[2001:db8::1]:51820");
  status.last_handshake = {1700000000, 5};
  status.tx_bytes = 18446744073709551615u;
  status.rx_bytes = 7;
  status.persistent_keepalive_s = 25;
  status.allowed_ips = {*Cidr::parse("10.0.0.0/8"), *Cidr::parse("::/0")};
  return status;
}

template <class Write>
std::string written(Write write) {
  std::string text;
  UapiWriter writer([&](std::string_view piece) { text += piece; });
  write(writer);
  return text;
}

TEST(UapiWriter, P101a_GetAnswersInThisOrder) {
  const std::string text = written([](UapiWriter& writer) {
    writer.device(private_key(), 51820, 3);
    writer.peer(full_peer());
    writer.finish(0);
  });
  EXPECT_EQ(text, "private_key=" + std::string(64, 'a') +
                      "\n"
                      "listen_port=51820\n"
                      "fwmark=3\n"
                      "public_key=" +
                      std::string(64, 'b') +
                      "\n"
                      "preshared_key=" +
                      std::string(64, 'c') +
                      "\n"
                      "protocol_version=1\n"
                      "endpoint=[2001:db8::1]:51820\n"
                      "last_handshake_time_sec=1700000000\n"
                      "last_handshake_time_nsec=5\n"
                      "tx_bytes=18446744073709551615\n"
                      "rx_bytes=7\n"
                      "persistent_keepalive_interval=25\n"
                      "allowed_ip=10.0.0.0/8\n"
                      "allowed_ip=::/0\n"
                      "errno=0\n\n");
}

TEST(UapiWriter, P101a_AZeroPrivateKeyAndMarkAreLeftOut) {
  const std::string text = written([](UapiWriter& writer) {
    writer.device(PrivateKey(), 0, 0);
    writer.finish(0);
  });
  EXPECT_EQ(text, "listen_port=0\nerrno=0\n\n");
}

TEST(UapiWriter, P101a_APeerThatNeverSpokeHasZerosAndNoEndpoint) {
  PeerStatus status;
  const std::string text = written([&](UapiWriter& writer) {
    writer.peer(status);
    writer.finish(0);
  });
  EXPECT_EQ(text, "public_key=" + std::string(64, '0') + "\npreshared_key=" + std::string(64, '0') +
                      "\nprotocol_version=1\nlast_handshake_time_sec=0\n"
                      "last_handshake_time_nsec=0\ntx_bytes=0\nrx_bytes=0\n"
                      "persistent_keepalive_interval=0\nerrno=0\n\n");
}

TEST(UapiWriter, P102_AnErrnoIsNegativeOnTheWire) {
  EXPECT_EQ(written([](UapiWriter& writer) { writer.finish(22); }), "errno=-22\n\n");
}

TEST(UapiWriter, P100_SuccessIsErrnoZero) {
  EXPECT_EQ(written([](UapiWriter& writer) { writer.finish(0); }), "errno=0\n\n");
}

TEST(UapiWriter, P100_StatsAreLinesOfANameAndANumber) {
  const std::string text = written([](UapiWriter& writer) {
    writer.stat("drop_bad_mac1", 12);
    writer.finish(0);
  });
  EXPECT_EQ(text, "drop_bad_mac1=12\nerrno=0\n\n");
}

TEST(UapiWriter, P100_StatsOfAPeerStandBehindItsKey) {
  PeerStatus status = full_peer();
  status.messages = {90, 100};
  const std::string text = written([&](UapiWriter& writer) {
    writer.peer_stats(status);
    status.messages.reset();
    writer.peer_stats(status);
    writer.finish(0);
  });
  const std::string key = "public_key=" + std::string(64, 'b') + "\n";
  EXPECT_EQ(text, key + "received_messages=90\nexpected_messages=100\n" + key + "errno=0\n\n");
}

// Other tools read it, and some of them refuse what they do not know.
TEST(UapiWriter, P101a_GetTellsNothingOfMessages) {
  PeerStatus status = full_peer();
  status.messages = {90, 100};
  const std::string text = written([&](UapiWriter& writer) {
    writer.peer(status);
    writer.finish(0);
  });
  EXPECT_EQ(text.find("messages"), text.npos);
}

TEST(UapiWriter, P103_ALongAnswerComesInBoundedPieces) {
  std::vector<std::size_t> sizes;
  UapiWriter writer([&](std::string_view piece) { sizes.push_back(piece.size()); });
  const PeerStatus status = full_peer();
  for (int i = 0; i < 1000; ++i) writer.peer(status);
  writer.finish(0);
  EXPECT_GT(sizes.size(), 10u);
  for (std::size_t size : sizes) EXPECT_LE(size, UapiWriter::kPieceBytes);
}

TEST(UapiWriter, P100_AWriterServesOneAnswerAfterTheOther) {
  const std::string text = written([](UapiWriter& writer) {
    writer.finish(0);
    writer.finish(1);
  });
  EXPECT_EQ(text, "errno=0\n\nerrno=-1\n\n");
}

TEST(UapiWriter, P101a_WhatGetSaysCanBeSetAgainButForTheCounters) {
  const std::string answer = written([](UapiWriter& writer) {
    writer.device(private_key(), 51820, 3);
    writer.peer(full_peer());
    writer.finish(0);
  });
  std::istringstream lines(answer);
  std::string request = "set=1\n";
  for (std::string line; std::getline(lines, line);) {
    const bool counter = line.starts_with("last_") || line.starts_with("tx_") ||
                         line.starts_with("rx_") || line.starts_with("errno");
    if (!counter) request += line + "\n";
  }
  UapiParser parser([](const char*) -> std::uint32_t { return 0; });
  std::string_view input = request;
  const auto parsed = parser.feed(input);
  ASSERT_TRUE(parsed);
  EXPECT_TRUE(std::holds_alternative<protocol::DeviceChange>(*parsed));
}

}  // namespace
}  // namespace ferrule::control
