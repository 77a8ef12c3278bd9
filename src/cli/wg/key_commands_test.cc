#include "cli/wg/key_commands.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/key_text.h"
#include "cli/program.h"
#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::StartsWith;
using std::string_literals::operator""s;

// From RFC 7748, section 6.1: Alice's keys.
const std::string kPrivateKey = "dwdtCnMYpX08FsFyUbJmRd9ML4frwJkqsXf7pR25LCo=";
const std::string kPublicKey = "hSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=";

const std::string kBadFormat = "ferrule: Key is not the correct length or format\n";
const std::string kTrailing = "ferrule: Trailing characters found after key\n";

Answer pubkey(const std::string& input) { return ask({"pubkey"}, input); }

TEST(GenKey, PrintsAClampedKey) {
  const Answer answer = ask({"genkey"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.err, "");
  ASSERT_EQ(answer.out.size(), kKeyBase64Size + 1);
  EXPECT_EQ(answer.out.back(), '\n');
  const auto key = secret_from_base64(answer.out.substr(0, kKeyBase64Size));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->data()[0] & 7, 0);
  EXPECT_EQ(key->data()[31] & 0xc0, 0x40);
}

TEST(GenKey, NeverPrintsTheSameKeyTwice) { EXPECT_NE(ask({"genkey"}).out, ask({"genkey"}).out); }

// Clamping clears the same five bits of every key: of twenty, some preshared key must have one set.
TEST(GenPsk, IsNotClamped) {
  bool any_bit = false;
  for (int i = 0; i < 20; ++i) {
    const auto key = secret_from_base64(ask({"genpsk"}).out.substr(0, kKeyBase64Size));
    ASSERT_TRUE(key);
    any_bit |= (key->data()[0] & 7) != 0;
  }
  EXPECT_TRUE(any_bit);
}

TEST(GenKey, TakesNoArguments) {
  const Answer answer = ask({"genkey", "more"});
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.out, "");
  EXPECT_EQ(answer.err, "Usage: ferrule genkey\n");
}

TEST(GenKey, WarnsOfAFileThatAnyoneMayRead) {
  const files::MemoryFile out;
  ASSERT_EQ(fchmod(out.fd(), 0644), 0);
  const files::MemoryFile err;
  Console console{"ferrule", 0, Output(out.fd()), Output(err.fd()), nullptr, 0};
  const std::string_view words[] = {"genkey"};
  EXPECT_EQ(run_program(console, words), 0);
  EXPECT_EQ(err.content(),
            "Warning: writing to world accessible file.\n"
            "Consider setting the umask to 077 and trying again.\n");
}

TEST(GenKey, AKeyThatCouldNotBeWrittenIsAnError) {
  const files::MemoryFile err;
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  ASSERT_GE(full, 0);
  Console console{"ferrule", 0, Output(full), Output(err.fd()), nullptr, 0};
  const std::string_view words[] = {"genkey"};
  EXPECT_EQ(run_program(console, words), 1);
  EXPECT_EQ(err.content(), "ferrule: cannot write: No space left on device\n");
  close(full);
}

TEST(PubKey, PrintsThePublicKey) {
  const Answer answer = pubkey(kPrivateKey);
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out, kPublicKey + "\n");
}

TEST(PubKey, WhiteSpaceAndZerosMayFollow) {
  EXPECT_EQ(pubkey(kPrivateKey + "\n").out, kPublicKey + "\n");
  EXPECT_EQ(pubkey(kPrivateKey + " \t\r\n\v\f\0\n"s).out, kPublicKey + "\n");
  EXPECT_EQ(pubkey(kPrivateKey + std::string(5000, '\n')).out, kPublicKey + "\n");
}

TEST(PubKey, AnythingElseBehindIsRefused) {
  for (const std::string& behind : {"x"s, "\n\nx"s, std::string(5000, ' ') + "x"}) {
    const Answer answer = pubkey(kPrivateKey + behind);
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(answer.err, kTrailing);
  }
}

TEST(PubKey, WhatIsNoKeyIsRefused) {
  const std::string unpadded = kPrivateKey.substr(0, 43);
  for (const std::string& bad :
       {""s, unpadded, " " + kPrivateKey.substr(0, 43), unpadded + "A", std::string(44, '='),
        kPrivateKey.substr(0, 42) + "p=", "!" + kPrivateKey.substr(1)}) {
    const Answer answer = pubkey(bad);
    EXPECT_EQ(answer.status, 1) << bad;
    EXPECT_EQ(answer.out, "");
    EXPECT_EQ(answer.err, kBadFormat) << bad;
  }
}

TEST(PubKey, TakesNoArguments) {
  const Answer answer = ask({"pubkey", "x"}, kPrivateKey);
  EXPECT_EQ(answer.status, 1);
  EXPECT_EQ(answer.err, "Usage: ferrule pubkey\n");
}

TEST(PubKey, NamesItselfAsItWasCalled) {
  EXPECT_THAT(ask({"pubkey"}, "", "/usr/bin/wg").err, StartsWith("/usr/bin/wg: Key is not"));
}

}  // namespace
}  // namespace ferrule::cli
