#include "control/conf_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/key_text.h"

namespace ferrule::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kOwnKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string kPeer1 = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kPeer2 = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";

// An interface without fault, and a peer of it.
const std::string kInterface =
    "[Interface]\nPrivateKey = " + kOwnKey + "\nListenPort = 51820\nAddress = 10.0.0.1/24\n";
std::string peer(const std::string& key, const std::string& lines) {
  return "[Peer]\nPublicKey = " + key + "\n" + lines;
}

std::vector<ConfFinding> check(const std::string& text, const MachineFacts& facts = {}) {
  const ConfDocument document("wg0.conf", text);
  const auto configuration = read_configuration(document, ConfDialect::wg_quick);
  if (!configuration) {
    ADD_FAILURE() << configuration.error().front().to_string();
    return {};
  }
  return check_configuration(document, *configuration, facts);
}

// "error own-key 6": what is found, and in which lines.
std::vector<std::string> found(const std::string& text, const MachineFacts& facts = {}) {
  std::vector<std::string> all;
  for (const ConfFinding& finding : check(text, facts)) {
    const bool is_note = finding.severity == Severity::note;
    const bool is_error = finding.severity == Severity::error;
    all.push_back(std::string(is_note    ? "note "
                              : is_error ? "error "
                                         : "warning ") +
                  std::string(finding.rule) + " " + std::to_string(finding.where.line));
  }
  return all;
}

MachineFacts at(const std::string& host, const std::string& address,
                std::optional<std::uint32_t> mtu_bytes = {}, unsigned route_length = 0) {
  MachineFacts facts;
  facts.endpoints.push_back({host, {*IpAddress::parse(address)}, mtu_bytes, route_length});
  return facts;
}

TEST(ConfCheck, AFileWithoutFaultHasNoFindings) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2/32\n") +
                    peer(kPeer2, "AllowedIPs = 10.0.0.3/32, fd00::3/128\n")),
              IsEmpty());
}

TEST(ConfCheck, APlaceIsThatOfTheValue) {
  const auto findings = check(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2/32,  10.0.0.1\n"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].where.line, 7u);
  EXPECT_EQ(findings[0].where.column, 28u);
  EXPECT_EQ(findings[0].where.length, 8u);
}

TEST(ConfCheck, NoKeyIsShown) {
  for (const ConfFinding& finding :
       check(kInterface + peer(kPeer1, "") + peer(kPeer1, "AllowedIPs = 10.0.0.2\n"))) {
    EXPECT_EQ(finding.where.to_string().find(kPeer1.substr(0, 8)), std::string::npos);
  }
}

TEST(ConfCheck, TheSamePrefixWithTwoPeersIsAnError) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2\n") +
                    peer(kPeer2, "AllowedIPs = 10.0.0.3, 10.0.0.2/32\n")),
              ElementsAre("error overlapping-allowed-ips 10"));
}

TEST(ConfCheck, APrefixWithinOneOfAnotherPeerIsAWarning) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.1.0.0/16\n") +
                    peer(kPeer2, "AllowedIPs = 10.1.2.0/24\n")),
              ElementsAre("warning overlapping-allowed-ips 10"));
}

TEST(ConfCheck, PrefixesBesideEachOtherDoNotOverlap) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.1.0.0/16, a00::/8\n") +
                    peer(kPeer2, "AllowedIPs = 10.2.0.0/16, 10.0.0.0/16\n")),
              IsEmpty());
}

TEST(ConfCheck, ADefaultRouteBesideNarrowerPrefixesIsMeant) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 0.0.0.0/0, ::/0\n") +
                    peer(kPeer2, "AllowedIPs = 10.0.0.2/32\n")),
              IsEmpty());
}

TEST(ConfCheck, APeerMayOverlapItself) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.1.0.0/16, 10.1.0.2\n")), IsEmpty());
}

