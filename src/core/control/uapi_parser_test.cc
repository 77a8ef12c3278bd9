#include "control/uapi_parser.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <random>
#include <string>
#include <vector>

#include "base/key_text.h"

namespace ferrule::control {
namespace {

using protocol::DeviceChange;
using protocol::PeerChange;
using testing::HasSubstr;
using testing::Not;

const std::string kPrivate(64, 'a');
const std::string kShared(64, 'b');
const std::string kPublic(64, 'c');
const std::string kPeer = "public_key=" + kPublic + "\n";

std::uint32_t scope_of(const char* name) { return std::string_view(name) == "eth7" ? 7 : 0; }

UapiParser make_parser() { return UapiParser(scope_of); }

// Every request in `text`, fed in pieces of `step` bytes.
std::vector<UapiRequest> requests_of(std::string_view text, std::size_t step = SIZE_MAX) {
  UapiParser parser = make_parser();
  std::vector<UapiRequest> requests;
  while (!text.empty()) {
    std::string_view piece = text.substr(0, step);
    text.remove_prefix(piece.size());
    while (auto request = parser.feed(piece)) requests.push_back(std::move(*request));
  }
  return requests;
}

DeviceChange change_of(const std::string& lines) {
  auto requests = requests_of("set=1\n" + lines + "\n");
  EXPECT_EQ(requests.size(), 1u);
  auto* change = std::get_if<DeviceChange>(&requests.at(0));
  if (change == nullptr) {
    ADD_FAILURE() << std::get<Error>(requests.at(0)).what;
    return {};
  }
  return std::move(*change);
}

PeerChange peer_of(const std::string& lines) {
  DeviceChange change = change_of(kPeer + lines);
  EXPECT_EQ(change.peers.size(), 1u);
  return std::move(change.peers.at(0));
}

Error refusal_of(std::string_view text) {
  auto requests = requests_of(text);
  EXPECT_EQ(requests.size(), 1u);
  auto* error = std::get_if<Error>(&requests.at(0));
  if (error == nullptr) {
    ADD_FAILURE() << "accepted: " << text;
    return {};
  }
  return std::move(*error);
}

Error set_refusal_of(const std::string& lines) { return refusal_of("set=1\n" + lines + "\n"); }
Error peer_refusal_of(const std::string& line) { return set_refusal_of(kPeer + line + "\n"); }

// --- Framing ---

TEST(UapiParser, P100_GetIsARequest) {
  auto requests = requests_of("get=1\n\n");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<GetRequest>(requests[0]));
}

TEST(UapiParser, P100_AnEmptySetIsARequest) {
  auto requests = requests_of("set=1\n\n");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<DeviceChange>(requests[0]));
}

TEST(UapiParser, P100_StatsIsARequest) {
  auto requests = requests_of("stats=1\n\n");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<StatsRequest>(requests[0]));
}

TEST(UapiParser, P100_SettingsIsARequest) {
  const auto requests = requests_of("settings=1\n\n");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<SettingsRequest>(requests[0]));
}

TEST(UapiParser, P100_NothingIsARequestBeforeItsEmptyLine) {
  EXPECT_TRUE(requests_of("set=1\nlisten_port=1\n").empty());
}

TEST(UapiParser, P100_SeveralRequestsFollowEachOtherOnOneConnection) {
  auto requests = requests_of("set=1\nlisten_port=1\n\nget=1\n\nset=1\nfwmark=2\n\n");
  ASSERT_EQ(requests.size(), 3u);
  EXPECT_EQ(std::get<DeviceChange>(requests[0]).listen_port, 1);
  EXPECT_TRUE(std::holds_alternative<GetRequest>(requests[1]));
  EXPECT_EQ(std::get<DeviceChange>(requests[2]).listen_port, std::nullopt);
  EXPECT_EQ(std::get<DeviceChange>(requests[2]).fwmark, 2u);
}

TEST(UapiParser, P100_ARequestThatFollowsABadOneIsRead) {
  auto requests = requests_of("set=1\nno\nlisten_port=1\n\nset=1\nlisten_port=2\n\n");
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_TRUE(std::holds_alternative<Error>(requests[0]));
  EXPECT_EQ(std::get<DeviceChange>(requests[1]).listen_port, 2);
}

