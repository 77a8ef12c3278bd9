#include "diagnosis/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrule::diagnosis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }
RouteFacts route(const std::string& to, const std::string& interface) {
  return {*Cidr::parse(to), ip(to), interface, interface.empty() ? "unreachable" : ""};
}

// A tunnel to one peer that answers.
DoctorFacts healthy() {
  DoctorFacts facts;
  facts.interface = "wg0";
  facts.is_there = facts.is_up = facts.has_private_key = facts.is_port_bound = true;
  facts.mtu_bytes = 1420;
  facts.listen_port = 51820;
  facts.addresses = {ip("10.0.0.1")};
  PeerFacts& peer = facts.peers.emplace_back();
  peer.name = "alice";
  peer.endpoint = *Endpoint::parse("192.0.2.2:51820");
  peer.endpoint_route = route("192.0.2.2", "eth0");
  peer.routes = {route("10.0.0.2", "wg0")};
  ProbeFacts& probe = peer.probe.emplace();
  probe.target = ip("10.0.0.2");
  probe.is_answered = probe.has_session = true;
  probe.largest_bytes = 1420;
  return facts;
}

// The same, when handshakes stay without an answer.
DoctorFacts cut_off() {
  DoctorFacts facts = healthy();
  ProbeFacts& probe = *facts.peers[0].probe;
  probe.is_answered = probe.has_session = false;
  probe.sent_bytes = 296;
  return facts;
}

// The same, with a session, when echo requests stay without an answer.
DoctorFacts mute() {
  DoctorFacts facts = healthy();
  facts.peers[0].probe->is_answered = false;
  return facts;
}

std::vector<std::string> names(const DoctorFacts& facts) {
  std::vector<std::string> all;
  for (const Diagnosis& diagnosis : diagnose(facts)) {
    EXPECT_FALSE(diagnosis.what.empty() || diagnosis.how.empty() || diagnosis.mend.empty());
    all.emplace_back(diagnosis.name);
  }
  return all;
}

TEST(Doctor, AHealthyTunnelHasNothing) { EXPECT_THAT(names(healthy()), IsEmpty()); }

TEST(Doctor, WithoutAnInterfaceNothingElseIsSaid) {
  DoctorFacts facts;
  facts.interface = "wg0";
  facts.daemon_problem = "No such device";
  EXPECT_THAT(names(facts), ElementsAre("no-interface"));
  facts.is_there = true;
  EXPECT_THAT(names(facts), ElementsAre("no-daemon"));
  facts.daemon_problem.clear();
  EXPECT_THAT(names(facts), ElementsAre("interface-down"));
  facts.is_up = true;
  EXPECT_THAT(names(facts), ElementsAre("no-private-key"));
  facts.has_private_key = true;
  EXPECT_THAT(names(facts), ElementsAre("no-peers"));
}

TEST(Doctor, APortThatIsNotOpenOrAnothers) {
  DoctorFacts facts = healthy();
  facts.is_port_bound = false;
  EXPECT_THAT(names(facts), ElementsAre("port-unbound"));
  facts.port_owner = "nginx (pid 3)";
  EXPECT_THAT(names(facts), ElementsAre("port-taken"));
}

TEST(Doctor, AnAddressIsMissedOfEachFamilyThatPeersHave) {
  DoctorFacts facts = healthy();
  facts.addresses.clear();
  EXPECT_THAT(names(facts), ElementsAre("no-address"));
  facts.peers[0].routes.push_back(route("fd00::2", "wg0"));
  EXPECT_THAT(names(facts), ElementsAre("no-address", "no-address"));
}

TEST(Doctor, RoutesLeadIntoTheTunnel) {
  DoctorFacts facts = healthy();
  facts.peers[0].routes = {route("10.0.0.2", "eth0"), route("10.0.0.3", "")};
  EXPECT_THAT(names(facts), ElementsAre("route-elsewhere", "route-missing"));
  facts.peers[0].routes.clear();
  EXPECT_THAT(names(facts), ElementsAre("no-allowed-ips"));
}

