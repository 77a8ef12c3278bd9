#include "cli/peer/peer.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "base/key_text.h"
#include "cli/program.h"
#include "cli/terminal/columns.h"
#include "cli/terminal/console_testing.h"
#include "files/conf_file.h"
#include "files/input.h"

namespace ferrule::cli {
namespace {

using testing::AllOf;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string kOwnKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string kBobKey = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kBobHex(64, '1');
const std::string kCarolKey = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
const std::string kConf = "[Interface]\n# Endpoint = vpn.example:51820\nPrivateKey = " + kOwnKey +
                          "\nListenPort = 51820\nAddress = 10.0.0.1/24, fd00::1/64\n\n"
                          "# the boss\n[Peer]\n# Name = bob\nPublicKey = " +
                          kBobKey + "\nAllowedIPs = 10.0.0.2/32, fd00::2/128\n";

std::string hex_of(const std::string& key) {
  std::string hex;
  const auto parsed = public_key_from_base64(key.substr(0, 44));
  for (const std::uint8_t byte : parsed->bytes) {
    hex += fmt::format("{:02x}", byte);
  }
  return hex;
}

// A folder with wg0.conf in it, and a device wg0, unless a test takes it away.
class Peer : public testing::Test {
 protected:
  void SetUp() override {
    write(kConf);
    devices_.answers["wg0"] = "public_key=" + kBobHex + "\nallowed_ip=10.0.0.2/32\n";
  }

  [[nodiscard]] std::string path() const { return folder_.conf_path(); }
  void write(const std::string& text) const { folder_.write(text); }
  [[nodiscard]] std::string content(const std::string& of) const {
    return std::string(files::read_file(of)->view());
  }
  [[nodiscard]] std::string conf() const { return folder_.conf(); }

  // `ferrule peer <verb> FILE <words>`.
  Answer peer(const std::string& verb, const std::string& text = {}) {
    std::vector<std::string> words{"peer", verb, path()};
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(word);
    return ask(devices_, words);
  }
  void expect_unchanged() const {
    EXPECT_EQ(conf(), kConf);
    EXPECT_EQ(folder_.file_count(), 1);
  }