TEST(UapiParser, P100_BlankLinesBetweenRequestsAskNothing) {
  EXPECT_EQ(requests_of("\n\nget=1\n\n\n").size(), 1u);
}

TEST(UapiParser, P100_BytesAfterARequestStayInTheInput) {
  UapiParser parser = make_parser();
  std::string_view input = "get=1\n\nset=1\n";
  EXPECT_TRUE(parser.feed(input).has_value());
  EXPECT_EQ(input, "set=1\n");
}

// --- Device keys ---

TEST(UapiParser, P101_PrivateKeyIsHex) {
  const DeviceChange change = change_of("private_key=" + kPrivate + "\n");
  ASSERT_TRUE(change.private_key);
  EXPECT_TRUE(std::ranges::all_of(change.private_key->bytes(), [](int b) { return b == 0xaa; }));
}

TEST(UapiParser, P101_AnAllZeroPrivateKeyIsHandedOnAsZero) {
  EXPECT_TRUE(change_of("private_key=" + std::string(64, '0') + "\n").private_key->is_zero());
}

TEST(UapiParser, P101_DeviceKeysThatAreNotNamedAreNotSet) {
  const DeviceChange change = change_of("");
  EXPECT_FALSE(change.private_key || change.listen_port || change.fwmark || change.replace_peers);
}

TEST(UapiParser, P101_ListenPort) {
  EXPECT_EQ(change_of("listen_port=65535\n").listen_port, 65535);
}
TEST(UapiParser, P101_Fwmark) { EXPECT_EQ(change_of("fwmark=4294967295\n").fwmark, UINT32_MAX); }
TEST(UapiParser, P75d_BindNamesOneAddressAFamilyOrNone) {
  const auto four = IpAddress::parse("192.0.2.1");
  const auto six = IpAddress::parse("2001:db8::1");
  EXPECT_EQ(change_of("bind=192.0.2.1\n").bind, (LocalAddresses{*four, {}}));
  EXPECT_EQ(change_of("bind=2001:db8::1,::ffff:192.0.2.1\n").bind, (LocalAddresses{*four, *six}));
  EXPECT_EQ(change_of("bind=\n").bind, LocalAddresses());
  for (const auto* wrong : {"192.0.2.1,192.0.2.2", "eth0", "0.0.0.0", "::", "192.0.2.1/32", ","}) {
    EXPECT_THAT(refusal_of("set=1\nbind=" + std::string(wrong) + "\n\n").what,
                HasSubstr("bind: expected an address"));
  }
}
TEST(UapiParser, P75d_BindInterfaceIsANameOrNone) {
  EXPECT_EQ(change_of("bind_interface=eth1\n").bind_interface, "eth1");
  EXPECT_EQ(change_of("bind_interface=\n").bind_interface, "");
  EXPECT_THAT(refusal_of("set=1\nbind_interface=a/b\n\n").what, HasSubstr("interface"));
}
TEST(UapiParser, P101_ReplacePeers) {
  EXPECT_TRUE(change_of("replace_peers=true\n").replace_peers);
}

TEST(UapiParser, P101_OfAKeyThatComesTwiceTheLastCounts) {
  EXPECT_EQ(change_of("listen_port=1\nlisten_port=2\n").listen_port, 2);
}

// --- Peers ---

TEST(UapiParser, P101_APublicKeyStartsAPeer) {
  const PublicKey key = *public_key_from_hex(kPublic);
  EXPECT_EQ(peer_of("").public_key, key);
}

TEST(UapiParser, P101_PeersKeepTheirOrderAndMayComeTwice) {
  const std::string other = "public_key=" + std::string(64, 'd') + "\n";
  const DeviceChange change = change_of(kPeer + other + kPeer);
  ASSERT_EQ(change.peers.size(), 3u);
  EXPECT_EQ(change.peers[0].public_key, change.peers[2].public_key);
  EXPECT_NE(change.peers[0].public_key, change.peers[1].public_key);
}

TEST(UapiParser, P101_PeerKeysThatAreNotNamedAreNotSet) {
  const PeerChange peer = peer_of("");
  EXPECT_FALSE(peer.remove || peer.update_only || peer.replace_allowed_ips);
  EXPECT_FALSE(peer.preshared_key || peer.endpoint || peer.persistent_keepalive_s);
  EXPECT_TRUE(peer.allowed_ips.empty());
}

