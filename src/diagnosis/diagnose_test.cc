#include "diagnosis/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace ferrule::diagnosis {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

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
  facts.addresses = {{ip("10.0.0.1"), 24}};
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
  facts.peers[0].probe->sent_bytes = 640;
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
  facts.peers[0].host_addresses.emplace();
  EXPECT_EQ(names(facts)[0], "endpoint-unresolved");
  facts.peers[0].host_addresses = {{ip("192.0.2.9")}};
  EXPECT_EQ(names(facts)[0], "endpoint-moved");
  facts.peers[0].host_addresses->push_back(ip("192.0.2.2"));
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

TEST(Doctor, AnAddressThatNobodyMayHaveIsNoProofButAsksForALook) {
  DoctorFacts facts = mute();
  facts.peers[0].probe->is_guess = true;
  EXPECT_THAT(names(facts), ElementsAre("no-answer"));
  EXPECT_EQ(diagnose(facts)[0].severity, Severity::warning);
}

TEST(Doctor, DataThatComesInSaysThatThePeerIsThere) {
  DoctorFacts facts = mute();
  facts.peers[0].probe->has_data = true;
  EXPECT_THAT(names(facts), ElementsAre("no-answer"));
  EXPECT_EQ(diagnose(facts)[0].severity, Severity::note);
}

TEST(Doctor, HandshakesOfThePeerAloneAreNoSession) {
  DoctorFacts facts = cut_off();
  facts.peers[0].probe->received_bytes = 148;
  EXPECT_THAT(names(facts), ElementsAre("handshake-one-way"));
}

TEST(Doctor, ASessionOfThePeersDoesNotHideThatOursAreUnanswered) {
  DoctorFacts facts = healthy();
  facts.counted = {{"initiations_sent", 2}, {"initiations_answered", 1}};
  EXPECT_THAT(names(facts), IsEmpty());
  facts.counted = {{"initiations_sent", 1}};
  EXPECT_THAT(names(facts), ElementsAre("handshake-ignored"));
  EXPECT_EQ(diagnose(facts)[0].peer, "alice");
  facts.peers[0].probe->has_moved = true;
  EXPECT_THAT(names(facts), IsEmpty());
  facts = cut_off();
  facts.counted = {{"initiations_sent", 2}};
  EXPECT_THAT(names(facts), ElementsAre("handshake-unanswered"));
}

TEST(Doctor, NeverToHaveBeenAnsweredIsAWarningAboutAnOnlyPeer) {
  DoctorFacts facts = healthy();
  facts.totals = {{"initiations_sent", 18}, {"initiations_answered", 0}};
  EXPECT_THAT(names(facts), ElementsAre("handshake-ignored"));
  EXPECT_EQ(diagnose(facts)[0].severity, Severity::warning);
  facts.totals["initiations_answered"] = 1;
  EXPECT_THAT(names(facts), IsEmpty());
  facts.totals = {{"initiations_sent", 18}};
  facts.peers.push_back(facts.peers[0]);
  EXPECT_THAT(names(facts), IsEmpty());
}

TEST(Doctor, WhatIsNotLetOutComesFirst) {
  DoctorFacts facts = cut_off();
  facts.is_port_bound = false;
  facts.counted["drop_send_failed"] = 2;
  EXPECT_THAT(names(facts), ElementsAre("send-refused", "port-unbound"));
  facts.peers[0].probe->has_session = true;
  EXPECT_EQ(names(facts)[0], "send-refused");
}

TEST(Doctor, APeerThatTakesAllTrafficPassesItOn) {
  DoctorFacts facts = healthy();
  facts.peers[0].probe->is_passed_on = true;
  EXPECT_THAT(names(facts), IsEmpty());
  facts.peers[0].probe->is_passed_on = false;
  EXPECT_THAT(names(facts), ElementsAre("not-forwarded"));
}

// A server to so many peers that have not called yet.
DoctorFacts idle_server(int count) {
  DoctorFacts facts = healthy();
  facts.is_server = true;
  for (int i = 0; i < count; ++i) {
    PeerFacts& peer = facts.peers.emplace_back();
    peer.name = "idle" + std::to_string(i);
    peer.is_caller = true;
    peer.routes = {route("10.0.0.9", "wg0")};
  }
  return facts;
}

TEST(Doctor, PeersThatHaveNotCalledAreANoteOnAServer) {
  const auto found = diagnose(idle_server(2));
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "no-endpoint");
  EXPECT_EQ(found[0].severity, Severity::note);
}

TEST(Doctor, ManyOfAKindAreOneFinding) {
  const auto found = diagnose(idle_server(2000));
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].peer, "");
  EXPECT_THAT(found[0].what, HasSubstr("2000 peers (idle0, idle1, idle2, ...)"));
}

TEST(Doctor, APeerThatHasGoneQuietIsANote) {
  DoctorFacts facts = idle_server(1);
  facts.peers[1].endpoint = *Endpoint::parse("192.0.2.3:51820");
  facts.peers[1].endpoint_route = route("192.0.2.3", "eth0");
  facts.peers[1].handshake_age_s = 7300;
  EXPECT_THAT(names(facts), ElementsAre("idle"));
  EXPECT_EQ(diagnose(facts)[0].what, "not heard from for 2 hours");
}