  ConfFolder folder_{"wg0"};
  TestDevices devices_;
};

TEST_F(Peer, AnAddedPeerGetsTheNextAddressesInTheFileAndTheDevice) {
  const Answer answer = peer("add", "alice");
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(conf(), StartsWith(kConf + "\n[Peer]\n# Name = alice\nPublicKey = "));
  EXPECT_THAT(conf(), EndsWith("\nAllowedIPs = 10.0.0.3/32, fd00::3/128\n"));
  ASSERT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_THAT(devices_.set_requests[0],
              AllOf(HasSubstr("replace_allowed_ips=true\nallowed_ip=10.0.0.3/32\n"),
                    HasSubstr("allowed_ip=fd00::3/128\n")));
}

TEST_F(Peer, ItsOwnerIsGivenAWholeFile) {
  const std::string own = ask({"pubkey"}, kOwnKey).out;
  const Answer answer = peer("add", "alice --dns 10.0.0.1");
  EXPECT_THAT(answer.out, StartsWith("[Interface]\n# Name = alice\nPrivateKey = "));
  EXPECT_THAT(
      answer.out,
      EndsWith(
          "\nAddress = 10.0.0.3/32, fd00::3/128\nDNS = 10.0.0.1\n\n[Peer]\n# Name = vpn.example\n"
          "PublicKey = " +
          own +
          "AllowedIPs = 10.0.0.0/24, fd00::/64\nEndpoint = vpn.example:51820\n"
          "PersistentKeepalive = 25\n"));
}

TEST_F(Peer, BothSidesHaveTheSameKeys) {
  const Answer answer = peer("add", "alice --psk");
  const auto value = [](const std::string& text, const std::string& key) {
    const std::size_t at = text.rfind(key + " = ");
    return text.substr(at + key.size() + 3, 44);
  };
  EXPECT_EQ(ask({"pubkey"}, value(answer.out, "PrivateKey")).out,
            value(conf(), "PublicKey") + "\n");
  EXPECT_EQ(value(answer.out, "PresharedKey"), value(conf(), "PresharedKey"));
  EXPECT_THAT(devices_.set_requests[0], HasSubstr("preshared_key="));
}

TEST_F(Peer, TheFileIsForItsOwnerAlone) {
  std::filesystem::permissions(path(), std::filesystem::perms::all);
  ASSERT_EQ(peer("add", "alice").status, 0);
  struct stat status;
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(Peer, WithoutADeviceOnlyTheFileChanges) {
  devices_.answers.clear();
  EXPECT_EQ(peer("add", "alice").status, 0);
  EXPECT_THAT(conf(), HasSubstr("# Name = alice"));
}

TEST_F(Peer, WhatTheDeviceRefusesIsNotInTheFile) {
  devices_.set_errno = EINVAL;
  const Answer answer = peer("add", "alice --out " + (folder_.path() / "alice.conf").string());
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_THAT(answer.err, HasSubstr("Nothing was changed.\n"));
  expect_unchanged();
}

TEST_F(Peer, AFileThatCannotBeHandedOutAddsNothing) {
  const Answer answer = peer("add", "alice --out " + path());
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("File exists"));
  EXPECT_TRUE(devices_.set_requests.empty());
  expect_unchanged();
}

TEST_F(Peer, AFileForTheOwnerTakesThePlaceOfTheText) {
  const std::string out = folder_.path() / "alice.conf";
  EXPECT_EQ(peer("add", "alice --out " + out).out, "");
  EXPECT_THAT(content(out), HasSubstr("PersistentKeepalive = 25\n"));
  struct stat status;
  ASSERT_EQ(stat(out.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST_F(Peer, AQrCodeFollowsTheText) {
  const Answer answer = peer("add", "alice --qr");
  EXPECT_THAT(answer.out, StartsWith("████"));
  EXPECT_THAT(answer.out, Not(HasSubstr("PrivateKey")));
  EXPECT_THAT(answer.err, HasSubstr("alice is in wg0, as 10.0.0.3/32, fd00::3/128\n"));
}

TEST_F(Peer, ANameIsGivenOnce) {
  const Answer answer = peer("add", "bob");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("there is a peer `bob' already"));
  expect_unchanged();
}

TEST_F(Peer, WithoutAnEndpointNobodyFindsUs) {
  write("[Interface]\nPrivateKey = " + kOwnKey + "\nListenPort = 7\nAddress = 10.0.0.1/24\n");
  EXPECT_THAT(peer("add", "alice").err, StartsWith("Where will alice find this machine?"));
  EXPECT_THAT(peer("add", "alice --endpoint 192.0.2.1").out, HasSubstr("Endpoint = 192.0.2.1:7\n"));
  EXPECT_THAT(peer("add", "carol --endpoint fd00::1").out, HasSubstr("Endpoint = [fd00::1]:7\n"));
  EXPECT_THAT(peer("add", "dave --endpoint a:8").out, HasSubstr("Endpoint = a:8\n"));
}

TEST_F(Peer, AnEndpointThatCannotBeMeantIsNotHandedOut) {
  for (const char* text : {"http://a.example", "a.example:99999", "0.0.0.0", "user@a.example",
                           "a:1:2", "fe80::1", "a.example:0"}) {
    const Answer answer = peer("add", std::string("alice --endpoint ") + text);
    EXPECT_EQ(answer.status, 2) << text;
    EXPECT_THAT(answer.err, HasSubstr("--endpoint: ")) << text;
  }
  EXPECT_THAT(peer("add", "alice --endpoint a --dns auto").err, HasSubstr("DNS: `auto'"));
}

TEST_F(Peer, AMistakeInAnOptionIsOneInTheWords) {
  for (const char* words :
       {"alice --expires soon", "alice --expires 2001-01-01", "alice --endpoint a --dns auto",
        "alice --allowed-ips 10.0.0.300", "a#b", "alice --dns 1.1.1.1#x"}) {
    EXPECT_EQ(peer("add", words).status, 2) << words;
  }
  EXPECT_EQ(peer("rekey", "bob --endpoint a:0").status, 2);
  EXPECT_EQ(peer("rename", "bob a#b").status, 2);
  EXPECT_EQ(peer("add", "bob").status, 1) << "there is one already";
  expect_unchanged();
}

TEST_F(Peer, AnEndpointOfTheFileIsNoMistakeInTheWords) {
  write("[Interface]\n# Endpoint = a:0\nPrivateKey = " + kOwnKey +
        "\nListenPort = 1\nAddress = 10.0.0.1/24\n");
  EXPECT_EQ(peer("add", "alice").status, 1);
}

TEST_F(Peer, AnOptionCannotAddALine) {
  const Answer answer =
      ask(devices_, {"peer", "add", path(), "alice", "--dns", "1.1.1.1\nPostUp = reboot"});
  EXPECT_EQ(answer.status, 2);
  expect_unchanged();
}

TEST_F(Peer, AFullNetworkIsAnError) {
  write("[Interface]\n# Endpoint = a:1\nPrivateKey = " + kOwnKey + "\nAddress = 10.0.0.1/30\n");
  devices_.answers["wg0"] = "";
  EXPECT_EQ(peer("add", "alice").status, 0);
  EXPECT_THAT(peer("add", "carol").err, HasSubstr("10.0.0.0/30 has no free address"));
}

TEST_F(Peer, AnExpiryStandsInTheFile) {
  EXPECT_EQ(peer("add", "alice --expires 30d").status, 0);
  EXPECT_THAT(conf(), HasSubstr("# Name = alice\n# Expires = 2023-12-14\n"));
  EXPECT_THAT(peer("add", "carol --expires 2023-11-14").err,
              HasSubstr("--expires: 2023-11-14 is past (it is 2023-11-14 22:13 UTC)"));
}

TEST_F(Peer, ARemovedPeerIsGoneFromBoth) {
  EXPECT_EQ(peer("remove", "bob").status, 0);
  EXPECT_EQ(conf(), kConf.substr(0, kConf.find("[Peer]")));
  ASSERT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_EQ(devices_.set_requests[0], "set=1\npublic_key=" + kBobHex + "\nremove=true\n\n");
}

TEST_F(Peer, AMisspeltNameIsRecognised) {
  const Answer answer = peer("remove", "bbo");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, EndsWith("`bbo' is not a peer of wg0; did you mean `bob'?\n"));
}

TEST_F(Peer, ARenamedPeerStaysAsItIsInTheDevice) {
  EXPECT_EQ(peer("rename", kBobKey + " robert").status, 0);
  EXPECT_THAT(conf(), AllOf(HasSubstr("# Name = robert\n"), Not(HasSubstr("bob\n"))));
  EXPECT_TRUE(devices_.set_requests.empty());
}

TEST_F(Peer, ADisabledPeerComesBackAsItWas) {
  EXPECT_EQ(peer("disable", "bob").status, 0);
  EXPECT_THAT(conf(), HasSubstr("#~ [Peer]\n#~ # Name = bob\n"));
  EXPECT_THAT(devices_.set_requests.back(), HasSubstr("remove=true"));
  EXPECT_EQ(peer("enable", "bob").status, 0);
  EXPECT_EQ(conf(), kConf);
  EXPECT_THAT(
      devices_.set_requests.back(),
      HasSubstr("public_key=" + kBobHex + "\nreplace_allowed_ips=true\nallowed_ip=10.0.0.2/32\n"));
}

TEST_F(Peer, TheAddressOfADisabledPeerIsNotGivenOut) {
  ASSERT_EQ(peer("disable", "bob").status, 0);
  EXPECT_THAT(peer("add", "alice").out, HasSubstr("Address = 10.0.0.3/32"));
}

TEST_F(Peer, WhoseDayHasComeIsDisabled) {
  const std::string carol = "\n[Peer]\nPublicKey = IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n";
  write(kConf + "# Expires = 2023-11-14\n" + carol + "# Expires = 2023-11-15\n");
  const Answer answer = peer("expire");
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out, "bob expired on 2023-11-14\n");
  EXPECT_THAT(conf(),
              AllOf(HasSubstr("#~ # Name = bob\n"), EndsWith(carol + "# Expires = 2023-11-15\n")));
  EXPECT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_THAT(peer("enable", "bob").err, HasSubstr("bob expired on 2023-11-14"));
}

TEST_F(Peer, ABadDateDoesNotKeepThoseInWhoseDayHasCome) {
  const std::string carol = "\n[Peer]\nPublicKey = IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=\n";
  write(kConf + "# Expires = 2023-11-14\n" + carol + "# Expires = soon\n");
  const Answer answer = peer("expire");
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "bob expired on 2023-11-14\n");
  EXPECT_THAT(answer.err, HasSubstr(": Expires: expected a date, like 2027-01-31\n"));
  EXPECT_THAT(conf(),
              AllOf(HasSubstr("#~ # Name = bob\n"), EndsWith(carol + "# Expires = soon\n")));
  EXPECT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_EQ(peer("list").status, 1);
}

TEST_F(Peer, AListSaysWhoIsThereAndHow) {
  EXPECT_EQ(peer("list").out,
            "NAME  STATE       HANDSHAKE  RECEIVED  SENT  ENDPOINT  ALLOWED IPS\n"
            "bob   never seen          -         -     -  -         10.0.0.2/32, fd00::2/128\n");
  devices_.answers["wg0"] +=
      "endpoint=192.0.2.7:1\nlast_handshake_time_sec=1699999940\n"
      "rx_bytes=1500\ntx_bytes=104857600\n";
  EXPECT_THAT(peer("list").out,
              HasSubstr("\nbob   connected      1 min   1.5 KiB  100 MiB  192.0.2.7:1"));
  devices_.answers.clear();
  const auto json = nlohmann::json::parse(peer("list", "--json").out);
  ASSERT_EQ(json.size(), 1u);
  EXPECT_EQ(json[0]["name"], "bob");
  EXPECT_EQ(json[0]["state"], "down");
  EXPECT_EQ(json[0]["version"], 1);
  EXPECT_EQ(json[0]["allowedIps"][1], "fd00::2/128");
}

TEST_F(Peer, AListFitsWhateverNamesAre) {
  std::string conf = kConf;
  for (const char* name :
       {"Сергей Иванович Петров-Водкин", "山田太郎のとても長い名前のノートパソコン",
        "a-very-long-name-of-somebodys-laptop-in-the-office"}) {
    std::string key = ask({"pubkey"}, ask({"genkey"}).out).out;
    conf += "\n[Peer]\n# Name = " + std::string(name) + "\nPublicKey = " + key;
    devices_.answers["wg0"] += "public_key=" + hex_of(key) +
                               "\nendpoint=[2001:db8:1111:2222:3333:4444:5555:6666]:51820\n"
                               "last_handshake_time_sec=1600000000\nrx_bytes=999999999999\n";
  }
  write(conf);
  std::istringstream lines(peer("list").out);
  std::size_t count = 0;
  std::size_t begin = 0;  // of the second column
  for (std::string line; std::getline(lines, line); ++count) {
    EXPECT_LE(columns_of(line), 80u) << line;
    const std::size_t state = line.find(count == 0 ? "STATE" : count == 1 ? "never" : "idle ");
    ASSERT_NE(state, line.npos) << line;
    if (count == 0) begin = state;
    EXPECT_EQ(columns_of(line.substr(0, state)), begin) << line;
  }
  EXPECT_EQ(count, 5u);
}

TEST_F(Peer, StatesAreFive) {
  write(kConf + "\n[Peer]\n# Name = old\n# Expires = 2023-11-14 22:00\nPublicKey = " + kCarolKey +
        "\n");
  EXPECT_THAT(peer("list").out, HasSubstr("\nold   expired "));
  ASSERT_EQ(peer("disable", "bob").status, 0);
  EXPECT_THAT(peer("list").out, HasSubstr("\nbob   disabled"));
}

TEST_F(Peer, AllThatIsKnownOfAPeerIsShown) {
  devices_.answers["wg0"] += "endpoint=192.0.2.7:1\nlast_handshake_time_sec=1699999940\n";
  EXPECT_EQ(peer("show", "bob").out,
            "peer: bob\n  interface: wg0\n  state: connected\n  public key: " + kBobKey +
                "\n  preshared key: no\n  allowed ips: 10.0.0.2/32, fd00::2/128\n"
                "  endpoint: 192.0.2.7:1\n  latest handshake: 1 minute ago\n"
                "  transfer: 0 B received, 0 B sent\n");
  const auto json = nlohmann::json::parse(peer("show", "bob --json").out);
  EXPECT_EQ(json["name"], "bob");
  EXPECT_EQ(json["endpoint"], "192.0.2.7:1");
  EXPECT_THAT(peer("show", "bbo").err, HasSubstr("did you mean `bob'?"));
}

TEST_F(Peer, RekeyedItHasNewKeysAndAllElseStays) {
  const Answer answer = peer("rekey", "bob --psk");
  ASSERT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(conf(), AllOf(HasSubstr("# the boss\n[Peer]\n# Name = bob\nPublicKey = "),
                            HasSubstr("\nAllowedIPs = 10.0.0.2/32, fd00::2/128\n"),
                            HasSubstr("\nPresharedKey = "), Not(HasSubstr(kBobKey))));
  EXPECT_THAT(answer.out, HasSubstr("\nAddress = 10.0.0.2/32, fd00::2/128\n"));
  const std::size_t key = answer.out.find("PrivateKey = ") + 13;
  EXPECT_THAT(conf(), HasSubstr(ask({"pubkey"}, answer.out.substr(key, 44)).out));
  ASSERT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_THAT(devices_.set_requests[0], HasSubstr("public_key=" + kBobHex + "\nremove=true\n"));
  EXPECT_THAT(devices_.set_requests[0], HasSubstr("allowed_ip=10.0.0.2/32\n"));
  EXPECT_EQ(peer("rekey", "bob").status, 0);  // its preshared key is another one now
  EXPECT_THAT(conf(), HasSubstr("\nPresharedKey = "));
}

TEST_F(Peer, NamesInOtherToolsWordsAreTakenOver) {
  const std::string alice = ask({"pubkey"}, ask({"genkey"}).out).out;
  const std::string dave = ask({"pubkey"}, ask({"genkey"}).out).out;
  const std::string eve = ask({"pubkey"}, ask({"genkey"}).out).out;
  write(kConf + "\n### Client alice\n[Peer]\nPublicKey = " + alice +
        "\n# BEGIN_PEER bob\n[Peer]\nPublicKey = " + dave +
        "# END_PEER bob\n\n# Client: eve's (5c1f-77)\n[Peer]\nPublicKey = " + eve);
  const Answer answer = peer("adopt");
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out,
            "alice is what `### Client alice' was\nbob-2 is what `# BEGIN_PEER bob' was\n"
            "eve-s is what `# Client: eve's (5c1f-77)' was\n"
            "3 names are taken over in " +
                path() + "\n");
  EXPECT_THAT(conf(), HasSubstr("### Client alice\n[Peer]\n# Name = alice\nPublicKey = " + alice));
  EXPECT_EQ(nlohmann::json::parse(peer("list", "--json").out).size(), 4u);
  EXPECT_THAT(peer("adopt").out, HasSubstr("no other tool's names are in it"));
}