TEST(UapiParser, P101_Remove) { EXPECT_TRUE(peer_of("remove=true\n").remove); }
TEST(UapiParser, P101_UpdateOnly) { EXPECT_TRUE(peer_of("update_only=true\n").update_only); }

TEST(UapiParser, P101_PresharedKeyIsHex) {
  const PeerChange peer = peer_of("preshared_key=" + kShared + "\n");
  EXPECT_EQ(peer.preshared_key->data()[31], 0xbb);
}

TEST(UapiParser, P101_EndpointOfIpv4) {
  EXPECT_EQ(peer_of("endpoint=192.0.2.1:5\n").endpoint->to_string(), "192.0.2.1:5");
}

TEST(UapiParser, P101_EndpointOfIpv6) {
  EXPECT_EQ(peer_of("endpoint=[2001:db8::1]:5\n").endpoint->to_string(), "[2001:db8::1]:5");
}

TEST(UapiParser, P101_EndpointScopeMayBeANumber) {
  EXPECT_EQ(peer_of("endpoint=[fe80::1%3]:5\n").endpoint->scope_id, 3u);
}

TEST(UapiParser, P101_EndpointScopeMayBeAnInterface) {
  EXPECT_EQ(peer_of("endpoint=[fe80::1%eth7]:5\n").endpoint->scope_id, 7u);
}

TEST(UapiParser, P101_PersistentKeepaliveHasItsWholeRange) {
  EXPECT_EQ(peer_of("persistent_keepalive_interval=0\n").persistent_keepalive_s, 0);
  EXPECT_EQ(peer_of("persistent_keepalive_interval=65535\n").persistent_keepalive_s, 65535);
}

TEST(UapiParser, P101_AllowedIpsAddUpInOrder) {
  const PeerChange peer = peer_of("allowed_ip=10.0.0.0/8\nallowed_ip=::/0\n");
  ASSERT_EQ(peer.allowed_ips.size(), 2u);
  EXPECT_EQ(peer.allowed_ips[0].cidr.to_string(), "10.0.0.0/8");
  EXPECT_EQ(peer.allowed_ips[1].cidr.to_string(), "::/0");
  EXPECT_FALSE(peer.allowed_ips[0].remove);
}

TEST(UapiParser, P101_ALeadingMinusRemovesOneAllowedIp) {
  const PeerChange peer = peer_of("allowed_ip=-10.0.0.0/8\n");
  ASSERT_EQ(peer.allowed_ips.size(), 1u);
  EXPECT_TRUE(peer.allowed_ips[0].remove);
  EXPECT_EQ(peer.allowed_ips[0].cidr.to_string(), "10.0.0.0/8");
}

TEST(UapiParser, P101_ReplaceAllowedIpsReplacesTheLinesAboveItToo) {
  const PeerChange peer =
      peer_of("allowed_ip=10.0.0.0/8\nreplace_allowed_ips=true\nallowed_ip=::/0\n");
  EXPECT_TRUE(peer.replace_allowed_ips);
  ASSERT_EQ(peer.allowed_ips.size(), 1u);
  EXPECT_EQ(peer.allowed_ips[0].cidr.to_string(), "::/0");
}

TEST(UapiParser, P101_ProtocolVersionOneIsAccepted) { peer_of("protocol_version=1\n"); }

// --- Refusals ---

struct BadLine {
  const char* line;
  const char* what;  // in the text of the error
};

class UapiBadDeviceLine : public testing::TestWithParam<BadLine> {};

TEST_P(UapiBadDeviceLine, P102_IsRefused) {
  const Error error = set_refusal_of(std::string(GetParam().line) + "\n");
  EXPECT_EQ(error.code, EINVAL) << error.what;
  EXPECT_THAT(error.what, HasSubstr("line 2: "));
  EXPECT_THAT(error.what, HasSubstr(GetParam().what));
}