TEST(Doctor, TheEndpointIsOutsideTheTunnel) {
  DoctorFacts facts = cut_off();
  facts.peers[0].endpoint_route = route("192.0.2.2", "wg0");
  EXPECT_EQ(names(facts)[0], "endpoint-loop");
  facts.peers[0].endpoint_route = route("192.0.2.2", "");
  EXPECT_EQ(names(facts)[0], "endpoint-unreachable");
}

TEST(Doctor, APeerWithoutEndpointMustCall) {
  DoctorFacts facts = cut_off();
  facts.peers[0].endpoint = {};
  EXPECT_THAT(names(facts), ElementsAre("no-endpoint"));
}

TEST(Doctor, ANameThatLeadsElsewhereOrNowhere) {
  DoctorFacts facts = cut_off();
  facts.peers[0].host = "a.example";
  EXPECT_EQ(names(facts)[0], "endpoint-unresolved");
  facts.peers[0].host_addresses = {ip("192.0.2.9")};
  EXPECT_EQ(names(facts)[0], "endpoint-moved");
  facts.peers[0].host_addresses.push_back(ip("192.0.2.2"));
  EXPECT_THAT(names(facts), ElementsAre("handshake-unanswered"));
}

TEST(Doctor, CountersTellOneSilenceFromAnother) {
  const auto with = [](const std::string& counter) {
    DoctorFacts facts = cut_off();
    facts.counted[counter] = 2;
    return names(facts);
  };
  EXPECT_THAT(names(cut_off()), ElementsAre("handshake-unanswered"));
  EXPECT_THAT(with("drop_bad_handshake"), ElementsAre("wrong-psk"));
  EXPECT_THAT(with("drop_send_failed"), ElementsAre("send-refused"));
  EXPECT_THAT(with("cookie_replies"), ElementsAre("cookie"));
  EXPECT_THAT(with("drop_bad_mac1"), ElementsAre("handshake-unanswered", "wrong-key-there"));
  EXPECT_THAT(with("drop_unknown_peer"), ElementsAre("handshake-unanswered", "unknown-peer"));
  EXPECT_THAT(with("drop_replayed_initiation"), ElementsAre("handshake-unanswered", "clock"));
}

TEST(Doctor, NothingSentIsNotUnanswered) {
  DoctorFacts facts = cut_off();
  facts.peers[0].probe->sent_bytes = 0;
  EXPECT_THAT(names(facts), ElementsAre("handshake-not-sent"));
}

TEST(Doctor, ASessionThroughWhichNothingComesBack) {
  EXPECT_THAT(names(mute()), ElementsAre("no-answer"));
  DoctorFacts facts = mute();
  facts.counted["drop_inner_source"] = 1;
  EXPECT_THAT(names(facts), ElementsAre("source-not-allowed"));
}

TEST(Doctor, AnAddressThatNobodyMayHaveNeedNotAnswer) {
  DoctorFacts facts = mute();
  facts.peers[0].probe->is_guess = true;
  EXPECT_THAT(names(facts), IsEmpty());
}

TEST(Doctor, LargePacketsGetThroughToo) {
  DoctorFacts facts = healthy();
  facts.peers[0].probe->largest_bytes = 1280;
  EXPECT_THAT(names(facts), ElementsAre("path-mtu"));
  EXPECT_THAT(diagnose(facts)[0].mend, HasSubstr("ip link set wg0 mtu 1280"));
}

TEST(Doctor, RulesOfTheFirewallMatterOnlyWhenSomethingIsLost) {
  DoctorFacts facts = healthy();
  facts.firewall.push_back({"inet filter", "input", "udp dport 51820 drop"});
  EXPECT_THAT(names(facts), IsEmpty());
  facts.peers[0].probe->is_answered = false;
  EXPECT_THAT(names(facts), ElementsAre("no-answer", "firewall"));
}

TEST(Doctor, AFindingSaysWhoseItIs) {
  EXPECT_EQ(diagnose(cut_off())[0].peer, "alice");
  DoctorFacts facts = healthy();
  facts.is_port_bound = false;
  EXPECT_EQ(diagnose(facts)[0].peer, "");
}

}  // namespace
}  // namespace ferrule::diagnosis