TEST(ConfCheck, APrefixThatIsTakenAwayOverlapsNothing) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.1.0.0/16\n") +
                    peer(kPeer2, "AllowedIPs = -10.1.0.0/16\n")),
              IsEmpty());
}

TEST(ConfCheck, TheOwnKeyIsNoPeers) {
  MachineFacts facts;
  facts.own_key = public_key_from_base64(kPeer1);
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2\n"), facts),
              ElementsAre("error own-key 6"));
}

TEST(ConfCheck, AKeyStandsOnce) {
  const auto findings = check(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2\n") +
                              peer(kPeer1, "AllowedIPs = 10.0.0.3\n"));
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule, "duplicate-key");
  EXPECT_EQ(findings[0].where.line, 9u);
  EXPECT_THAT(findings[0].where.message, HasSubstr("line 5"));
}

const std::string kEndpoint = "Endpoint = 192.0.2.1:51820\n";

TEST(ConfCheck, AnEndpointWithinTheTunnelsRoutesLoops) {
  const std::string text = kInterface + peer(kPeer1, "AllowedIPs = 192.0.2.0/24\n" + kEndpoint);
  EXPECT_THAT(found(text, at("192.0.2.1", "192.0.2.1")), ElementsAre("error endpoint-in-tunnel 8"));
}

TEST(ConfCheck, ADefaultRouteLetsTheEndpointPass) {
  const std::string text = kInterface + peer(kPeer1, "AllowedIPs = 0.0.0.0/0\n" + kEndpoint);
  EXPECT_THAT(found(text, at("192.0.2.1", "192.0.2.1")), IsEmpty());
}

TEST(ConfCheck, ANarrowerRouteLetsTheEndpointPass) {
  const std::string text = kInterface + peer(kPeer1, "AllowedIPs = 192.0.0.0/16\n" + kEndpoint);
  EXPECT_THAT(found(text, at("192.0.2.1", "192.0.2.1", 1500, 24)), IsEmpty());
}

TEST(ConfCheck, WithoutRoutesOfTheTunnelNothingLoops) {
  const std::string text =
      kInterface + "Table = off\n" + peer(kPeer1, "AllowedIPs = 192.0.2.0/24\n" + kEndpoint);
  EXPECT_THAT(found(text, at("192.0.2.1", "192.0.2.1")), IsEmpty());
}

TEST(ConfCheck, HostBitsAreAWarning) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2/24\n")),
              ElementsAre("warning host-bits 7"));
}

const std::string kClient = "[Interface]\nPrivateKey = " + kOwnKey + "\nAddress = 10.0.0.2/24\n";

TEST(ConfCheck, BehindNatAKeepaliveIsMissed) {
  const std::string ips = "AllowedIPs = 10.0.0.0/24\n";
  EXPECT_THAT(found(kClient + peer(kPeer1, ips + kEndpoint)),
              ElementsAre("warning no-keepalive 7"));
  EXPECT_THAT(found(kClient + peer(kPeer1, ips + kEndpoint + "PersistentKeepalive = 25\n")),
              IsEmpty());
  EXPECT_THAT(found(kInterface + peer(kPeer1, ips + kEndpoint)), IsEmpty());
}

TEST(ConfCheck, NobodyCanBegin) {
  EXPECT_THAT(found(kClient + peer(kPeer1, "AllowedIPs = 10.0.0.1\n")),
              ElementsAre("warning unreachable 4"));
}

TEST(ConfCheck, APeerWithoutAllowedIpsIsUseless) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "")), ElementsAre("warning no-allowed-ips 5"));
}

TEST(ConfCheck, NameServersAreWithinAllowedIps) {
  const std::string peers = peer(kPeer1, "AllowedIPs = 10.0.0.0/24, fd00::/64\n");
  EXPECT_THAT(found(kInterface + "DNS = 10.0.0.53, fd00::53, lan\n" + peers), IsEmpty());
  EXPECT_THAT(found(kInterface + "DNS = lan, 10.0.0.53\nDNS = 192.0.2.53\n" + peers),
              ElementsAre("warning dns-outside 6"));
}