constexpr BadLine kBadDeviceLines[] = {
    {"listen_port=65536", "listen_port: expected a number from 0 to 65535, got '65536'"},
    {"listen_port=", "listen_port"},
    {"listen_port= 1", "listen_port"},
    {"listen_port=1 ", "listen_port"},
    {"listen_port=+1", "listen_port"},
    {"listen_port=-1", "listen_port"},
    {"listen_port=0x10", "listen_port"},
    {"listen_port=1\r", "ends with CR LF; expected LF alone"},
    {"listen_port=1\t", "listen_port: expected a number from 0 to 65535, got '1?'"},
    {"listen_port=18446744073709551617", "listen_port"},
    {"fwmark=4294967296", "fwmark: expected a number from 0 to 4294967295"},
    {"fwmark=0x1", "fwmark"},
    {"fwmark=off", "fwmark"},
    {"replace_peers=false", "replace_peers: expected true, got 'false'"},
    {"replace_peers=1", "replace_peers"},
    {"replace_peers=True", "replace_peers"},
    {"replace_peers=", "replace_peers"},
    {"private_key=", "private_key: expected 64 hex digits"},
    {"private_key=00", "private_key"},
    {"public_key=00", "public_key: expected 64 hex digits"},
    {"=1", "not a key of a device"},
    {"Listen_port=1", "not a key of a device"},
    {"listen_port =1", "not a key of a device"},
    {"jc=1", "jc: not a key of a device"},
    {"endpoint=192.0.2.1:5", "endpoint: not a key of a device, and no public_key came before"},
    {"remove=true", "remove: not a key of a device"},
};
INSTANTIATE_TEST_SUITE_P(All, UapiBadDeviceLine, testing::ValuesIn(kBadDeviceLines));

class UapiBadPeerLine : public testing::TestWithParam<BadLine> {};

TEST_P(UapiBadPeerLine, P102_IsRefused) {
  const Error error = peer_refusal_of(GetParam().line);
  EXPECT_EQ(error.code, EINVAL) << error.what;
  EXPECT_THAT(error.what, HasSubstr("line 3: "));
  EXPECT_THAT(error.what, HasSubstr(GetParam().what));
}

constexpr BadLine kBadPeerLines[] = {
    {"remove=false", "remove: expected true, got 'false'"},
    {"update_only=yes", "update_only: expected true"},
    {"replace_allowed_ips=false", "replace_allowed_ips: expected true"},
    {"protocol_version=2", "protocol_version: expected 1"},
    {"protocol_version=01", "protocol_version"},
    {"preshared_key=00", "preshared_key: expected 64 hex digits"},
    {"persistent_keepalive_interval=65536", "from 0 to 65535, got '65536'"},
    {"persistent_keepalive_interval=off", "persistent_keepalive_interval"},
    {"endpoint=", "endpoint: expected a numeric address and a port"},
    {"endpoint=example.org:5", "endpoint"},
    {"endpoint=192.0.2.1", "endpoint"},
    {"endpoint=192.0.2.1:", "endpoint"},
    {"endpoint=192.0.2.1:65536", "endpoint"},
    {"endpoint=192.0.2.1:http", "endpoint"},
    {"endpoint=2001:db8::1:5", "endpoint"},
    {"endpoint=[192.0.2.1]:5", "endpoint"},
    {"endpoint=[2001:db8::1]", "endpoint"},
    {"endpoint=[fe80::1%eth8]:5", "endpoint"},
    {"endpoint=[fe80::1%]:5", "endpoint"},
    {"endpoint=192.0.2.1%eth7:5", "endpoint"},
    {"allowed_ip=", "allowed_ip: expected an address and its prefix length"},
    {"allowed_ip=-", "allowed_ip"},
    {"allowed_ip=10.0.0.0", "allowed_ip"},
    {"allowed_ip=10.0.0.0/", "allowed_ip"},
    {"allowed_ip=10.0.0.0/33", "allowed_ip"},
    {"allowed_ip=::/129", "allowed_ip"},
    {"allowed_ip=+10.0.0.0/8", "allowed_ip"},
    {"allowed_ip=--10.0.0.0/8", "allowed_ip"},
    {"allowed_ip=10.0.0.0/8,::/0", "allowed_ip"},
    {"listen_port=1", "listen_port: not a key of a peer"},
    {"private_key=00", "private_key: not a key of a peer"},
    {"replace_peers=true", "replace_peers: not a key of a peer"},
    {"last_handshake_time_sec=1", "last_handshake_time_sec: not a key of a peer"},
};
INSTANTIATE_TEST_SUITE_P(All, UapiBadPeerLine, testing::ValuesIn(kBadPeerLines));