TEST_F(Peer, AChangeSaysWhatItDid) {
  EXPECT_EQ(peer("rename", "bob robert").out, "bob is robert now, in wg0\n");
  EXPECT_EQ(peer("disable", "robert").out, "robert is disabled in wg0\n");
  EXPECT_EQ(peer("enable", "robert").out, "robert is enabled in wg0\n");
  devices_.answers.clear();
  EXPECT_EQ(peer("remove", "robert").out, "robert is removed from wg0 (which is not up)\n");
}

TEST_F(Peer, ADashIsStandardOutput) {
  EXPECT_THAT(peer("add", "alice --out -").out, StartsWith("[Interface]\n"));
  EXPECT_THAT(peer("add", "carol --png -").out, StartsWith("\x89PNG"));
}

// --- What people write by hand ---

TEST_F(Peer, APeerThatIsEnabledTakesNoValuesOfAnother) {
  const std::string off = "#~ [Peer]\n#~ # Name = carol\n#~ PublicKey = " + kCarolKey + "\n";
  const std::string bob = kConf.substr(kConf.find("[Peer]"));
  const std::size_t ips = kConf.find("AllowedIPs");
  write(kConf.substr(0, ips) + off + kConf.substr(ips));
  ASSERT_EQ(peer("enable", "carol").status, 0);
  EXPECT_EQ(conf(), kConf + "\n[Peer]\n# Name = carol\nPublicKey = " + kCarolKey + "\n");
  EXPECT_THAT(devices_.set_requests.back(), Not(HasSubstr("allowed_ip=")));
}