TEST(Doctor, ADisabledOrExpiredPeerIsNamedAsSuch) {
  DoctorFacts facts;
  facts.interface = "wg0";
  facts.is_there = facts.is_up = facts.has_private_key = facts.is_about_one = true;
  facts.left_out = {{"bob", ""}};
  EXPECT_THAT(names(facts), ElementsAre("peer-disabled"));
  EXPECT_EQ(diagnose(facts)[0].severity, Severity::warning);
  facts.left_out = {{"bob", "2026-01-31"}};
  EXPECT_THAT(names(facts), ElementsAre("peer-expired"));
}

TEST(Doctor, AnAdviceDoesNotTakeIPv6Away) {
  DoctorFacts facts = healthy();
  facts.peers[0].probe->largest_bytes = 1216;
  EXPECT_THAT(diagnose(facts)[0].mend, HasSubstr("mtu 1216"));
  facts.addresses.push_back({ip("fd00::1"), 64});
  EXPECT_THAT(diagnose(facts)[0].mend, Not(HasSubstr("mtu 1216")));
}

TEST(Doctor, AnAdviceMakesNoLoop) {
  DoctorFacts facts = healthy();
  facts.peers[0].routes = {{*Cidr::parse("0.0.0.0/0"), ip("203.0.113.1"), "", "unreachable"}};
  EXPECT_THAT(diagnose(facts)[0].mend, Not(HasSubstr("ip route")));
}

TEST(Doctor, AnotherKindOfInterfaceIsNotDeleted) {
  DoctorFacts facts;
  facts.interface = "wg0";
  facts.is_there = true;
  facts.is_tunnel = false;
  facts.daemon_problem = "No such device";
  EXPECT_THAT(diagnose(facts)[0].mend, Not(HasSubstr("ip link del")));
}

TEST(Doctor, NamesAreAskedThroughATunnelThatTakesAll) {
  DoctorFacts facts = healthy();
  facts.resolvers = ResolverFacts{"/etc/resolv.conf", {{ip("192.168.1.1"), "eth0", false}}, {}};
  EXPECT_THAT(names(facts), IsEmpty());
  facts.is_full_tunnel = true;
  EXPECT_THAT(names(facts), ElementsAre("dns-leak"));
  facts.resolvers->servers[0].interface = "wg0";
  EXPECT_THAT(names(facts), IsEmpty());
  facts.resolvers->servers[0] = {ip("127.0.0.1"), "lo", true};
  EXPECT_THAT(names(facts), ElementsAre("dns-local"));
  facts.resolvers->wanted = {ip("10.0.0.53")};
  EXPECT_THAT(names(facts), ElementsAre("dns-not-set", "dns-local"));
}

TEST(Doctor, CountsOfBeforeAreANoteOnAServer) {
  DoctorFacts facts = idle_server(1);
  facts.totals["drop_unknown_peer"] = 3;
  EXPECT_THAT(names(facts), ElementsAre("no-endpoint", "unknown-peer"));
  EXPECT_EQ(diagnose(facts)[1].severity, Severity::note);
}

TEST(Doctor, LargePacketsGetThroughToo) {
  DoctorFacts facts = healthy();
  facts.peers[0].probe->largest_bytes = 1280;
  EXPECT_THAT(names(facts), ElementsAre("path-mtu"));
  EXPECT_THAT(diagnose(facts)[0].mend, HasSubstr("ip link set wg0 mtu 1280"));
}

TEST(Doctor, RulesOfTheFirewallMatterWhenSomethingIsLost) {
  DoctorFacts facts = healthy();
  facts.stopped = {
      {"datagrams from its peers", {"inet filter", "input", "udp dport 51820 drop", 4, true}}};
  facts.unread_tables = {"filter"};
  EXPECT_THAT(names(facts), IsEmpty());
  facts.peers[0].probe = mute().peers[0].probe;
  EXPECT_THAT(names(facts), ElementsAre("no-answer", "firewall", "old-iptables"));
  EXPECT_THAT(diagnose(facts)[1].how, HasSubstr("udp dport 51820 drop"));
  facts.stopped[0].rule.is_certain = false;
  EXPECT_EQ(diagnose(facts)[1].severity, Severity::warning);
}

TEST(Doctor, WhatIsForwardedAndFilteredTellsOfItself) {
  DoctorFacts facts = healthy();
  facts.is_forwarding_missed = true;
  EXPECT_THAT(names(facts), ElementsAre("forwarding-off"));
  facts.is_forwarding_missed = false;
  facts.strict_interfaces = {"eth0"};
  EXPECT_THAT(names(facts), ElementsAre("rp-filter"));
}

TEST(Doctor, AFindingSaysWhoseItIs) {
  EXPECT_EQ(diagnose(cut_off())[0].peer, "alice");
  DoctorFacts facts = healthy();
  facts.is_port_bound = false;
  EXPECT_EQ(diagnose(facts)[0].peer, "");
}

}  // namespace
}  // namespace ferrule::diagnosis