TEST(UapiParser, P102_KeysHaveExactly64HexDigits) {
  for (const std::string& bad : {std::string(63, 'a'), std::string(65, 'a'),
                                 std::string(63, 'a') + "g", " " + std::string(63, 'a')}) {
    EXPECT_EQ(set_refusal_of("private_key=" + bad + "\n").code, EINVAL);
    EXPECT_EQ(set_refusal_of("public_key=" + bad + "\n").code, EINVAL);
    EXPECT_EQ(peer_refusal_of("preshared_key=" + bad).code, EINVAL);
  }
}

TEST(UapiParser, P102_ALineWithoutEqualsIsAProtocolError) {
  const Error error = set_refusal_of("listen_port\n");
  EXPECT_EQ(error.code, EPROTO);
  EXPECT_EQ(error.what, "line 2: expected key=value");
}

TEST(UapiParser, P102_AnUnknownOperationIsRefused) {
  for (const char* text : {"put=1\n\n", "get\n\n", "get=2\n\n", "set=1 \n\n"}) {
    EXPECT_EQ(refusal_of(text).what, "line 1: expected get=1, set=1, stats=1 or settings=1");
  }
}

TEST(UapiParser, P102_GetTakesNoLines) {
  EXPECT_EQ(refusal_of("get=1\nlisten_port=1\n\n").what, "line 2: expected an empty line");
}

TEST(UapiParser, P102_StatsTakesNoLines) {
  EXPECT_EQ(refusal_of("stats=1\nlisten_port=1\n\n").what, "line 2: expected an empty line");
}

TEST(UapiParser, P102_TheFirstBadLineIsTheOneThatIsNamed) {
  EXPECT_THAT(set_refusal_of("fwmark=1\nfwmark=x\nlisten_port=x\nno\n").what,
              HasSubstr("line 3: fwmark"));
}

TEST(UapiParser, P102_NothingOfARequestWithABadLineIsHandedOut) {
  const auto requests = requests_of("set=1\nlisten_port=1\n" + kPeer + "bad=1\n" + kPeer + "\n");
  ASSERT_EQ(requests.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<Error>(requests[0]));
}

TEST(UapiParser, P102_ARefusedRequestLeavesNothingForTheNext) {
  const auto requests = requests_of("set=1\nlisten_port=1\n" + kPeer + "bad=1\n\nset=1\n\n");
  ASSERT_EQ(requests.size(), 2u);
  const auto& change = std::get<DeviceChange>(requests[1]);
  EXPECT_FALSE(change.listen_port);
  EXPECT_TRUE(change.peers.empty());
}

TEST(UapiParser, P102_CarriageReturnsAreRefusedAndStillEndTheRequest) {
  for (const std::size_t step : {std::size_t{1}, std::size_t{2}, SIZE_MAX}) {
    for (const std::string_view text :
         {"get=1\r\n\r\n", "set=1\r\nfwmark=7\r\n\r\n", "set=1\nfwmark=7\r\n\n",
          "set=1\nfwmark=7\n\r\n", "set=1\nfwmark=x\nfwmark=7\n\r\n"}) {
      auto requests = requests_of(std::string(text) + "get=1\n\n", step);
      ASSERT_EQ(requests.size(), 2u) << text;
      ASSERT_TRUE(std::holds_alternative<Error>(requests[0])) << text;
      EXPECT_EQ(std::get<Error>(requests[0]).code, EINVAL) << text;
      EXPECT_TRUE(std::holds_alternative<GetRequest>(requests[1])) << text;
    }
  }
  EXPECT_THAT(refusal_of("get=1\r\n\r\n").what, HasSubstr("line 1: ends with CR LF"));
  EXPECT_TRUE(requests_of("\r\n\r\n").empty());
}