TEST(ConfCheck, AnMtuFitsTheWayWithItsHeaders) {
  const auto with_mtu = [](const std::string& mtu) {
    return kInterface + "MTU = " + mtu + "\n" +
           peer(kPeer1, "AllowedIPs = 10.0.0.2\nEndpoint = host:1\n");
  };
  EXPECT_THAT(found(with_mtu("1440"), at("host", "192.0.2.1", 1500)), IsEmpty());
  EXPECT_THAT(found(with_mtu("1441"), at("host", "192.0.2.1", 1500)),
              ElementsAre("warning mtu-too-large 5"));
  EXPECT_THAT(found(with_mtu("1420"), at("host", "2001:db8::1", 1500)), IsEmpty());
  EXPECT_THAT(found(with_mtu("1421"), at("host", "2001:db8::1", 1500)),
              ElementsAre("warning mtu-too-large 5"));
}

TEST(ConfCheck, IPv6NeedsItsLeastMtu) {
  EXPECT_THAT(found(kInterface + "Address = fd00::1/64\nMTU = 1279\n"),
              ElementsAre("error mtu-too-small 6"));
  EXPECT_THAT(found(kInterface + "MTU = 1279\n"), IsEmpty());
}

TEST(ConfCheck, AKeyThatAllMayReadIsAWarning) {
  MachineFacts facts;
  facts.file_mode = 0644;
  EXPECT_THAT(found(kInterface, facts), ElementsAre("warning readable-keys 2"));
  facts.file_mode = 0640;
  EXPECT_THAT(found(kInterface, facts), IsEmpty());
}

TEST(ConfCheck, AFileWithoutPrivateKeyIsAnErrorUnlessAHookBringsIt) {
  EXPECT_THAT(found("[Interface]\nListenPort = 1\n"), ElementsAre("error no-private-key 1"));
  EXPECT_THAT(found("[Interface]\nPostUp = wg set %i private-key /key\n"), IsEmpty());
}

TEST(ConfCheck, AnAddressStandsOnce) {
  EXPECT_THAT(found(kInterface + "Address = 10.0.0.1/32\n"),
              ElementsAre("error duplicate-address 5"));
}

TEST(ConfCheck, TheOwnAddressIsNoPeers) {
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.1\n")),
              ElementsAre("error duplicate-address 7"));
}

TEST(ConfCheck, ValuesThatCannotBeMeantAreFound) {
  EXPECT_THAT(found(kInterface + "Address = 10.66.0.2 255.255.255.0\n"),
              ElementsAre("error odd-address 5"));
  EXPECT_THAT(found(kInterface + "Address = 127.0.0.1/8, 10.66.0.0/24\n"),
              ElementsAre("error odd-address 5", "warning odd-address 5"));
  EXPECT_THAT(found(kInterface + peer(kPeer1, "AllowedIPs = 0.0.0.0\nEndpoint = h:0\n")),
              ElementsAre("warning odd-allowed-ip 7", "error odd-endpoint 8"));
  EXPECT_THAT(found(kInterface + "DNS = 0.0.0.0\n"), ElementsAre("error odd-dns 5"));
  EXPECT_THAT(found(kInterface + "PostUp = echo\xc2\xa0 x\n"), ElementsAre("warning odd-space 5"));
}

TEST(ConfCheck, AFileWithoutInterfaceIsIncomplete) {
  EXPECT_THAT(found(""), ElementsAre("error no-interface 1"));
  EXPECT_THAT(found("# nothing\n\n"), ElementsAre("error no-interface 1"));
  EXPECT_THAT(found("# a\n" + peer(kPeer1,
                                   "AllowedIPs = 10.0.0.2\nEndpoint = h:1\n"
                                   "PersistentKeepalive = 25\n")),
              ElementsAre("error no-interface 2"));
  EXPECT_THAT(found("[Interface]\nPrivateKey = " + kOwnKey + "\nAddress = 10.0.0.1/24\n"),
              ElementsAre("warning no-peers 1"));
}

