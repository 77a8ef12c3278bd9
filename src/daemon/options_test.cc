#include "daemon/options.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace ferrule::daemon {
namespace {

class OptionsTest : public testing::Test {
 protected:
  void TearDown() override {
    for (const std::string& name : set_) ::unsetenv(name.c_str());
  }

  void set(const std::string& name, const std::string& value) {
    ::setenv(name.c_str(), value.c_str(), 1);
    set_.push_back(name);
  }

  static std::variant<Options, Exit> read(std::vector<const char*> words) {
    words.insert(words.begin(), "ferruled");
    return read_options(static_cast<int>(words.size()), words.data());
  }
  static Options good(const std::vector<const char*>& words) {
    const auto read_words = read(words);
    const Options* options = std::get_if<Options>(&read_words);
    EXPECT_NE(options, nullptr);
    return options == nullptr ? Options{} : *options;
  }
  // The status with which the program ends; -1 when it goes on.
  static int status(const std::vector<const char*>& words) {
    const auto read_words = read(words);
    const Exit* exit = std::get_if<Exit>(&read_words);
    return exit == nullptr ? -1 : exit->status;
  }

 private:
  std::vector<std::string> set_;
};

TEST_F(OptionsTest, AnInterfaceIsEnough) {
  const Options options = good({"wg0"});
  EXPECT_EQ(options.interface, "wg0");
  EXPECT_FALSE(options.foreground);
  EXPECT_TRUE(options.offload);
  EXPECT_EQ(options.lanes, 0u);
  EXPECT_EQ(options.log_level, LogLevel::error);
  EXPECT_FALSE(options.tun_fd || options.uapi_fd || options.tun_name_file);
}

TEST_F(OptionsTest, WordsAreTaken) {
  const Options options = good({"-f", "--no-offload", "--lanes", "3", "wg0"});
  EXPECT_TRUE(options.foreground);
  EXPECT_FALSE(options.offload);
  EXPECT_EQ(options.lanes, 3u);
}

TEST_F(OptionsTest, P75d_APlaceMayBeNamed) {
  const Options options =
      good({"--bind", "192.0.2.1, 2001:db8::1", "--bind-interface=eth1", "wg0"});
  EXPECT_EQ(options.place.addresses.v4, IpAddress::parse("192.0.2.1"));
  EXPECT_EQ(options.place.addresses.v6, IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(options.place.interface, "eth1");
  EXPECT_TRUE(good({"wg0"}).place.is_anywhere());
  EXPECT_EQ(status({"--bind", "everywhere", "wg0"}), 1);
  EXPECT_EQ(status({"--bind-interface", "a/b", "wg0"}), 1);
}

TEST_F(OptionsTest, TheForegroundMayBeAskedForByTheEnvironment) {
  set("WG_PROCESS_FOREGROUND", "1");
  EXPECT_TRUE(good({"wg0"}).foreground);
}

TEST_F(OptionsTest, OtherValuesDoNotAskForTheForeground) {
  set("WG_PROCESS_FOREGROUND", "0");
  EXPECT_FALSE(good({"wg0"}).foreground);
}

TEST_F(OptionsTest, LogLevelsHaveWireguardGosNames) {
  for (const auto& [name, level] : {std::pair{"verbose", LogLevel::verbose},
                                    {"debug", LogLevel::verbose},
                                    {"error", LogLevel::error},
                                    {"silent", LogLevel::silent},
                                    {"nonsense", LogLevel::error}}) {
    set("LOG_LEVEL", name);
    EXPECT_EQ(good({"wg0"}).log_level, level) << name;
  }
}

TEST_F(OptionsTest, DescriptorsAreNumbers) {
  set("WG_TUN_FD", "5");
  set("WG_UAPI_FD", "6");
  const Options options = good({"wg0"});
  EXPECT_EQ(options.tun_fd, 5);
  EXPECT_EQ(options.uapi_fd, 6);
}

TEST_F(OptionsTest, WhatIsNoDescriptorIsRefused) {
  for (const char* text : {"-1", "five", "5x", " 5", "99999999999"}) {
    set("WG_TUN_FD", text);
    EXPECT_EQ(status({"wg0"}), 1) << text;
  }
}

TEST_F(OptionsTest, AnMtuIsANumberThatIpCanHave) {
  set("WG_TUN_MTU", "1380");
  EXPECT_EQ(good({"wg0"}).tun_mtu_bytes, 1380u);
  for (const char* text : {"67", "65536", "-1", "1420 ", "much"}) {
    set("WG_TUN_MTU", text);
    EXPECT_EQ(status({"wg0"}), 1) << text;
  }
}

TEST_F(OptionsTest, AnEmptyVariableIsNone) {
  set("WG_TUN_FD", "");
  EXPECT_FALSE(good({"wg0"}).tun_fd);
}

TEST_F(OptionsTest, HelpAndVersionEndWell) {
  EXPECT_EQ(status({"--help"}), 0);
  EXPECT_EQ(status({"--version"}), 0);
}

TEST_F(OptionsTest, WrongUseEndsBadly) {
  EXPECT_EQ(status({}), 1);
  EXPECT_EQ(status({"--nonsense", "wg0"}), 1);
  EXPECT_EQ(status({"wg0", "wg1"}), 1);
  EXPECT_EQ(status({"--lanes", "0", "wg0"}), 1);
}

TEST_F(OptionsTest, NamesThatNoInterfaceCanHaveAreRefused) {
  for (const char* name : {"", ".", "..", "a/b", "a b", "a:b", "sixteen-letters-"}) {
    EXPECT_EQ(status({name}), 1) << name;
  }
  EXPECT_EQ(status({"fifteen-letters"}), -1);
}

}  // namespace
}  // namespace ferrule::daemon