TEST(UapiParser, P102_ARequestThatIsCutOffIsAnError) {
  for (const std::string_view text : {"g", "get=1\n", "set=1\nfwmark=7\n", "set=1\nfwmark=7",
                                      "set=1\n\nset=1\nlisten_port=1\n", "no\nsuch"}) {
    UapiParser parser = make_parser();
    std::string_view input = text;
    while (parser.feed(input)) {
    }
    auto request = parser.cut_off();
    ASSERT_TRUE(request && std::holds_alternative<Error>(*request)) << text;
    EXPECT_FALSE(parser.in_request()) << text;
    EXPECT_EQ(parser.held_bytes(), 0u) << text;
    EXPECT_FALSE(parser.cut_off()) << text;
  }
  UapiParser parser = make_parser();
  std::string_view whole = "set=1\nfwmark=7\n\n\n";
  EXPECT_TRUE(parser.feed(whole));
  EXPECT_FALSE(parser.feed(whole));
  EXPECT_FALSE(parser.cut_off());
}

TEST(UapiParser, P102_AZeroByteEndsNothing) {
  using std::string_literals::operator""s;
  EXPECT_EQ(set_refusal_of("listen_port=1\0\n"s).code, EINVAL);
  EXPECT_EQ(peer_refusal_of("endpoint=[fe80::1%eth7\0]:5"s).code, EINVAL);
  EXPECT_EQ(peer_refusal_of("allowed_ip=10.0.0.0\0/8"s).code, EINVAL);
}

TEST(UapiParser, P102_ErrorsNeverHoldAKey) {
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";  // base64, not hex
  for (const std::string& line : {"private_key=" + key, "public_key=" + key, key, "x=" + key}) {
    EXPECT_THAT(set_refusal_of(line + "\n").what, Not(HasSubstr("yAnz5TF"))) << line;
  }
  EXPECT_THAT(peer_refusal_of("preshared_key=" + key).what, Not(HasSubstr("yAnz5TF")));
}

TEST(UapiParser, P102_ErrorsQuoteNoControlCharactersAndNoLongText) {
  const Error error = set_refusal_of("fwmark=\x1b[31m" + std::string(200, 'x') + "\n");
  EXPECT_THAT(error.what, HasSubstr("'?[31mxx"));
  EXPECT_LT(error.what.size(), 160u);
}

// --- Bounds ---

TEST(UapiParser, P103_ALineHasABound) {
  const std::string line = "fwmark=" + std::string(kMaxUapiLineBytes, '1') + "\n";
  const Error error = set_refusal_of(line);
  EXPECT_EQ(error.code, EINVAL);
  EXPECT_EQ(error.what, "line 2: longer than 4096 bytes");
}

TEST(UapiParser, P103_ALineThatNeverEndsHoldsABoundedBuffer) {
  UapiParser parser = make_parser();
  const std::string piece(1000, 'x');
  for (int i = 0; i < 1000; ++i) {
    std::string_view input = piece;
    ASSERT_FALSE(parser.feed(input));
    ASSERT_LE(parser.held_bytes(), 2 * kMaxUapiLineBytes);
  }
}

TEST(UapiParser, P103_ARefusedRequestHoldsNothingHoweverLongItGoesOn) {
  UapiParser parser = make_parser();
  std::string_view input = "set=1\nbad\n";
  EXPECT_FALSE(parser.feed(input));
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += kPeer;
  input = lines;
  EXPECT_FALSE(parser.feed(input));
  EXPECT_EQ(parser.held_bytes(), 0u);
}

TEST(UapiParser, P103_BetweenRequestsAParserHoldsNothing) {
  UapiParser parser = make_parser();
  const std::string text = "set=1\n" + kPeer + "allowed_ip=::/0\n\n";
  for (char c : text) {
    std::string_view input(&c, 1);
    (void)parser.feed(input);
  }
  EXPECT_FALSE(parser.in_request());
  EXPECT_EQ(parser.held_bytes(), 0u);
}

TEST(UapiParser, P103_AParserKnowsThatItIsWithinARequest) {
  UapiParser parser = make_parser();
  EXPECT_FALSE(parser.in_request());
  std::string_view input = "s";
  EXPECT_FALSE(parser.feed(input));
  EXPECT_TRUE(parser.in_request());
}

TEST(UapiParser, P103_ARequestThatIsGivenUpHoldsNothingAndIsAnsweredAtItsEnd) {
  for (const std::string& start :
       {"set=1\n" + kPeer + "allowed_ip=10.0.0.0/8\n", std::string("set")}) {
    UapiParser parser = make_parser();
    std::string_view text = start;
    EXPECT_FALSE(parser.feed(text));
    parser.give_up_request();
    EXPECT_EQ(parser.held_bytes(), 0u);
    text = "fwmark=1\n\n";
    const auto request = parser.feed(text);
    ASSERT_TRUE(request);
    EXPECT_EQ(std::get<Error>(*request).code, ENOMEM);
    EXPECT_FALSE(parser.in_request());
  }
}

