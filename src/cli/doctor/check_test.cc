#include "cli/doctor/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>
#include <string>

#include "cli/terminal/console_testing.h"

namespace ferrule::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string kKey = "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=";
const std::string kGood = "[Interface]\nPrivateKey = " + kKey + "\nListenPort = 51820\n";
const std::string kWarned = kGood + "[Peer]\nPublicKey = " + kKey + "\n";
const std::string kBad = "[Interface]\nPrivatKey = " + kKey + "\n[Peer]\nAllowdIPs = 10.0.0.1\n";

TEST(Check, AGoodFileIsSaidToBeGood) {
  const files::MemoryFile file(kGood);
  const Answer answer = ask({"check", "--offline", file.path()});
  EXPECT_EQ(answer.status, 0);
  EXPECT_EQ(answer.out, file.path() + ": nothing is wrong\n");
}

TEST(Check, AllMistakesAreShownWithPlaceLineAndWhatWasMeant) {
  const files::MemoryFile file(kBad);
  const Answer answer = ask({"check", "--offline", file.path()});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.out, HasSubstr(file.path() + ":2:1: error: PrivatKey is not a key of "
                                                  "[Interface]; did you mean PrivateKey?\n"));
  EXPECT_THAT(answer.out, HasSubstr(":4:1: error: AllowdIPs is not a key of [Peer]; did you mean "
                                    "AllowedIPs?\n    AllowdIPs = 10.0.0.1\n    ^~~~~~~~~\n"));
  EXPECT_THAT(answer.out, HasSubstr(": 3 errors, 0 warnings\n"));
  EXPECT_THAT(answer.out, Not(HasSubstr(kKey.substr(0, 10))));
}

TEST(Check, WarningsAreErrorsOnlyWhenStrict) {
  const files::MemoryFile file(kWarned);
  EXPECT_EQ(ask({"check", "--offline", file.path()}).status, 0);
  EXPECT_EQ(ask({"check", "--offline", "--strict", file.path()}).status, 1);
}

TEST(Check, TheOwnKeyIsThatOfTheFile) {
  const files::MemoryFile file(
      kGood + "[Peer]\nAllowedIPs = 10.0.0.2\nPublicKey = " + ask({"pubkey"}, kKey).out);
  EXPECT_THAT(ask({"check", "--offline", file.path()}).out,
              HasSubstr(":6:13: error: PublicKey: this is the key of this very interface"));
}

TEST(Check, ACommentThatDecidesIsNotWrittenWrongInSilence) {
  const files::MemoryFile file(kGood + "# KilSwitch = on\n# forwarding\n# Forword = on\n");
  const Answer answer = ask({"check", "--offline", file.path()});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.out,
              HasSubstr(":4:3: warning: this says nothing; did you mean `# KillSwitch'?"));
  EXPECT_THAT(answer.out, HasSubstr(":6:3: warning: this says nothing; did you mean `# Forward'?"));
  EXPECT_THAT(answer.out, HasSubstr("0 errors, 2 warnings"));
}

TEST(Check, ADateThatIsNoneIsAnErrorUnlessThePeerIsDisabled) {
  const std::string peer = "[Peer]\nPublicKey = " + kKey + "\nAllowedIPs = 10.0.0.2\n";
  const files::MemoryFile bad(kGood + peer + "# Expires = 31.1.2027\n");
  const Answer answer = ask({"check", "--offline", bad.path()});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.out, HasSubstr(":7:13: error: Expires: expected a date, like 2027-01-31\n"));
  const files::MemoryFile disabled(kGood + "#~ [Peer]\n#~ PublicKey = " + kKey +
                                   "\n#~ # Expires = x\n");
  const Answer warned = ask({"check", "--offline", disabled.path()});
  EXPECT_EQ(warned.status, 0);
  EXPECT_THAT(warned.out, HasSubstr(":6:16: warning: Expires: expected a date"));
}

