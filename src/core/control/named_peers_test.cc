#include "control/named_peers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "base/key_text.h"

namespace ferrule::control {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const std::string kKey1 = "ERERERERERERERERERERERERERERERERERERERERERE=";
const std::string kKey2 = "IiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiI=";
const std::string kInterface = "# our office\n[Interface]\nListenPort = 1\n\n";
const std::string kAlice = "[Peer]\n# Name = alice\n# Expires = 2027-01-31\nPublicKey = " + kKey1 +
                           "\nAllowedIPs = 10.0.0.2/32\n";
const std::string kBob = "[Peer]\nPublicKey = " + kKey2 + "\n";
const std::string kBobOff = "#~ [Peer]\n#~ PublicKey = " + kKey2 + "\n";
constexpr Date kDay = std::chrono::sys_days(2027y / 1 / 31);

ConfDocument document_of(const std::string& text) { return ConfDocument("wg0.conf", text); }

std::vector<NamedPeer> peers_of(const ConfDocument& document) {
  auto peers = read_peers(document);
  if (!peers) {
    ADD_FAILURE() << peers.error().front().to_string();
    return {};
  }
  return std::move(*peers);
}

// The text after `change` of the peer `index`.
template <class Change>
std::string after(const std::string& text, std::size_t index, Change change) {
  ConfDocument document = document_of(text);
  change(document, peers_of(document).at(index));
  return std::string(document.text().view());
}

TEST(NamedPeers, NameAndDateStandInComments) {
  const auto peers = peers_of(document_of(kInterface + kAlice + "\n" + kBob));
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_EQ(peers[0].name, "alice");
  EXPECT_EQ(peers[0].expires, kDay);
  EXPECT_EQ(to_base64(peers[0].conf.public_key), kKey1);
  EXPECT_EQ(peers[1].name, "");
  EXPECT_FALSE(peers[1].expires);
}

TEST(NamedPeers, ADisabledPeerIsACommentInOrder) {
  const ConfDocument document = document_of(kInterface + kBobOff + "\n" + kAlice);
  EXPECT_EQ(document.sections().size(), 2u);
  const auto peers = peers_of(document);
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_FALSE(peers[0].is_enabled);
  EXPECT_EQ(to_base64(peers[0].conf.public_key), kKey2);
  EXPECT_TRUE(peers[1].is_enabled);
}

TEST(NamedPeers, DisabledPeersWithoutALineBetweenAreTwo) {
  EXPECT_EQ(peers_of(document_of(kBobOff + kBobOff)).size(), 2u);
}

TEST(NamedPeers, CommentsOfOthersAreNoPeers) {
  EXPECT_EQ(peers_of(document_of(kInterface + "#[Peer]\n# [Peer]\n# Name = x\n")).size(), 0u);
}

TEST(NamedPeers, AMistakeIsToldWithItsLineInTheFile) {
  const auto peers = read_peers(document_of(kInterface + "#~ [Peer]\n#~ PublicKey = x\n"));
  ASSERT_FALSE(peers);
  EXPECT_EQ(peers.error().front().line, 6u);
}

TEST(NamedPeers, ABadDateIsAMistakeAndNotForever) {
  const auto peers = read_peers(document_of(kBob + "# Expires = 31.1.2027\n"));
  ASSERT_FALSE(peers);
  EXPECT_EQ(peers.error().front().line, 3u);
}

TEST(NamedPeers, APeerIsFoundByItsNameOrKey) {
  const auto peers = peers_of(document_of(kAlice + kBob));
  EXPECT_EQ(find_peer(peers, "alice"), &peers[0]);
  EXPECT_EQ(find_peer(peers, kKey2), &peers[1]);
  EXPECT_EQ(find_peer(peers, "Alice"), nullptr);
  EXPECT_EQ(find_peer(peers, ""), nullptr);
}

TEST(NamedPeers, ANewPeerStandsAtTheEndAfterAnEmptyLine) {
  ConfDocument document = document_of("[Interface]\nListenPort = 1");
  append_peer(document, kBob);
  EXPECT_EQ(document.text().view(), "[Interface]\nListenPort = 1\n\n" + kBob);
}

TEST(NamedPeers, OnlyItsOwnLinesAreRemoved) {
  const std::string comment = "# the next one\n";
  EXPECT_EQ(after(kInterface + kAlice + "\n" + comment + kBob, 0, remove_peer),
            kInterface + comment + kBob);
  EXPECT_EQ(after(kInterface + kBobOff + kAlice, 0, remove_peer), kInterface + kAlice);
}

TEST(NamedPeers, ANameTakesThePlaceOfTheOld) {
  const auto rename = [](ConfDocument& document, const NamedPeer& peer) {
    rename_peer(document, peer, "carol");
  };
  EXPECT_THAT(after(kAlice, 0, rename), HasSubstr("[Peer]\n# Name = carol\n# Expires"));
  EXPECT_EQ(after(kBob, 0, rename), "[Peer]\n# Name = carol\nPublicKey = " + kKey2 + "\n");
  EXPECT_EQ(after(kBobOff, 0, rename),
            "#~ [Peer]\n#~ # Name = carol\n#~ PublicKey = " + kKey2 + "\n");
}

TEST(NamedPeers, DisabledAndEnabledAgainItIsAsBefore) {
  const std::string text = kInterface + "[Peer]\n\n\tPublicKey=" + kKey2 + " # key\n\n" + kAlice;
  const std::string disabled = after(text, 0, disable_peer);
  EXPECT_THAT(disabled, HasSubstr("\n#~ [Peer]\n#~\n#~ \tPublicKey="));
  EXPECT_EQ(peers_of(document_of(disabled)).size(), 2u);
  EXPECT_EQ(after(disabled, 0, enable_peer), text);
}

TEST(NamedPeers, CommentsOfOthersAreNoLinesOfADisabledPeer) {
  const std::string foreign = "#~~~~~~ telephones ~~~~~~\n";
  EXPECT_EQ(peers_of(document_of(kInterface + kBobOff + foreign + kAlice)).size(), 2u);
  EXPECT_EQ(after(kInterface + kBobOff + foreign + kAlice, 0, enable_peer),
            kInterface + kBob + foreign + kAlice);
}

TEST(NamedPeers, WhatStandsBehindADisabledPeerDoesNotBecomePartOfIt) {
  const std::string foreign = "#~ see below\n";
  const std::string disabled = after(kBob + foreign + "\n" + kAlice, 0, disable_peer);
  EXPECT_EQ(disabled, kBobOff + "\n" + foreign + "\n" + kAlice);
  EXPECT_EQ(after(disabled, 0, enable_peer), kBob + "\n" + foreign + "\n" + kAlice);
}

TEST(NamedPeers, WhatStandsBehindAnEnabledPeerDoesNotBecomePartOfIt) {
  EXPECT_EQ(after(kBobOff + "# Name = zed\n\n" + kAlice, 0, enable_peer),
            kBob + "\n# Name = zed\n\n" + kAlice);
}

TEST(NamedPeers, WhatStandsBehindARemovedPeerDoesNotBecomePartOfTheOneBefore) {
  const std::string text = after(kAlice + kBob + "\n# Name = zed\n\n", 1, remove_peer);
  EXPECT_EQ(text, kAlice + "\n# Name = zed\n\n");
  EXPECT_EQ(peers_of(document_of(text)).at(0).name, "alice");
}

TEST(NamedPeers, CommentsRightBehindItsValuesBelongToAPeer) {
  const std::string comments = "#Endpoint = 192.0.2.1:1\n# slow\n";
  EXPECT_EQ(after(kInterface + kBob + comments + "\n" + kAlice, 0, remove_peer),
            kInterface + kAlice);
  const std::string disabled = after(kInterface + kBob + comments + "\n" + kAlice, 0, disable_peer);
  EXPECT_FALSE(interface_note(document_of(disabled), "Endpoint"));
}

TEST(NamedPeers, CommentsRightBeforeASectionBelongToThatOne) {
  const std::string old = "# [Peer]\n# PublicKey = x\n";
  for (const std::string& next :
       {"# carol\n" + kAlice, old, "# old\n" + old, "# off\n" + kBobOff}) {
    EXPECT_EQ(after(kInterface + kBob + next, 0, remove_peer), kInterface + next);
  }
}

TEST(NamedPeers, OfTwoNamesTheLastCountsAndIsChanged) {
  const std::string text = "[Peer]\n# Name = a\nPublicKey = " + kKey1 + "\n# Name = b\n";
  const auto rename = [](ConfDocument& document, const NamedPeer& peer) {
    rename_peer(document, peer, "c");
  };
  EXPECT_EQ(peers_of(document_of(after(text, 0, rename))).at(0).name, "c");
}

// Whoever wrote it thinks that the peer will go.
TEST(NamedPeers, ADateThatIsNoPeersIsTold) {
  const auto strays = [](const std::string& text) {
    std::vector<std::size_t> lines;
    for (const ConfError& error : list_peers(document_of(text)).dates_of_nobody) {
      lines.push_back(error.line);
    }
    return lines;
  };
  const std::string note = "# Expires = 2027-01-31\n";
  EXPECT_THAT(strays(kBob + "\n" + note), ElementsAre(4));
  EXPECT_THAT(strays(note + kBob), ElementsAre(1));
  EXPECT_THAT(strays(kInterface + note + "\n" + kBob), ElementsAre(5));
  EXPECT_THAT(strays("[Interface]\n" + note + "ListenPort = 1\n"), ElementsAre(2));
  EXPECT_THAT(strays(kBobOff + "\n#~ " + note), ElementsAre(4));
  EXPECT_THAT(strays(kBobOff + note), ElementsAre(3));
  EXPECT_THAT(strays(kBob + note + "[Peer]\n\n" + note + "\nPublicKey = " + kKey1 + "\n"),
              IsEmpty());
  EXPECT_THAT(strays(kBob + "\n# [Peer]\n# Name = old\n" + note + "\n# Expires soon\n"), IsEmpty())
      << "it is that of a peer that is no more";
}

TEST(NamedPeers, NamesHaveNothingThatEndsAComment) {
  EXPECT_TRUE(is_peer_name("Zoë phone"));
  for (const char* name : {"", " a", "a ", "a#b", "a\nb", "a\"b"}) {
    EXPECT_FALSE(is_peer_name(name)) << name;
  }
  EXPECT_FALSE(is_peer_name(std::string(65, 'a')));
}

TEST(NamedPeers, NamesAreOfPrintableUtf8) {
  EXPECT_TRUE(is_peer_name("\u6771\u4eac \U0001F600"));
  for (const char* name : {"a\x1b[2J", "a\x7f", "a\xc2\x9b", "a\xff", "a\xe2\x80\xae"}) {
    EXPECT_FALSE(is_peer_name(name)) << name;
  }
}

// The file may come from anywhere; what is shown of it must not speak to a terminal.
TEST(NamedPeers, ANameFromAFileIsCleaned) {
  const std::string written = "a\x1b[2Jb\tc\xff\xc2\x9b" + std::string(100, 'd');
  const auto peers =
      peers_of(document_of("[Peer]\n# Name = " + written + "\nPublicKey = " + kKey2 + "\n"));
  ASSERT_EQ(peers.size(), 1u);
  EXPECT_EQ(peers[0].name, "a?[2Jb?c??" + std::string(54, 'd'));
  EXPECT_EQ(find_peer(peers, written), &peers[0]);
  EXPECT_EQ(find_peer(peers, peers[0].name), &peers[0]);
}

TEST(NamedPeers, ACharacterIsNotCutAtTheEndOfALongName) {
  EXPECT_EQ(shown_name(std::string(63, 'a') + "\u00eb"), std::string(63, 'a'));
}

TEST(NamedPeers, AnExpiryIsADateOrATimeFromNow) {
  EXPECT_EQ(parse_expiry("2027-01-31", kDay), kDay);
  EXPECT_EQ(parse_expiry("30d", kDay), kDay + std::chrono::days(30));
  EXPECT_EQ(parse_expiry("2w", kDay), kDay + std::chrono::days(14));
  EXPECT_EQ(parse_expiry("1y", kDay), kDay + std::chrono::days(365));
  for (const char* text :
       {"", "d", "30", "30m", "-1d", "2027-02-30", "2027-1-31", "99999999999d", "4000000000d"}) {
    EXPECT_FALSE(parse_expiry(text, kDay)) << text;
  }
}

TEST(NamedPeers, ADateIsWrittenAsItIsRead) {
  EXPECT_EQ(date_text(kDay), "2027-01-31");
  EXPECT_EQ(date_text(kDay + 18h + 5min), "2027-01-31 18:05");
  EXPECT_EQ(parse_date("2027-01-31 18:05"), kDay + 18h + 5min);
  EXPECT_EQ(parse_date("2027-01-31T00:05"), kDay + 5min);
  for (const char* text : {"2027-01-31 ", "2027-01-31 24:00", "2027-01-31 10:60", "2027-01-31 1:00",
                           "2027-01-31 10:00:00", "2027-01-31x10:00"}) {
    EXPECT_FALSE(parse_date(text)) << text;
  }
}

TEST(NamedPeers, HoursCountFromNowAndDaysFromToday) {
  EXPECT_EQ(parse_expiry("12h", kDay + 10h), kDay + 22h);
  EXPECT_EQ(parse_expiry("1d", kDay + 10h), kDay + 24h);
  EXPECT_EQ(parse_expiry("2027-01-31 18:00", kDay), kDay + 18h);
}

TEST(NamedPeers, AnInterfaceHasNotesToo) {
  const ConfDocument document = document_of(
      "# Endpoint = no\n[Interface]\n#endpoint = a.example:1\n\n" + kAlice + "# Endpoint = no\n");
  EXPECT_EQ(interface_note(document, "Endpoint"), "a.example:1");
  EXPECT_FALSE(interface_note(document, "ClientDNS"));
}

TEST(NamedPeers, NotesHaveAnyCaseAndSpaceAndAnEqualsSign) {
  const auto of = [](const char* text) {
    return interface_note(document_of(text), "Implementation");
  };
  EXPECT_EQ(of("[Interface]\n# Implementation = kernel\n"), "kernel");
  EXPECT_EQ(of("[Interface]\n  #implementation=ferruled\n"), "ferruled");
  EXPECT_FALSE(of("[Interface]\n# The Implementation\n[Peer]\n# Implementation = kernel\n"));
}

TEST(NamedPeers, OfTwoNotesTheLastCountsAsOfTwoValues) {
  EXPECT_EQ(
      interface_note(document_of("[Interface]\n# Endpoint = a:1\n# Endpoint = b:1\n"), "Endpoint"),
      "b:1");
}

TEST(NamedPeers, NotesBehindADisabledPeerAreNotTheInterfaces) {
  const ConfDocument document = document_of(kInterface + kBobOff + "\n# Endpoint = a:1\n" + kAlice);
  EXPECT_FALSE(interface_note(document, "Endpoint"));
}

}  // namespace
}  // namespace ferrule::control
