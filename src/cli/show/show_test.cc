#include "cli/show/show.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "base/key_text.h"
#include "cli/show/show_text.h"
#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

// RFC 7748, section 6.1.
const std::string kPrivateHex = "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a";

std::string peer(char digit, const std::string& lines) {
  return "public_key=" + std::string(64, digit) + "\n" + lines;
}

const std::string kPeer1 = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kPeer2 = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";

TestDevices office() {
  TestDevices devices;
  devices.answers["wg0"] =
      "listen_port=51820\nfwmark=81\n" +
      peer('1', "last_handshake_time_sec=1699999000\nallowed_ip=10.0.0.0/8\nallowed_ip=::/0\n") +
      peer('2', "preshared_key=" + std::string(64, '3') +
                    "\nendpoint=192.0.2.1:5\nlast_handshake_time_sec=1699999939\ntx_bytes=2048\n"
                    "rx_bytes=5\npersistent_keepalive_interval=25\n");
  return devices;
}

class Show : public testing::Test {
 protected:
  void SetUp() override { unsetenv("WG_HIDE_KEYS"); }
  void TearDown() override { unsetenv("WG_HIDE_KEYS"); }
};

TEST_F(Show, PeersComeByTheirLatestHandshake) {
  TestDevices devices = office();
  const Answer answer = ask(devices, {"show", "wg0"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out,
            "interface: wg0\n"
            "  listening port: 51820\n"
            "  fwmark: 0x51\n"
            "\n"
            "peer: " +
                kPeer2 +
                "\n"
                "  preshared key: (hidden)\n"
                "  endpoint: 192.0.2.1:5\n"
                "  allowed ips: (none)\n"
                "  latest handshake: 1 minute, 1 second ago\n"
                "  transfer: 5 B received, 2.00 KiB sent\n"
                "  persistent keepalive: every 25 seconds\n"
                "\n"
                "peer: " +
                kPeer1 +
                "\n"
                "  allowed ips: 10.0.0.0/8, ::/0\n"
                "  latest handshake: 16 minutes, 40 seconds ago\n");
}

TEST_F(Show, P75d_WhereItIsBoundIsShown) {
  TestDevices devices = office();
  devices.settings["wg0"] = {{{*IpAddress::parse("192.0.2.1"), {}}, "eth1"}, {"eth1"}};
  EXPECT_THAT(ask(devices, {"show", "wg0"}).out,
              HasSubstr("  bound to: 192.0.2.1 by eth1 (not there: eth1)\n"));
  const auto json = nlohmann::json::parse(ask(devices, {"show", "wg0", "--json"}).out)["wg0"];
  EXPECT_EQ(json["bind"], nlohmann::json::array({"192.0.2.1"}));
  EXPECT_EQ(json["bindInterface"], "eth1");
  EXPECT_EQ(json["bindMissing"], nlohmann::json::array({"eth1"}));
  EXPECT_EQ(ask(devices, {"show", "wg0", "dump"}).out.find("eth1"), std::string::npos);
}

TEST_F(Show, SecretsAreShownOnlyWhenAskedFor) {
  TestDevices devices;
  devices.answers["wg0"] = "private_key=" + kPrivateHex + "\n";
  EXPECT_THAT(ask(devices, {"show", "wg0"}).out, HasSubstr("private key: (hidden)\n"));
  setenv("WG_HIDE_KEYS", "never", 1);
  EXPECT_THAT(ask(devices, {"show", "wg0"}).out,
              HasSubstr("private key: dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=\n"));
}

TEST_F(Show, ThePublicKeyIsThatOfThePrivateKey) {
  TestDevices devices;
  devices.answers["wg0"] = "private_key=" + kPrivateHex + "\n";
  EXPECT_EQ(ask(devices, {"show", "wg0", "public-key"}).out,
            "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=\n");
}

TEST_F(Show, AFieldIsALineForEachPeer) {
  TestDevices devices = office();
  EXPECT_EQ(ask(devices, {"show", "wg0", "endpoints"}).out,
            kPeer1 + "\t(none)\n" + kPeer2 + "\t192.0.2.1:5\n");
  EXPECT_EQ(ask(devices, {"show", "wg0", "allowed-ips"}).out,
            kPeer1 + "\t10.0.0.0/8 ::/0\n" + kPeer2 + "\t(none)\n");
}

TEST_F(Show, AFieldOfAllDevicesNamesThem) {
  TestDevices devices = office();
  devices.answers["wg1"] = "";
  EXPECT_EQ(ask(devices, {"show", "all", "listen-port"}).out, "wg0\t51820\nwg1\t0\n");
}

TEST_F(Show, InterfacesAreOneLine) {
  TestDevices devices = office();
  devices.answers["wg1"] = "";
  EXPECT_EQ(ask(devices, {"show", "interfaces"}).out, "wg0 wg1\n");
}

TEST_F(Show, NoDevicesAreNoError) {
  TestDevices devices;
  const Answer answer = ask(devices, {"show"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out + answer.err, "");
}

TEST_F(Show, ADeviceThatIsNotThereIsAnError) {
  TestDevices devices;
  const Answer answer = ask(devices, {"show", "wg0"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "ferrule: `wg0' is not a WireGuard interface\n");
  EXPECT_EQ(ask({"show", "wg0"}, {}, "wg").err, "Unable to access interface: No such device\n");
}

TEST_F(Show, DevicesThatCannotBeReadAreNamed) {
  TestDevices devices = office();
  devices.get_errno = EPERM;
  const Answer answer = ask(devices, {"show", "all"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "Unable to access interface wg0: Operation not permitted\n");
}

// The names are in the file of an interface of this machine, or, as here, in one that a path names.
TEST_F(Show, PeersGoByTheirNamesUnlessAsWg) {
  const ConfFolder folder("wg0");
  const std::string key = kPeer2.substr(0, 44);
  folder.write("[Peer]\n# Name = alice\nPublicKey = " + key + "\n");
  NamedDevice device{"wg0", {}};
  device.status.peers.emplace_back().public_key = *public_key_from_base64(key);
  device.names = monitor::NameBook().of(folder.conf_path());
  const auto pretty = [&] {
    Output out(Output::kNowhere);
    print_pretty(out, device, Style(false), kTestNow);
    return std::string(out.text());
  };
  EXPECT_THAT(pretty(),
              HasSubstr("\npeer: alice\n  public key: " + key + "\n  allowed ips: (none)\n"));
  device.names.reset();
  EXPECT_THAT(pretty(), HasSubstr("\npeer: " + key + "\n  allowed ips: (none)\n"));
}

TEST_F(Show, HelpNamesWhatWgDoesNotHave) {
  const Answer answer = ask({"show", "--help"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.out, AllOf(HasSubstr("--json"), HasSubstr("--watch")));
}

TEST_F(Show, DumpHasReceivedBeforeSent) {
  TestDevices devices = office();
  EXPECT_EQ(ask(devices, {"show", "wg0", "dump"}).out,
            "(none)\t(none)\t51820\t0x51\n" + kPeer1 +
                "\t(none)\t(none)\t10.0.0.0/8,::/0\t1699999000\t0\t0\toff\n" + kPeer2 +
                "\tMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=\t192.0.2.1:5\t(none)\t1699999939\t5"
                "\t2048\t25\n");
}

TEST_F(Show, AnUnknownFieldIsAnError) {
  TestDevices devices = office();
  const Answer answer = ask(devices, {"show", "wg0", "colour"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.err, StartsWith("Invalid parameter: `colour'\nUsage: ferrule show {"));
}

// --- JSON ---

TEST_F(Show, JsonSaysEverythingInTheWordsOfWgJson) {
  TestDevices devices = office();
  const auto json = nlohmann::json::parse(ask(devices, {"show", "wg0", "--json"}).out);
  EXPECT_EQ(json["wg0"]["listenPort"], 51820);
  EXPECT_EQ(json["wg0"]["fwmark"], 81);
  const auto& peers = json["wg0"]["peers"];
  EXPECT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[kPeer1]["allowedIps"], (nlohmann::json{"10.0.0.0/8", "::/0"}));
  EXPECT_FALSE(peers[kPeer1].contains("endpoint"));
  EXPECT_EQ(peers[kPeer2]["presharedKey"], "(hidden)");
  EXPECT_EQ(peers[kPeer2]["endpoint"], "192.0.2.1:5");
  EXPECT_EQ(peers[kPeer2]["latestHandshake"], 1699999939);
  EXPECT_EQ(peers[kPeer2]["transferRx"], 5);
  EXPECT_EQ(peers[kPeer2]["transferTx"], 2048);
  EXPECT_EQ(peers[kPeer2]["persistentKeepalive"], 25);
}

TEST_F(Show, JsonOfAllDevicesIsOneObject) {
  TestDevices devices = office();
  devices.answers["wg1"] = "";
  EXPECT_EQ(nlohmann::json::parse(ask(devices, {"show", "--json"}).out).size(), 2u);
  EXPECT_EQ(ask(devices, {"show", "interfaces", "--json"}).out, "[\"wg0\",\"wg1\"]\n");
}

TEST_F(Show, JsonOfNothingIsJson) {
  TestDevices devices;
  EXPECT_EQ(ask(devices, {"show", "--json"}).out, "{}\n");
  EXPECT_EQ(ask(devices, {"show", "interfaces", "--json"}).out, "[]\n");
}

// --- showconf ---

TEST_F(Show, ConfIsAFileThatMakesTheDevice) {
  TestDevices devices = office();
  EXPECT_EQ(ask(devices, {"showconf", "wg0"}).out,
            "[Interface]\nListenPort = 51820\nFwMark = 0x51\n"
            "\n[Peer]\nPublicKey = " +
                kPeer1 +
                "\nAllowedIPs = 10.0.0.0/8, ::/0\n"
                "\n[Peer]\nPublicKey = " +
                kPeer2 +
                "\nPresharedKey = MzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzMzM=\n"
                "Endpoint = 192.0.2.1:5\nPersistentKeepalive = 25\n");
}

TEST_F(Show, ConfOfADeviceThatIsNotThereIsAnError) {
  TestDevices devices;
  const Answer answer = ask(devices, {"showconf", "wg0"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "Unable to access interface: No such device\n");
}

}  // namespace
}  // namespace ferrule::cli
