#include "control/conf_document.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "control/hidden_keys.h"

namespace ferrule::control {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kFile =
    "# Office\n"
    "[Interface]\n"
    "ListenPort = 51820  # as usual\n"
    "\n"
    "[Peer]\n"
    "# Alice\n"
    "AllowedIPs = 10.0.0.2/32, ::2/128\n"
    "[Peer]\n"
    "PublicKey=x";

ConfDocument document(std::string_view text) { return {"wg0.conf", text}; }

TEST(ConfDocument, KeepsEveryByte) {
  for (const std::string& text :
       {kFile, kFile + "\n", std::string("\r\n\n \t\n[x\0"), std::string()}) {
    EXPECT_EQ(document(text).text().view(), text);
  }
}

TEST(ConfDocument, FindsSectionsAndWhereTheyEnd) {
  const ConfDocument doc = document(kFile);
  ASSERT_EQ(doc.sections().size(), 3u);
  EXPECT_EQ(doc.sections()[0].kind, ConfSectionKind::interface);
  EXPECT_EQ(doc.sections()[1].kind, ConfSectionKind::peer);
  EXPECT_EQ(doc.sections()[1].header_line, 4u);
  EXPECT_EQ(doc.sections()[1].end_line, 7u);
  EXPECT_EQ(doc.sections()[2].end_line, 9u);
}

TEST(ConfDocument, FindsEntriesWithoutCommentAndWhiteSpace) {
  const ConfDocument doc = document(kFile);
  const ConfEntry& entry = doc.sections()[0].entries.at(0);
  EXPECT_EQ(entry.key, "ListenPort");
  EXPECT_EQ(entry.value, "51820");
  EXPECT_EQ(entry.line, 2u);
}

TEST(ConfDocument, ALineMayEndAsOnOtherSystems) {
  const ConfDocument doc = document("[Interface]\r\nListenPort = 1\r\n");
  EXPECT_EQ(doc.sections().at(0).entries.at(0).value, "1");
  EXPECT_TRUE(doc.errors().empty());
}

TEST(ConfDocument, NamesOfSectionsHaveAnyCaseAndAnySpace) {
  for (const char* name : {"[interface]", "[INTERFACE]", "  [ Inter face ]  # x", "[Interface]#"}) {
    EXPECT_EQ(document(name).sections().size(), 1u) << name;
  }
}

TEST(ConfDocument, AnUnknownSectionIsAnErrorAndSoIsNothingInIt) {
  const ConfDocument doc = document("[Interface]\n[Peers]\nNonsense\nx = y\n[Peer]\n");
  ASSERT_EQ(doc.errors().size(), 1u);
  EXPECT_EQ(doc.errors()[0].line, 2u);
  EXPECT_EQ(doc.errors()[0].message, "not a section; did you mean [Peer]?");
  EXPECT_EQ(doc.sections().size(), 2u);
  EXPECT_TRUE(doc.sections()[0].entries.empty());
}

TEST(ConfDocument, ALineThatIsNothingIsAnError) {
  const ConfDocument doc = document("[Peer]\n  what is this\n= 5\n");
  ASSERT_EQ(doc.errors().size(), 2u);
  EXPECT_EQ(doc.errors()[0].line, 2u);
  EXPECT_EQ(doc.errors()[0].column, 3u);
  EXPECT_EQ(doc.errors()[0].length, 12u);
  EXPECT_THAT(doc.errors()[0].message, HasSubstr("expected `key = value'"));
  EXPECT_EQ(doc.errors()[1].line, 3u);
}

TEST(ConfDocument, AnEntryBeforeAnySectionIsAnError) {
  const ConfDocument doc = document("ListenPort = 1\n[Interface]\n");
  ASSERT_EQ(doc.errors().size(), 1u);
  EXPECT_EQ(doc.errors()[0].message, "ListenPort stands before any [Interface] or [Peer]");
}

TEST(ConfDocument, AZeroByteIsAnError) {
  using std::string_literals::operator""s;
  EXPECT_EQ(document("[Peer]\nEndpoint = a:1\0\n"s).errors().size(), 1u);
}

TEST(ConfDocument, AByteOrderMarkIsAnErrorAndTheOnlyOne) {
  const ConfDocument doc = document("\xef\xbb\xbf[Interface]\nListenPort = 1\n");
  ASSERT_EQ(doc.errors().size(), 1u);
  EXPECT_THAT(doc.errors()[0].message, HasSubstr("a byte order mark"));
  EXPECT_EQ(doc.errors()[0].line, 1u);
}

TEST(ConfDocument, LinesCanBeInsertedAndAreRead) {
  ConfDocument doc = document("[Interface]\n[Peer]\n");
  doc.insert_lines(1, "ListenPort = 1\nFwMark = 2");
  EXPECT_EQ(doc.text().view(), "[Interface]\nListenPort = 1\nFwMark = 2\n[Peer]\n");
  EXPECT_EQ(doc.sections()[0].entries.size(), 2u);
}

TEST(ConfDocument, InsertingBehindALineWithoutBreakBreaksIt) {
  ConfDocument doc = document("[Interface]");
  doc.insert_lines(1, "[Peer]\n");
  EXPECT_EQ(doc.text().view(), "[Interface]\n[Peer]\n");
}

TEST(ConfDocument, ErasedLinesAreGone) {
  ConfDocument doc = document(kFile);
  const ConfSection peer = doc.sections()[1];
  doc.erase_lines(peer.header_line, peer.end_line - peer.header_line);
  EXPECT_EQ(doc.sections().size(), 2u);
  EXPECT_THAT(std::string(doc.text().view()), Not(HasSubstr("Alice")));
}

TEST(ConfDocument, EndsOfSectionsFollowEdits) {
  ConfDocument doc = document("[Interface]\n[Peer]\n");
  doc.insert_lines(2, "# a\n# b\n");
  EXPECT_EQ(doc.sections()[1].end_line, 4u);
}

// --- Bytes that are no text ---

// As PowerShell's `>' and old editors write it: each letter with a zero byte.
std::string utf16(std::string_view text, bool is_big_endian, std::string_view mark) {
  std::string wide(mark);
  for (char c : text) wide += is_big_endian ? std::string{'\0', c} : std::string{c, '\0'};
  return wide;
}

TEST(ConfDocument, Utf16IsNamedOnceAndNothingOfItIsShown) {
  const std::string text =
      "[Interface]\r\nPrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\r\n";
  for (const std::string& wide :
       {utf16(text, false, "\xff\xfe"), utf16(text, true, "\xfe\xff"), utf16(text, false, ""),
        utf16(text, true, ""), utf16(text, false, "\xff\xfe").substr(0, 61)}) {
    const ConfDocument doc = document(wide);
    ASSERT_EQ(doc.errors().size(), 1u);
    EXPECT_THAT(doc.errors()[0].message, HasSubstr("UTF-16"));
    EXPECT_THAT(doc.errors()[0].message, HasSubstr("iconv -f UTF-16"));
    EXPECT_EQ(doc.errors()[0].shown, "");
    EXPECT_TRUE(doc.sections().empty());
  }
}

TEST(ConfDocument, OfAFileThatIsNoTextNothingIsShown) {
  using std::string_literals::operator""s;
  for (const std::string& text :
       {"[Interface]\nPrivateKey = y\0A\0n\0z\0\n"s, "\x1f\x8b\x08\0\0abc = d\n"s,
        "[Interface]\nPrivate\0Key = yAnz5\nx\n"s}) {
    const ConfDocument doc = document(text);
    ASSERT_EQ(doc.errors().size(), 1u) << text;
    EXPECT_EQ(doc.errors()[0].shown, "");
  }
}

TEST(ConfDocument, SpacesThatAreNoneAreNamed) {
  for (const char* line : {"Address\xc2\xa0= 10.0.0.1/24", "Address = 10.0.0.1/24\xe2\x80\x8b",
                           "\xe3\x80\x80", "Address = 10.0.0.1,\xa0", "\xef\xbb\xbf[Peer]"}) {
    const ConfDocument doc = document(std::string("[Interface]\n") + line + "\n");
    ASSERT_EQ(doc.errors().size(), 1u) << line;
    EXPECT_THAT(doc.errors()[0].message, HasSubstr("looks like a space")) << line;
    EXPECT_EQ(doc.errors()[0].line, 2u);
  }
  const ConfDocument fine =
      document("[Interface]\n# a\xc2\xa0 comment\nPostUp = echo a\xc2\xa0z\n");
  EXPECT_TRUE(fine.errors().empty());
}

TEST(ConfDocument, CommentsOfOtherFilesAreNamed) {
  for (const char* line : {"; mine", ";MTU = 1400", "// mine"}) {
    const ConfDocument doc = document(std::string("[Interface]\n") + line + "\n");
    ASSERT_EQ(doc.errors().size(), 1u) << line;
    EXPECT_THAT(doc.errors()[0].message, HasSubstr("begins no comment")) << line;
  }
}

TEST(ConfDocument, LinesThatEndWithCarriageReturnsAloneAreNamed) {
  const ConfDocument doc = document("[Interface]\rListenPort = 1\r[Peer]\r");
  ASSERT_EQ(doc.errors().size(), 1u);
  EXPECT_THAT(doc.errors()[0].message, HasSubstr("carriage return"));
}

// --- How errors look ---

TEST(ConfError, ShowsTheLineAndThePlace) {
  const ConfDocument doc = document("[Peer]\nwrong\n");
  EXPECT_EQ(doc.errors().at(0).to_string(),
            "wg0.conf:2:1: expected `key = value', or a section like [Peer]\n"
            "    wrong\n"
            "    ^~~~~\n");
}

TEST(ConfError, ShowsTheNeighbourhoodInALongLine) {
  const std::string line = std::string(1000, ' ') + "wrong" + std::string(1000, ' ');
  const std::string text = document("[Peer]\n" + line + "\n").errors().at(0).to_string();
  EXPECT_THAT(text, HasSubstr("wg0.conf:2:1001: "));
  EXPECT_THAT(text, HasSubstr("wrong"));
  EXPECT_LT(text.size(), 400u);
}

TEST(ConfError, ATabDoesNotMoveThePlace) {
  EXPECT_THAT(document("[Peer]\n\twrong\n").errors().at(0).to_string(),
              HasSubstr("\n     wrong\n     ^~~~~\n"));
}

TEST(ConfError, WhatMayBeAKeyIsNeverShown) {
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  for (const std::string& text : {key, "[Peer]\n" + key, key + "\n[Peer]", "x " + key + " y"}) {
    const ConfDocument doc = document(text);
    for (const ConfError& error : doc.errors()) {
      EXPECT_THAT(error.to_string(), Not(HasSubstr("yAnz5TF"))) << text;
    }
  }
}

TEST(ConfError, AKeyInPiecesIsNotShownEither) {
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  std::string spaced;
  std::string dotted;
  for (char c : key) {
    spaced += std::string{c, ' '};
    dotted += std::string{c, '\xc2', '\xb7'};
  }
  const std::string halves = key.substr(0, 15) + " " + key.substr(15, 15) + " " + key.substr(30);
  for (const std::string& text :
       {spaced, dotted, halves, "Privat " + spaced, "Key: " + halves, "Key " + halves}) {
    const ConfDocument doc = document("[Peer]\n" + text);
    for (const ConfError& error : doc.errors()) {
      for (std::string_view part : {"yAnz5", "y A n", "3fBmk", "k =", "y\xc2\xb7"}) {
        EXPECT_THAT(error.to_string(), Not(HasSubstr(std::string(part)))) << text;
      }
    }
  }
}

TEST(ConfError, ALineWithASecretIsShownWithoutIt) {
  const ConfDocument doc = document("[Interface]\nPrivateKey = short one # x\n");
  EXPECT_EQ(doc.error_at(1, doc.line(1).substr(0, 10), "x").shown, "PrivateKey =**************");
}

TEST(ConfError, WhatATerminalWouldActOnIsNotShown) {
  const std::string text =
      document("[Peer]\nw\x1b[2Jrong \xe2\x80\xae\n").errors().at(0).to_string();
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\xe2\x80\xae")));
}

TEST(HiddenKeys, AKeyInACommandIsHiddenAndThePathsAreNot) {
  const std::string key = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
  const std::string stars(key.size(), '*');
  const std::string path = "/usr/local/lib/wireguard/hooks/of/this/machine/that/are/many/up";
  const std::string hex(64, 'a');
  EXPECT_EQ(command_without_keys("wg set wg0 private-key <(echo " + key + ") peer x"),
            "wg set wg0 private-key <(echo " + stars + ") peer x");
  EXPECT_EQ(command_without_keys("K=" + key + path), "K=" + stars + path);
  EXPECT_EQ(command_without_keys("echo '" + key.substr(0, 43) + "'"),
            "echo '" + stars.substr(0, 43) + "'");
  EXPECT_EQ(command_without_keys("x=" + hex), "x=" + std::string(64, '*'));
  EXPECT_EQ(command_without_keys(path + " && iptables -A FORWARD -i wg0 -j ACCEPT"),
            path + " && iptables -A FORWARD -i wg0 -j ACCEPT");
}

}  // namespace
}  // namespace ferrule::control