TEST(Check, ADateThatIsNoPeersIsAWarning) {
  const std::string peer = "[Peer]\nPublicKey = " + kKey + "\nAllowedIPs = 10.0.0.2\n";
  const files::MemoryFile file(kGood + peer + "\n# Expires = 2027-01-31\n");
  const Answer answer = ask({"check", "--offline", file.path()});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.out, HasSubstr(":8:1: warning: Expires: this is no peer's date"));
}

TEST(Check, AMistakeInADisabledPeerIsShownWhereItStands) {
  const files::MemoryFile file(kGood + "#~ [Peer]\n#~\n#~\tAllowdIPs = ::/0\n#~ PublicKey = " +
                               kKey + "\n#~ PresharedKey = x\n");
  const std::string out = ask({"check", "--offline", file.path()}).out;
  EXPECT_THAT(out, HasSubstr(":6:4: warning: AllowdIPs is not a key of [Peer]; did you mean "
                             "AllowedIPs?\n    #~ AllowdIPs = ::/0\n       ^~~~~~~~~\n"));
  EXPECT_THAT(out, HasSubstr(":8:19: warning: PresharedKey: expected a key: 44 characters of "
                             "base64\n    #~ PresharedKey = *\n                      ^\n"));
}

TEST(Check, AFileThatCannotBeReadIsAnErrorAndTheOthersAreChecked) {
  const files::MemoryFile file(kGood);
  const Answer answer = ask({"check", "--offline", "/does/not/exist", file.path()});
  EXPECT_EQ(answer.status, 1);
  EXPECT_THAT(answer.out, HasSubstr("error: /does/not/exist: No such file or directory\n"));
  EXPECT_THAT(answer.out, HasSubstr("nothing is wrong"));
}

TEST(Check, JsonHasEveryFinding) {
  const files::MemoryFile file(kBad);
  const Answer answer = ask({"check", "--json", "--offline", file.path(), "/does/not/exist"});
  EXPECT_EQ(answer.status, 1);
  const auto json = nlohmann::json::parse(answer.out);
  ASSERT_EQ(json.size(), 4u);
  EXPECT_EQ(json[0]["rule"], "syntax");
  EXPECT_EQ(json[0]["severity"], "error");
  EXPECT_EQ(json[0]["line"], 2);
  EXPECT_EQ(json[2]["column"], 1);
  EXPECT_EQ(json[3]["rule"], "unreadable");
}

TEST(Check, JsonOfNothingIsAnEmptyList) {
  const files::MemoryFile file(kGood);
  EXPECT_EQ(ask({"check", "--json", "--offline", file.path()}).out, "[]\n");
}

// Whoever reads a file shows its mistakes: none shows a key that stands there letter by letter.
TEST(Check, NoCommandShowsTheKeyOfAUtf16File) {
  std::string wide("\xff\xfe");
  for (char c : kGood) wide += std::string{c, '\0'};
  const ConfFolder folder("wg0");
  folder.write(wide);
  TestDevices devices;
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"check", "--offline", folder.conf_path()},
                                             {"check", "--json", "--offline", folder.conf_path()},
                                             {"setconf", "wg0", folder.conf_path()},
                                             {"strip", folder.conf_path()},
                                             {"peer", "list", folder.conf_path()}}) {
    const Answer answer = ask(devices, words);
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.out + answer.err, HasSubstr("UTF-16")) << words[0];
    std::string letters = answer.out + answer.err;
    std::erase_if(letters, [](char c) { return c == ' ' || c == '\0' || c == '?'; });
    EXPECT_THAT(letters, Not(HasSubstr("yAnz"))) << words[0];
  }
}

TEST(Check, AFileIsWanted) {
  const Answer answer = ask({"check"});
  EXPECT_EQ(answer.status, 2);
  EXPECT_THAT(answer.err, HasSubstr("FILE is required"));
}

}  // namespace
}  // namespace ferrule::cli
