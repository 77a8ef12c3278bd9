#include "cli/wg/set.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <sstream>
#include <string>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kPeer = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kPeerLine = "public_key=" + std::string(64, '1') + "\n";
const std::string kOther = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
const std::string kOtherLine = "public_key=" + std::string(64, '2') + "\n";
const std::string kZeroKey(64, '0');

class Set : public testing::Test {
 protected:
  void SetUp() override { devices_.answers["wg0"] = ""; }

  // What `set wg0 <words>` asks for, between set=1 and the empty line.
  std::string lines_of(const std::string& words) {
    const Answer answer = set(words);
    EXPECT_EQ(answer.status, 0) << answer.err;
    return last_request();
  }
  // How `set wg0 <words>` is refused; nothing is asked for.
  std::string refusal_of(const std::string& words) {
    const Answer answer = set(words);
    EXPECT_EQ(answer.status, 1);
    EXPECT_TRUE(devices_.set_requests.empty());
    return answer.err;
  }
  Answer set(const std::string& text) {
    std::vector<std::string> words{"set", "wg0"};
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words.push_back(word);
    return ask(devices_, words);
  }
  Answer conf(const std::string& verb, const std::string& text) {
    const files::MemoryFile file(text);
    return ask(devices_, {verb, "wg0", file.path()});
  }
  std::string last_request() {
    if (devices_.set_requests.empty()) return "nothing";
    const std::string& text = devices_.set_requests.back();
    return text.substr(6, text.size() - 7);
  }

  TestDevices devices_;
};

TEST_F(Set, DeviceWords) {
  EXPECT_EQ(lines_of("listen-port 51820 fwmark 0x51"), "listen_port=51820\nfwmark=81\n");
}

TEST_F(Set, P75d_APlaceIsNamedOrLeft) {
  EXPECT_EQ(lines_of("bind 192.0.2.1,2001:db8::1 bind-interface eth1"),
            "bind=192.0.2.1,2001:db8::1\nbind_interface=eth1\n");
  EXPECT_EQ(lines_of("bind off bind-interface off"), "bind=\nbind_interface=\n");
}

TEST_F(Set, ABadPlaceIsRefused) {
  EXPECT_THAT(refusal_of("bind 10.0.0.0/8"), HasSubstr("bind: expected an address"));
  EXPECT_THAT(refusal_of("bind-interface a/b"), HasSubstr("no name of an interface: `a/b'"));
}

TEST_F(Set, KeysComeFromFiles) {
  const files::MemoryFile file(kPeer + "\n");
  EXPECT_EQ(lines_of("private-key " + file.path()), "private_key=" + std::string(64, '1') + "\n");
  EXPECT_EQ(lines_of("peer " + kPeer + " preshared-key " + file.path()),
            kPeerLine + "preshared_key=" + std::string(64, '1') + "\n");
}

TEST_F(Set, AnEmptyFileIsTheZeroKey) {
  EXPECT_EQ(lines_of("private-key /dev/null"), "private_key=" + kZeroKey + "\n");
}

TEST_F(Set, PeerWords) {
  EXPECT_EQ(lines_of("peer " + kPeer + " endpoint [2001:db8::1]:5 persistent-keepalive 25"),
            kPeerLine + "endpoint=[2001:db8::1]:5\npersistent_keepalive_interval=25\n");
  EXPECT_EQ(lines_of("peer " + kPeer + " remove peer " + kOther),
            kPeerLine + "remove=true\n" + kOtherLine);
}

TEST_F(Set, AllowedIpsReplaceThoseThatThereAre) {
  EXPECT_EQ(lines_of("peer " + kPeer + " allowed-ips 10.0.0.0/8,::/0"),
            kPeerLine + "replace_allowed_ips=true\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\n");
}

TEST_F(Set, AllowedIpsWithASignAreTakenAndGivenOneByOne) {
  EXPECT_EQ(lines_of("peer " + kPeer + " allowed-ips +10.0.0.0/8,-::/0"),
            kPeerLine + "allowed_ip=10.0.0.0/8\nallowed_ip=-::/0\n");
}

TEST_F(Set, HostBitsAreAWarning) {
  EXPECT_EQ(set("peer " + kPeer + " allowed-ips 10.0.0.1/8").err,
            "Warning: AllowedIP has nonzero host part: 10.0.0.1/8\n");
}

TEST_F(Set, ABadWordRefusesThemAll) {
  EXPECT_EQ(refusal_of("listen-port 1 colour red"), "Invalid argument: colour\n");
  EXPECT_EQ(refusal_of("listen-port 1 fwmark x"),
            "Fwmark is neither 0/off nor 0-0xffffffff: `x'\n");
}

TEST_F(Set, AWordOfAPeerNeedsAPeer) {
  EXPECT_EQ(refusal_of("endpoint 192.0.2.1:5"), "Invalid argument: endpoint\n");
  EXPECT_EQ(refusal_of("peer " + kPeer + " listen-port 1"), "Invalid argument: listen-port\n");
}

