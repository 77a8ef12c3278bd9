#include "control/conf_configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "base/key_text.h"
#include "control/foreign_words.h"

namespace ferrule::control {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const std::string kKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string kPeer = "[Peer]\nPublicKey = " + kKey + "\n";

std::expected<Configuration, ConfErrors> read(const std::string& text,
                                              ConfDialect dialect = ConfDialect::wg_quick) {
  return read_configuration(ConfDocument("wg0.conf", text), dialect);
}

Configuration good(const std::string& text, ConfDialect dialect = ConfDialect::wg_quick) {
  auto configuration = read(text, dialect);
  if (!configuration) {
    for (const ConfError& error : configuration.error()) ADD_FAILURE() << error.to_string();
    return {};
  }
  return std::move(*configuration);
}

InterfaceConf interface(const std::string& lines) {
  return std::move(good("[Interface]\n" + lines).interface);
}

PeerConf peer(const std::string& lines) { return std::move(good(kPeer + lines).peers.at(0)); }

// The only error in a text, as it is shown.
std::string error_in(const std::string& text, ConfDialect dialect = ConfDialect::wg_quick) {
  const auto configuration = read(text, dialect);
  if (configuration) return "accepted";
  EXPECT_EQ(configuration.error().size(), 1u);
  return configuration.error().at(0).to_string();
}

// --- [Interface] ---

TEST(ConfConfiguration, PrivateKey) {
  const auto expected = secret_from_base64(kKey);
  const InterfaceConf conf = interface("PrivateKey = " + kKey + "\n");
  ASSERT_TRUE(conf.private_key && expected);
  EXPECT_TRUE(constant_time_equal(conf.private_key->bytes(), expected->bytes()));
}

TEST(ConfConfiguration, ListenPort) {
  EXPECT_EQ(interface("ListenPort = 51820").listen_port, 51820);
}
// wg takes the rest of it by 65536.
TEST(ConfConfiguration, APortThatIsTooLargeIsRefusedWithTheRange) {
  EXPECT_EQ(error_in("[Interface]\nListenPort = 99999\n"),
            "wg0.conf:2:14: ListenPort: expected a port from 0 to 65535\n"
            "    ListenPort = 99999\n"
            "                 ^~~~~\n");
}
TEST(ConfConfiguration, FwMark) { EXPECT_EQ(interface("FwMark = 0xca6c").fwmark, 0xca6cu); }
TEST(ConfConfiguration, FwMarkOff) { EXPECT_EQ(interface("FwMark = off").fwmark, 0u); }
TEST(ConfConfiguration, Mtu) { EXPECT_EQ(interface("MTU = 1420").mtu_bytes, 1420); }
TEST(ConfConfiguration, Table) { EXPECT_EQ(interface("Table = off").table, "off"); }
TEST(ConfConfiguration, SaveConfig) { EXPECT_TRUE(interface("SaveConfig = true").save_config); }

TEST(ConfConfiguration, WhatIsNotNamedIsNotSet) {
  const InterfaceConf conf = interface("");
  EXPECT_FALSE(conf.private_key || conf.listen_port || conf.fwmark || conf.mtu_bytes || conf.table);
}

TEST(ConfConfiguration, AddressesKeepTheirHostBitsAndAddUp) {
  const InterfaceConf conf = interface("Address = 10.0.0.1/24, fd00::1/64\nAddress = 10.1.0.1\n");
  ASSERT_EQ(conf.addresses.size(), 3u);
  EXPECT_EQ(conf.addresses[0].address.to_string(), "10.0.0.1");
  EXPECT_EQ(conf.addresses[1].prefix_length, 64u);
  EXPECT_EQ(conf.addresses[2].prefix_length, 32u);
}

TEST(ConfConfiguration, DnsIsServersAndSearchDomains) {
  const InterfaceConf conf = interface("DNS = 10.0.0.53, fd00::53, office.example\n");
  EXPECT_EQ(conf.dns_servers.size(), 2u);
  EXPECT_THAT(conf.dns_search, ElementsAre("office.example"));
}

TEST(ConfConfiguration, AddressesAndDnsStandBetweenAnyCommasAndSpaces) {
  EXPECT_EQ(interface("Address = 10.0.0.1/24 fd00::1/64,, 10.0.0.2,").addresses.size(), 3u);
  EXPECT_EQ(interface("DNS = 1.1.1.1  8.8.8.8, corp.example lan").dns_servers.size(), 2u);
  EXPECT_THAT(interface("DNS = corp.example lan,").dns_search,
              testing::ElementsAre("corp.example", "lan"));
}

TEST(ConfConfiguration, KeysOfWgQuickMaySayNothing) {
  const InterfaceConf conf =
      interface("Address =\nDNS =\nMTU = 1400\nMTU =\nTable = off\nTable =\nPostUp =");
  EXPECT_TRUE(conf.addresses.empty());
  EXPECT_TRUE(conf.dns_servers.empty());
  EXPECT_FALSE(conf.mtu_bytes);
  EXPECT_FALSE(conf.table);
  EXPECT_TRUE(conf.post_up.empty());
}

TEST(ConfConfiguration, CommandsKeepTheirWordsAndOrder) {
  const InterfaceConf conf = interface("PostUp = echo a  b, c\nPostUp = true  # comment\n");
  EXPECT_THAT(conf.post_up, ElementsAre("echo a  b, c", "true"));
}

TEST(ConfConfiguration, TheLastOfTwoValuesCounts) {
  EXPECT_EQ(interface("ListenPort = 1\nListenPort = 2\n").listen_port, 2);
}

// --- [Peer] ---

TEST(ConfConfiguration, PeerWithEverything) {
  const PeerConf conf = peer("PresharedKey = " + kKey +
                             "\nEndpoint = vpn.example.org:51820\nPersistentKeepalive = 25\n"
                             "AllowedIPs = 10.0.0.0/8, ::/0\n");
  EXPECT_EQ(to_base64(conf.public_key), kKey);
  EXPECT_TRUE(conf.preshared_key);
  EXPECT_EQ(conf.endpoint, (HostPort{"vpn.example.org", "51820"}));
  EXPECT_EQ(conf.persistent_keepalive_s, 25);
  EXPECT_EQ(conf.allowed_ips.size(), 2u);
  EXPECT_TRUE(conf.replace_allowed_ips);
}

TEST(ConfConfiguration, AllowedIpsOfSeveralLinesAddUp) {
  EXPECT_EQ(peer("AllowedIPs = ::/0\nAllowedIPs = 0.0.0.0/0\n").allowed_ips.size(), 2u);
}

TEST(ConfConfiguration, ASignLeavesTheOtherAllowedIps) {
  const PeerConf conf = peer("AllowedIPs = +10.0.0.0/8, -::/0\n");
  EXPECT_FALSE(conf.replace_allowed_ips);
  EXPECT_FALSE(conf.allowed_ips.at(0).remove);
  EXPECT_TRUE(conf.allowed_ips.at(1).remove);
}

TEST(ConfConfiguration, APeerKnowsItsSection) {
  const Configuration conf = good("[Interface]\n" + kPeer + "[Interface]\n" + kPeer);
  EXPECT_EQ(conf.peers.at(0).section, 1u);
  EXPECT_EQ(conf.peers.at(1).section, 3u);
}

TEST(ConfConfiguration, HostBitsAreAWarning) {
  const Configuration conf = good(kPeer + "AllowedIPs = ::/0, 10.0.0.1/8\n");
  ASSERT_EQ(conf.warnings.size(), 1u);
  EXPECT_EQ(conf.warnings[0].column, 20u);
  EXPECT_EQ(conf.warnings[0].message, "AllowedIPs: has host bits: 10.0.0.0/8 is meant");
}

TEST(ConfConfiguration, NamesHaveAnyCaseAndWhiteSpaceCountsNowhere) {
  const Configuration conf = good(
      "[interface]\n listenport=1\n Fw Mark = 0x 10\n[PEER]\nPUBLICKEY = " + kKey.substr(0, 10) +
      " \t" + kKey.substr(10) + "\n");
  EXPECT_EQ(conf.interface.listen_port, 1);
  EXPECT_EQ(conf.interface.fwmark, 16u);
  EXPECT_EQ(to_base64(conf.peers.at(0).public_key), kKey);
}

TEST(ConfConfiguration, AnEmptyFileConfiguresNothing) {
  EXPECT_TRUE(good("").peers.empty());
  EXPECT_TRUE(good("\n# nothing\n").peers.empty());
}

// --- Errors ---

TEST(ConfConfiguration, AMisspeltKeyIsRecognised) {
  EXPECT_EQ(error_in(kPeer + "AllowdIPs = 10.0.0.0/8\n"),
            "wg0.conf:3:1: AllowdIPs is not a key of [Peer]; did you mean AllowedIPs?\n"
            "    AllowdIPs = 10.0.0.0/8\n"
            "    ^~~~~~~~~\n");
}

TEST(ConfConfiguration, AKeyOfTheOtherSectionIsRecognised) {
  EXPECT_THAT(error_in(kPeer + "ListenPort = 1\n"),
              HasSubstr("ListenPort is not a key of [Peer], but of [Interface]"));
}

TEST(ConfConfiguration, KeysOfWgQuickAreNotWgs) {
  EXPECT_THAT(error_in("[Interface]\nAddress = 10.0.0.1/24\n", ConfDialect::wg),
              HasSubstr("Address is not a key of [Interface] in wg's files, but in wg-quick's"));
}

TEST(ConfConfiguration, TheValueOfAnUnknownKeyIsNotShown) {
  EXPECT_THAT(error_in("[Interface]\nPassword = x-y\n"), HasSubstr("    Password = ***\n"));
}

TEST(ConfConfiguration, AnUnknownKeyIsNamed) {
  EXPECT_THAT(error_in("[Interface]\nColour = red\n"),
              HasSubstr("Colour is not a key of [Interface]\n"));
}

TEST(ConfConfiguration, AKeyThatStandsInACommentIsSentThere) {
  EXPECT_THAT(error_in("[Interface]\nKillSwitch = on\n"),
              HasSubstr("KillSwitch is not a key of [Interface]: it stands in a comment, "
                        "`# KillSwitch = ...'\n"));
}

TEST(ConfConfiguration, WordsOfOtherProgramsAreSaidOnceWithWhatToDo) {
  EXPECT_THAT(error_in("[Interface]\nJc = 4\nJmin = 40\nJmax = 70\nS1 = 0\nH1 = 1\n" + kPeer +
                       "AdvancedSecurity = on\n"),
              HasSubstr("wg0.conf:2:1: Jc is a key of AmneziaWG's"));
  EXPECT_THAT(error_in("[Interface]\nPrivateKeyFile = /etc/key\n"),
              HasSubstr("PostUp = wg set %i private-key FILE"));
  EXPECT_THAT(error_in(kPeer + "PresharedKeyFile = /etc/key\n"), HasSubstr("in PresharedKey"));
  EXPECT_THAT(error_in(kPeer + "Name = alice\n" + kPeer + "Name = bob\n"),
              HasSubstr("wg0.conf:3:1: Name is no key of WireGuard's: a peer's name stands in a "
                        "comment, `# Name = ...'"));
  EXPECT_THAT(error_in("[Interface]\nName = home\n"), HasSubstr("make a comment of it"));
  EXPECT_THAT(error_in("[Interface]\nExcludedApplications = a\n"),
              HasSubstr("the app for Android"));
  EXPECT_THAT(error_in("[NetDev]\nName = wg0\nKind = wireguard\n[WireGuard]\nPrivateKey = " + kKey +
                       "\n[WireGuardPeer]\nPublicKey = " + kKey + "\n"),
              HasSubstr("wg0.conf:1:1: this is a file of systemd-networkd's"));
  EXPECT_THAT(
      error_in("[connection]\nid=wg0\n[wireguard-peer." + kKey + "]\nendpoint=a:1\n[ipv4]\n"),
      HasSubstr("NetworkManager's"));
}

TEST(ConfConfiguration, NamesInCommentsOfOtherToolsAreKnown) {
  EXPECT_EQ(foreign_name("### Client alice"), "alice");
  EXPECT_EQ(foreign_name("# BEGIN_PEER bob-2"), "bob-2");
  EXPECT_EQ(foreign_name("### begin carol ###\r"), "carol");
  EXPECT_EQ(foreign_name("# Client: dave (5c1f-77)"), "dave");
  EXPECT_EQ(foreign_name("# friendly_name = eve"), "eve");
  EXPECT_EQ(foreign_name("# Client of ours"), "");
  EXPECT_EQ(foreign_name("# Name = frank"), "");
}

TEST(ConfConfiguration, OfAListTheBadOneIsShown) {
  EXPECT_EQ(
      error_in(kPeer + "AllowedIPs = 10.0.0.0/8, 10.0.0.0/33, ::/0\n"),
      "wg0.conf:3:26: AllowedIPs: expected an address and its prefix length, like 10.0.0.0/8\n"
      "    AllowedIPs = 10.0.0.0/8, 10.0.0.0/33, ::/0\n"
      "                             ^~~~~~~~~~~\n");
}

TEST(ConfConfiguration, APeerWithoutPublicKeyIsShownByItsSection) {
  EXPECT_EQ(error_in("[Interface]\n[Peer]\nAllowedIPs = ::/0\n"),
            "wg0.conf:2:1: this peer has no PublicKey\n"
            "    [Peer]\n"
            "    ^~~~~~\n");
}

TEST(ConfConfiguration, EverythingThatIsWrongIsSaidInOrder) {
  const auto conf = read("x\n[Interface]\nFwMark = -1\ny\nListenPort = a\n[Peer]\n");
  ASSERT_FALSE(conf);
  std::vector<std::size_t> lines;
  for (const ConfError& error : conf.error()) lines.push_back(error.line);
  EXPECT_THAT(lines, ElementsAre(1, 3, 4, 5, 6));
}

struct BadValue {
  ConfSectionKind section;
  const char* line;
  const char* message;
};

class ConfBadValue : public testing::TestWithParam<BadValue> {};

TEST_P(ConfBadValue, IsRefusedWithWhatWasExpected) {
  const auto& [section, line, message] = GetParam();
  const std::string head = section == ConfSectionKind::peer ? kPeer : "[Interface]\n";
  EXPECT_THAT(error_in(head + line + "\n"), HasSubstr(message));
}

constexpr auto kInterface = ConfSectionKind::interface;
constexpr auto kPeerSection = ConfSectionKind::peer;
constexpr BadValue kBadValues[] = {
    {kInterface, "PrivateKey = short", "PrivateKey: expected a key: 44 characters of base64"},
    {kInterface, "PrivateKey =", "PrivateKey: expected a key"},
    {kInterface, "ListenPort = 65536", "ListenPort: expected a port from 0 to 65535"},
    {kInterface, "ListenPort = http", "ListenPort"},
    {kInterface, "FwMark = 0x", "FwMark: expected off, or a mark from 0 to 0xffffffff"},
    {kInterface, "Address = 10.0.0.1/33", "Address: expected an address, like 10.0.0.1/24"},
    {kInterface, "Address = 10.0.0.1, x", "Address"},
    {kInterface, "DNS = 1.1.1.1, 8.8.8", "DNS: expected an address or a domain"},
    {kInterface, "DNS = 2001:db8::/32", "DNS: a name server has no prefix length: 2001:db8::"},
    {kInterface, "MTU = 0", "MTU: expected a number of bytes"},
    {kInterface, "MTU = 1500x", "MTU"},
    {kInterface, "SaveConfig = yes", "SaveConfig: expected true or false"},
    {kPeerSection, "PublicKey = x", "PublicKey: expected a key"},
    {kPeerSection, "AllowedIPs =", "AllowedIPs: expected an address"},
    {kPeerSection, "AllowedIPs = 10.0.0.0/8,", "AllowedIPs"},
    {kPeerSection, "Endpoint = example.org", "Endpoint: there is no port: example.org:51820"},
    {kPeerSection, "Endpoint = http://example.org:1", "Endpoint: `http://' does not belong here"},
    {kInterface, "DNS = 1.1.1.1, auto", "DNS: `auto' would be a domain"},
    {kPeerSection, "PersistentKeepalive = 65536",
     "PersistentKeepalive: expected off, or a number of seconds"},
};
INSTANTIATE_TEST_SUITE_P(All, ConfBadValue, testing::ValuesIn(kBadValues));

TEST(ConfConfiguration, ACommentThatIsNoneIsSaidOnceWhereItBegins) {
  EXPECT_EQ(
      error_in("[Interface]\nAddress = 10.0.0.1/24 ; mine too\n"),
      "wg0.conf:2:23: Address: `;' begins no comment here, and separates nothing: `#' does the "
      "one, `,' the other\n"
      "    Address = 10.0.0.1/24 ; mine too\n"
      "                          ^\n");
  EXPECT_THAT(error_in("[Interface]\nDNS = 1.1.1.1;8.8.8.8\n"), HasSubstr(":2:14: DNS: `;'"));
  EXPECT_THAT(error_in(kPeer + "Endpoint = host:1 // x\n"), HasSubstr("`//' begins no comment"));
  EXPECT_EQ(good("[Interface]\nPostUp = a; b // c\n").interface.post_up.size(), 1u);
}

TEST(ConfConfiguration, AnOddSpaceIsTheOnlyMistakeOfItsLine) {
  EXPECT_THAT(error_in("[Interface]\n[Peer]\nPublicKey\xc2\xa0= " + kKey + "\xe2\x80\xaf\n"),
              HasSubstr("looks like a space"));
}

TEST(ConfConfiguration, ErrorsNeverShowAKey) {
  const std::string bad = kKey.substr(0, 43);
  const std::string odd = kKey.substr(0, 15) + "-" + kKey.substr(16);
  for (const std::string& line :
       {"PrivateKey = " + bad, "PrivatKey = " + kKey, "PrivateKey " + kKey, "PrivateKey = " + odd,
        "Key = " + odd, "Private-Key = " + odd, kKey}) {
    EXPECT_THAT(error_in("[Interface]\n" + line + "\n"), Not(HasSubstr("yAnz5TF"))) << line;
  }
  EXPECT_THAT(error_in(kPeer + "PresharedKey = " + odd + "\n"), Not(HasSubstr("yAnz5TF")));
}

TEST(ConfConfiguration, AnyTextIsReadOrRefused) {
  std::mt19937 random(20260101);
  const std::string whole =
      "# x\n[Interface]\nPrivateKey = " + kKey +
      "\nListenPort = 51820\nFwMark = 0xca6c\nAddress = 10.0.0.1/24, fd00::1/64\nDNS = 1.1.1.1, a\n"
      "PostUp = echo %i # y\n" +
      kPeer + "Endpoint = [::1]:1\nAllowedIPs = +0.0.0.0/0, -::/0\n";
  const std::string alphabet = std::string("\n\r\t #[]=,:/+-%xAa0") + '\0' + "\xff";
  for (int round = 0; round < 2000; ++round) {
    std::string text = whole;
    for (unsigned edits = 1 + random() % 6; edits > 0 && !text.empty(); --edits) {
      const std::size_t at = random() % text.size();
      if (random() % 2 == 0)
        text[at] = alphabet[random() % alphabet.size()];
      else if (random() % 2 == 0)
        text.erase(at, random() % 20);
      else
        text.insert(at, text.substr(random() % text.size(), random() % 40));
    }
    const ConfDocument document("f", text);
    ASSERT_EQ(document.text().view(), text);
    const auto configuration = read_configuration(document, ConfDialect::wg_quick);
    if (configuration) continue;
    for (const ConfError& error : configuration.error()) ASSERT_FALSE(error.to_string().empty());
  }
}

}  // namespace
}  // namespace ferrule::control