TEST_F(Peer, APeerThatIsRemovedTakesNoDisabledOneWithIt) {
  const std::string off = "#~ [Peer]\n#~ # Name = carol\n#~ PublicKey = " + kCarolKey + "\n";
  const std::size_t ips = kConf.find("AllowedIPs");
  write(kConf.substr(0, ips) + off + kConf.substr(ips));
  ASSERT_EQ(peer("remove", "bob").status, 0);
  EXPECT_THAT(conf(), AllOf(HasSubstr(off), Not(HasSubstr("bob"))));
}

TEST_F(Peer, TwoSectionsWithOneKeyAreOnePeer) {
  const std::string again = "\n[Peer]\nPublicKey = " + kBobKey + "\n";
  write(kConf + again);
  EXPECT_EQ(peer("remove", "bob").status, 0);
  EXPECT_THAT(conf(), Not(HasSubstr(kBobKey)));
  write(kConf + again);
  EXPECT_EQ(peer("disable", "bob").status, 0);
  EXPECT_THAT(conf(), Not(HasSubstr("\n[Peer]")));
  write(kConf + "# Expires = 2023-11-14\n" + again);
  EXPECT_EQ(peer("expire").out, "bob expired on 2023-11-14\n");
  EXPECT_THAT(conf(), Not(HasSubstr("\n[Peer]")));
}