TEST_F(Set, AWordWithoutItsValueIsRefused) {
  EXPECT_EQ(refusal_of("listen-port"), "Invalid argument: listen-port\n");
  EXPECT_EQ(refusal_of("peer"), "Invalid argument: peer\n");
}

TEST_F(Set, ABadKeyFileIsRefusedAndNotShown) {
  const files::MemoryFile bad("yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBm-=");
  const files::MemoryFile brief("yAnz5TF");
  const files::MemoryFile longer(kPeer + "x");
  EXPECT_THAT(refusal_of("private-key " + bad.path()), Not(HasSubstr("yAnz5TF")));
  EXPECT_EQ(refusal_of("private-key " + brief.path()), "Invalid length key in key file\n");
  EXPECT_EQ(refusal_of("private-key " + longer.path()), "Found trailing character in key file\n");
  EXPECT_EQ(refusal_of("private-key /does/not/exist"), "fopen: No such file or directory\n");
}

TEST_F(Set, WhatTheDeviceRefusesIsSaid) {
  devices_.set_errno = EADDRINUSE;
  const Answer answer = set("listen-port 1");
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "Unable to modify interface: Address already in use\n");
}

TEST_F(Set, WhoCannotRemoveASingleAllowedIpIsToldWhatCan) {
  devices_.set_errno = EINVAL;
  EXPECT_EQ(set("peer " + kPeer + " allowed-ips -10.0.0.0/8").err,
            "Unable to modify interface: Invalid argument\n"
            "To remove single allowed IPs takes Linux 6.16, or ferruled.\n");
  EXPECT_EQ(set("peer " + kPeer + " allowed-ips 10.0.0.0/8").err,
            "Unable to modify interface: Invalid argument\n");
}

// --- setconf, addconf, syncconf ---

const std::string kConf = "[Interface]\nListenPort = 5\n[Peer]\nPublicKey = " + kPeer +
                          "\nAllowedIPs = ::/0\nEndpoint = 192.0.2.1:5\n";
const std::string kConfPeer =
    kPeerLine + "endpoint=192.0.2.1:5\nreplace_allowed_ips=true\nallowed_ip=::/0\n";

TEST_F(Set, SetconfReplacesEverything) {
  EXPECT_EQ(conf("setconf", kConf).status, 0);
  EXPECT_EQ(last_request(), "private_key=" + kZeroKey +
                                "\nlisten_port=5\nfwmark=0\nreplace_peers=true\n" + kConfPeer);
}

TEST_F(Set, AddconfLeavesTheRest) {
  EXPECT_EQ(conf("addconf", kConf).status, 0);
  EXPECT_EQ(last_request(), "listen_port=5\n" + kConfPeer);
}

TEST_F(Set, SyncconfRemovesOnlyPeersThatAreNotInTheFile) {
  devices_.answers["wg0"] = kPeerLine + kOtherLine;
  EXPECT_EQ(conf("syncconf", kConf).status, 0);
  EXPECT_EQ(last_request(), "private_key=" + kZeroKey + "\nlisten_port=5\nfwmark=0\n" + kOtherLine +
                                "remove=true\n" + kConfPeer);
}

TEST_F(Set, SyncconfTakesBackWhatTheFileNoLongerHas) {
  devices_.answers["wg0"] =
      kPeerLine + "preshared_key=" + std::string(64, '3') + "\npersistent_keepalive_interval=9\n";
  EXPECT_EQ(conf("syncconf", "[Peer]\nPublicKey = " + kPeer + "\n").status, 0);
  EXPECT_THAT(last_request(), HasSubstr(kPeerLine + "preshared_key=" + kZeroKey +
                                        "\npersistent_keepalive_interval=0\n"));
}

TEST_F(Set, SyncconfWithoutPeersReplacesThem) {
  devices_.answers["wg0"] = kPeerLine;
  EXPECT_EQ(conf("syncconf", "[Interface]\n").status, 0);
  EXPECT_THAT(last_request(), HasSubstr("replace_peers=true\n"));
}

TEST_F(Set, ABadFileIsExplainedAndChangesNothing) {
  const Answer answer = conf("setconf", kConf + "AllowdIPs = ::/0\n");
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, HasSubstr(":7:1: AllowdIPs is not a key of [Peer]; did you mean "));
  EXPECT_THAT(answer.err, HasSubstr("\nConfiguration parsing error\n"));
  EXPECT_TRUE(devices_.set_requests.empty());
}

TEST_F(Set, KeysOfWgQuickAreRefused) {
  EXPECT_EQ(conf("setconf", "[Interface]\nAddress = 10.0.0.1/24\n").status, 1);
}

TEST_F(Set, AFileThatIsNotThereIsNamed) {
  const Answer answer = ask(devices_, {"setconf", "wg0", "/does/not/exist"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "/does/not/exist: No such file or directory\n");
}

}  // namespace
}  // namespace ferrule::cli
