#include "cli/quick/init.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>
#include <vector>

#include "cli/terminal/console_testing.h"
#include "files/input.h"

namespace ferrule::cli {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::StartsWith;

const std::string kKey = "ERERERERERERERERERERERERERERERERERERERERERE=";

class Init : public testing::Test {
 protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "ferrule_init_XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  [[nodiscard]] std::string path() const { return folder_ / "wireguard" / "wg0.conf"; }
  [[nodiscard]] std::string conf() const { return std::string(files::read_file(path())->view()); }
  Answer init(std::vector<std::string> words) const {
    words.insert(words.begin(), {"init", path()});
    return ask(words);
  }

  std::filesystem::path folder_;
};

TEST_F(Init, AServerListensAndKnowsWhatClientsNeed) {
  const Answer answer = init({"--server", "--address", "10.0.0.1/24", "--endpoint", "a.example"});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(conf(), MatchesRegex("\\[Interface\\]\n# Endpoint = a.example\nPrivateKey = .{44}\n"
                                   "ListenPort = 51[0-9]+\nAddress = 10.0.0.1/24\n"));
  EXPECT_THAT(answer.out, MatchesRegex(path() + "\npublic key: .{44}\nnext: `ferrule up " + path() +
                                       "', then `ferrule peer add .*\n"));
}

TEST_F(Init, AServerMayForward) {
  const Answer answer = init({"--server", "--forward", "--endpoint", "a.example"});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(conf(), HasSubstr("# Endpoint = a.example\n# Forward = on\nPrivateKey = "));
  EXPECT_THAT(answer.out, HasSubstr("--allowed-ips 0.0.0.0/0,::/0 --qr"));
  EXPECT_EQ(init({"--client", "--forward", "--force"}).status, 2);
}

TEST_F(Init, WithoutAddressesAServerHasNetworksOfItsOwn) {
  ASSERT_EQ(init({"--server"}).status, 0);
  EXPECT_THAT(conf(), HasSubstr("\nAddress = 10."));
  EXPECT_THAT(conf(), HasSubstr(".1/24, fd"));
  EXPECT_THAT(conf(), EndsWith("::1/64\n"));
  EXPECT_EQ(ask({"check", "--offline", "--strict", path()}).status, 0);
}

TEST_F(Init, AClientHasItsServerAsPeer) {
  const Answer answer = init({"--client", "--address", "10.0.0.2/32", "--endpoint", "a.example:1",
                              "--peer-key", kKey, "--dns", "10.0.0.1"});
  EXPECT_EQ(answer.status, 0) << answer.err;
  EXPECT_THAT(conf(),
              EndsWith("\nAddress = 10.0.0.2/32\nDNS = 10.0.0.1\n\n[Peer]\nPublicKey = " + kKey +
                       "\nAllowedIPs = 0.0.0.0/0, ::/0\nEndpoint = a.example:1\n"
                       "PersistentKeepalive = 25\n"));
  EXPECT_EQ(ask({"check", "--offline", "--strict", path()}).status, 0);
}

TEST_F(Init, WhatIsMissingIsNamed) {
  EXPECT_THAT(init({}).err, HasSubstr("Say --server or --client."));
  EXPECT_THAT(init({"--client", "--address", "10.0.0.2"}).err, HasSubstr("--peer-key is missing"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Init, WhatCannotBeReadAgainIsNotWritten) {
  EXPECT_THAT(init({"--server", "--address", "10.0.0.300"}).err,
              HasSubstr("--address: expected an address"));
  EXPECT_THAT(init({"--server", "--endpoint", "a\nPostUp = reboot"}).err, HasSubstr("line break"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Init, WhatCannotBeMeantIsRefused) {
  const auto server = [&](const std::string& option, const std::string& value) {
    return init({"--server", option, value}).err;
  };
  EXPECT_THAT(server("--endpoint", "http://a.example"), HasSubstr("--endpoint: `http://'"));
  EXPECT_THAT(server("--endpoint", "a b"), HasSubstr("--endpoint: `a b' is no name"));
  EXPECT_THAT(server("--endpoint", "a.example:99999"), HasSubstr("they end at 65535"));
  EXPECT_THAT(server("--endpoint", "0.0.0.0"), HasSubstr("means any address"));
  EXPECT_THAT(server("--port", "99999"), HasSubstr("--port: expected a port"));
  EXPECT_THAT(server("--port", "0"), HasSubstr("--port: expected a port"));
  EXPECT_THAT(server("--dns", "1.1.1.1/32"),
              HasSubstr("--dns: a name server has no prefix length"));
  EXPECT_THAT(server("--address", "10.79.0.1"), HasSubstr("10.79.0.1 leaves no room for clients"));
  EXPECT_THAT(server("--address", "10.79.0.1/24, fd00::1"), HasSubstr("like fd00::1/64"));
  EXPECT_THAT(server("--address", "10.79.0.1 255.255.255.0"), HasSubstr("is a netmask"));
  const auto client = [&](const std::string& endpoint) {
    return init({"--client", "--address", "10.0.0.2", "--peer-key", kKey, "--endpoint", endpoint})
        .err;
  };
  EXPECT_THAT(client("http://a.example:1"), HasSubstr("--endpoint: `http://'"));
  EXPECT_THAT(client("a.example"), HasSubstr("there is no port: a.example:51820"));
  EXPECT_THAT(client("a.example:0"), HasSubstr("port 0"));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(Init, FileAndFolderAreForTheirOwnerAlone) {
  ASSERT_EQ(init({"--server"}).status, 0);
  struct stat status;
  ASSERT_EQ(stat(path().c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  ASSERT_EQ(stat((folder_ / "wireguard").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0700u);
}

TEST_F(Init, AFileThatIsThereStaysUnlessForced) {
  ASSERT_EQ(init({"--server"}).status, 0);
  const std::string before = conf();
  EXPECT_THAT(init({"--server"}).err, HasSubstr("is there already"));
  EXPECT_EQ(conf(), before);
  const Answer answer = init({"--server", "--force"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_NE(conf(), before);
  EXPECT_EQ(answer.err, "What was there before is " + path() + ".bak now.\n");
  EXPECT_EQ(files::read_file(path() + ".bak")->view(), before);
  EXPECT_EQ(init({"--server", "--force"}).status, 0);
  EXPECT_EQ(files::read_file(path() + ".bak")->view(), before);
}

TEST_F(Init, ADashPrintsTheFile) {
  const Answer answer = ask({"init", "-", "--server"});
  EXPECT_EQ(answer.status, 0);
  EXPECT_THAT(answer.out, StartsWith("[Interface]\nPrivateKey = "));
  EXPECT_THAT(answer.err, StartsWith("public key: "));
}

TEST_F(Init, AMistakeInAnOptionIsOneInTheWords) {
  EXPECT_EQ(init({"--server", "--port", "0"}).status, 2);
  EXPECT_EQ(init({}).status, 2);
}

TEST_F(Init, AnInterfaceHasAName) {
  EXPECT_EQ(ask({"init", "a-name-that-is-too-long", "--server"}).status, 1);
}

}  // namespace
}  // namespace ferrule::cli