TEST_F(Peer, ANameOfTwoIsNobodys) {
  write(kConf + "\n[Peer]\n# Name = bob\nPublicKey = " + kCarolKey + "\n");
  const std::string before = conf();
  const Answer answer = peer("remove", "bob");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("two peers are called `bob'"));
  EXPECT_EQ(conf(), before);
  EXPECT_EQ(peer("remove", kCarolKey).status, 0);
  EXPECT_EQ(conf(), kConf + "\n");
}

TEST_F(Peer, WhatIsDisabledInTheFileAloneIsDisabledInTheDeviceToo) {
  ASSERT_EQ(peer("disable", "bob").status, 0);
  devices_.set_requests.clear();
  EXPECT_EQ(peer("disable", "bob").status, 0);
  EXPECT_EQ(devices_.set_requests.size(), 1u);
  devices_.answers["wg0"] = "";
  EXPECT_EQ(peer("disable", "bob").status, 0);
  EXPECT_EQ(devices_.set_requests.size(), 1u);
}

TEST_F(Peer, WhatIsEnabledInTheFileAloneIsEnabledInTheDeviceToo) {
  devices_.answers["wg0"] = "";
  EXPECT_EQ(peer("enable", "bob").status, 0);
  ASSERT_EQ(devices_.set_requests.size(), 1u);
  EXPECT_THAT(devices_.set_requests[0], HasSubstr("allowed_ip=10.0.0.2/32"));
}