TEST(UapiParser, P103_BetweenRequestsThereIsNothingToGiveUp) {
  UapiParser parser = make_parser();
  parser.give_up_request();
  std::string_view text = "get=1\n\n";
  EXPECT_TRUE(std::holds_alternative<GetRequest>(*parser.feed(text)));
}

TEST(UapiParser, P103_WhatARequestHoldsCanBeAsked) {
  UapiParser parser = make_parser();
  std::string text = "set=1\n" + kPeer;
  for (int i = 0; i < 1000; ++i) text += "allowed_ip=::/0\n";
  std::string_view input = text;
  EXPECT_FALSE(parser.feed(input));
  EXPECT_GE(parser.held_bytes(), 1000 * sizeof(protocol::AllowedIpChange));
}

// --- Any split, any content ---

const std::string kConversation =  //
    "set=1\nprivate_key=" + kPrivate + "\nlisten_port=51820\nfwmark=1\nreplace_peers=true\n" +
    kPeer + "preshared_key=" + kShared +
    "\nendpoint=[fe80::1%eth7]:5\npersistent_keepalive_interval=25\nreplace_allowed_ips=true\n"
    "allowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n" +
    kPeer + "remove=true\n\nget=1\n\nset=1\nbad\n\n\nstats=1\n\nput=1\n\n";

// What a request says, as text that can be compared.
std::string summary(const UapiRequest& request) {
  if (const auto* error = std::get_if<Error>(&request)) return "error " + error->what;
  if (!std::holds_alternative<DeviceChange>(request)) return std::to_string(request.index());
  const auto& change = std::get<DeviceChange>(request);
  std::string text = "set " + std::to_string(change.listen_port.value_or(0));
  for (const PeerChange& peer : change.peers) {
    text += " peer " + to_hex(peer.public_key);
    if (peer.endpoint) text += peer.endpoint->to_string();
    for (const auto& ip : peer.allowed_ips) text += (ip.remove ? " -" : " ") + ip.cidr.to_string();
  }
  return text;
}

std::vector<std::string> summaries(std::string_view text, std::size_t step) {
  std::vector<std::string> all;
  for (const UapiRequest& request : requests_of(text, step)) all.push_back(summary(request));
  return all;
}

TEST(UapiParser, P100_HowTheBytesArriveMakesNoDifference) {
  const auto whole = summaries(kConversation, SIZE_MAX);
  EXPECT_EQ(whole.size(), 5u);
  for (std::size_t step = 1; step < 100; ++step) {
    EXPECT_EQ(summaries(kConversation, step), whole) << "in pieces of " << step;
  }
}

std::size_t count_empty_lines(std::string_view text) {
  std::size_t count = text.starts_with('\n') ? 1 : 0;
  for (std::size_t i = 1; i < text.size(); ++i) count += text[i] == '\n' && text[i - 1] == '\n';
  return count;
}

TEST(UapiParser, P102_MutatedRequestsAreAnsweredAtMostOncePerEmptyLine) {
  std::mt19937 random(20260101);
  const std::string alphabet = std::string("\n\n==0aftx-/.:[]%,") + '\0' + "\xff" + "1";
  for (int round = 0; round < 5000; ++round) {
    std::string text = kConversation;
    for (unsigned edits = 1 + random() % 8; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text.erase(at, random() % 20);
          break;
        case 1:
          text.insert(at, 1, alphabet[random() % alphabet.size()]);
          break;
        case 2:
          text[at] = alphabet[random() % alphabet.size()];
          break;
        case 3:
          text.insert(at, text.substr(random() % text.size(), random() % 200));
          break;
      }
      if (text.empty()) text = "\n";
    }
    const auto whole = summaries(text, SIZE_MAX);
    ASSERT_LE(whole.size(), count_empty_lines(text));
    ASSERT_EQ(summaries(text, 1 + random() % 64), whole) << "round " << round;
  }
}

}  // namespace
}  // namespace ferrule::control