TEST(ConfCheck, AForgottenPeerLineIsSuspected) {
  const auto findings = check(kInterface + peer(kPeer1, "AllowedIPs = 10.0.0.2\n") +
                              "PublicKey = " + kPeer2 + "\nAllowedIPs = 10.0.0.3\n");
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule, "repeated-key");
  EXPECT_EQ(findings[0].severity, Severity::error);
  EXPECT_EQ(findings[0].where.line, 8u);
  EXPECT_THAT(findings[0].where.message, HasSubstr("line 6 already"));
  EXPECT_THAT(findings[0].where.message, HasSubstr("[Peer] missing"));
}

TEST(ConfCheck, NothingIsTheLastOneInSilence) {
  EXPECT_THAT(found(kInterface + "PrivateKey = " + kOwnKey + "\n"),
              ElementsAre("error repeated-key 5"));
  EXPECT_THAT(found(kInterface + "MTU = 1400\nmtu = 1420\nM T U = 1420\n"),
              ElementsAre("warning repeated-key 6", "warning repeated-key 7"));
  EXPECT_THAT(found(kInterface + peer(kPeer1,
                                      "AllowedIPs = 10.0.0.2\nEndpoint = h:1\n"
                                      "AllowedIPs = 10.0.0.3\nEndpoint = h:2\n")),
              ElementsAre("error repeated-key 10"));
  EXPECT_THAT(found(kInterface + "[Interface]\nListenPort = 1\n"),
              ElementsAre("warning repeated-section 5", "warning repeated-key 6"));
  EXPECT_THAT(found(kInterface + "PostUp = a\nPostUp = b\nDNS = 10.0.0.1\nDNS = lan\n"), IsEmpty());
}

TEST(ConfCheck, NamesInOtherToolsCommentsAreOffered) {
  const std::string alice = peer(kPeer1, "AllowedIPs = 10.0.0.2\n");
  const std::string bob = peer(kPeer2, "AllowedIPs = 10.0.0.3\n");
  const auto findings =
      check(kInterface + "\n### Client alice\n" + alice + "\n### Client bob\n" + bob);
  ASSERT_EQ(findings.size(), 1u);
  EXPECT_EQ(findings[0].rule, "foreign-name");
  EXPECT_EQ(findings[0].where.line, 6u);
  EXPECT_THAT(findings[0].where.message, HasSubstr("2 peers"));
  EXPECT_THAT(findings[0].where.message, HasSubstr("ferrule peer adopt wg0.conf'"));
  EXPECT_THAT(found(kInterface + "# BEGIN_PEER bob\n" + bob + "# END_PEER bob\n"),
              ElementsAre("note foreign-name 5"));
  EXPECT_THAT(found(kInterface + peer(kPeer1, "# friendly_name = c\nAllowedIPs = 10.0.0.2\n")),
              ElementsAre("note foreign-name 7"));
  EXPECT_THAT(found(kInterface + "### Client alice\n" +
                    peer(kPeer1, "# Name = alice\nAllowedIPs = 10.0.0.2\n")),
              IsEmpty());
}

TEST(ConfCheck, WhatClientsWillBeToldIsLookedAt) {
  EXPECT_THAT(found(kInterface + "# Endpoint = a.example\n# ClientDNS = 10.0.0.1, lan\n"),
              IsEmpty());
  EXPECT_THAT(found(kInterface + "# Endpoint = http://a.example\n# ClientDNS = 10.0.0.1, auto\n"),
              ElementsAre("warning odd-note 5", "warning odd-note 6"));
}

}  // namespace
}  // namespace ferrule::control