TEST_F(Peer, AnAddressThatOnlyTheDeviceKnowsIsTaken) {
  devices_.answers["wg0"] += "public_key=" + std::string(64, '2') + "\nallowed_ip=10.0.0.3/32\n";
  EXPECT_THAT(peer("add", "alice").out, HasSubstr("Address = 10.0.0.4/32"));
}

TEST_F(Peer, LineEndsOfOtherSystemsDoNotMatter) {
  std::string text = kConf;
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 2)) {
    text.insert(at, "\r");
  }
  write(text);
  ASSERT_EQ(peer("disable", "bob").status, 0);
  ASSERT_EQ(peer("enable", "bob").status, 0);
  EXPECT_EQ(conf(), text);
}

// --- What systems do ---

TEST_F(Peer, ALinkIsFollowed) {
  const auto elsewhere = folder_.path() / "elsewhere";
  std::filesystem::create_directory(elsewhere);
  std::filesystem::rename(path(), elsewhere / "real.conf");
  std::filesystem::create_symlink(elsewhere / "real.conf", path());
  ASSERT_EQ(peer("rename", "bob robert").status, 0);
  EXPECT_TRUE(std::filesystem::is_symlink(path()));
  EXPECT_THAT(content(elsewhere / "real.conf"), HasSubstr("robert"));
  auto lock = files::lock_folder_of(path());
  ASSERT_TRUE(lock);
  std::atomic<bool> has_waited = false;
  std::thread other([&] {
    const auto again = files::lock_folder_of(elsewhere / "other.conf");
    has_waited = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(has_waited) << "the lock is on another folder";
  lock->reset();
  other.join();
}

TEST_F(Peer, WhenTheDiskIsFullNothingChanges) {
  const std::string text = "# " + std::string(100'000, 'x') + "\n" + kConf;
  write(text);
  const FileSizeLimit limit(50'000);
  const Answer answer = peer("remove", "bob");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr("Nothing was changed."));
  EXPECT_TRUE(devices_.set_requests.empty());
  EXPECT_EQ(conf(), text);
  EXPECT_EQ(folder_.file_count(), 1);
}

TEST_F(Peer, AConfigurationThatWentNowhereIsSpokenOf) {
  const io::UniqueFd full(open("/dev/full", O_WRONLY | O_CLOEXEC));
  const files::MemoryFile err;
  Console console{"ferrule", 0, Output(full.get()), Output(err.fd()), test_client(devices_),
                  kTestNow};
  const std::string file = path();
  const std::vector<std::string_view> words{"peer", "add", file, "alice"};
  EXPECT_EQ(run_program(console, words), 1);
  EXPECT_THAT(err.content(), HasSubstr("`ferrule peer remove"));
}

TEST_F(Peer, AFileWithMistakesIsLeftAlone) {
  write("[Interface]\nAdress = 10.0.0.1/24\n");
  const Answer answer = peer("add", "alice");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr(":2:1: Adress is not a key of [Interface]; did you mean"));
}

}  // namespace
}  // namespace ferrule::cli
