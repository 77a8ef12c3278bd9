#include "proxy/wireproxy_file.h"

#include <gtest/gtest.h>

namespace ferrule::proxy {
namespace {

std::optional<std::string> variable(const std::string& name) {
  return name == "KEY" ? std::optional<std::string>("value") : std::nullopt;
}

WireproxyFile good(std::string_view text) {
  auto read = read_wireproxy_file("f", text, variable);
  EXPECT_TRUE(read) << read.error().front().to_string();
  return read ? std::move(*read) : WireproxyFile{};
}

std::string wrong(std::string_view text) {
  const auto read = read_wireproxy_file("f", text, variable);
  return read ? "" : read.error().front().to_string();
}

TEST(WireproxyFile, IsKnownByItsSections) {
  EXPECT_TRUE(is_wireproxy_file("WGConfig=x\n"));
  EXPECT_TRUE(is_wireproxy_file("# c\n[Interface]\nAddress = 1.2.3.4\n[socks5]\n"));
  EXPECT_FALSE(is_wireproxy_file("[Interface]\nPostUp = x [http]\n[Peer]\n"));
  EXPECT_FALSE(is_wireproxy_file(""));
}

TEST(WireproxyFile, OffersWhatItSays) {
  const WireproxyFile file = good(
      "WGConfig = /etc/wg.conf\n[Socks5]\nBindAddress = 127.0.0.1:1 ; here\nUsername = a\n"
      "Password = $KEY\n[Socks5]\nBindAddress = :2\n[TCPClientTunnel]\nBindAddress=127.0.0.1:3\n"
      "Target = x.example:4\n[TCPServerTunnel]\nListenPort = 5\nTarget = localhost:6\n"
      "[UDPProxyTunnel]\nBindAddress = 127.0.0.1:7\nTarget = 10.0.0.1:8\nInactivityTimeout = 9\n"
      "[STDIOTunnel]\nTarget = y:22\n[Resolve]\nResolveStrategy = ipv6\n[Unheard]\nOf = this\n");
  EXPECT_EQ(file.conf_path, "/etc/wg.conf");
  ASSERT_EQ(file.settings.socks.size(), 2u);
  EXPECT_EQ(file.settings.socks[0].users[0].secret, "value");
  EXPECT_TRUE(file.settings.socks[1].users.empty());
  ASSERT_EQ(file.settings.local.size(), 2u);
  EXPECT_TRUE(file.settings.local[1].is_udp);
  ASSERT_EQ(file.settings.remote.size(), 1u);
  EXPECT_EQ(file.settings.remote[0].to.to_string(), "127.0.0.1:6");
  EXPECT_EQ(file.settings.stdio->to_string(), "y:22");
  EXPECT_EQ(file.settings.prefers_v4, false);
}

TEST(WireproxyFile, WireguardsPartKeepsItsLines) {
  const WireproxyFile file = good(
      "[http]\nBindAddress = :1\n\n[Interface]\nPrivateKey = $KEY\nCheckAlive = 1.1.1.1\n; no\n"
      "[Peer]\nPublicKey = k\n");
  EXPECT_EQ(file.conf.view(), "\n\n\n[Interface]\nPrivateKey = value\n\n\n[Peer]\nPublicKey = k\n");
}

TEST(WireproxyFile, MistakesAreNamed) {
  EXPECT_TRUE(wrong("[Socks5]\nUsername = a\n").starts_with("f:1:1: "));
  EXPECT_TRUE(wrong("[http]\nBindAddress = nowhere\n").starts_with("f:2:1: BindAddress"));
  EXPECT_TRUE(wrong("[TCPClientTunnel]\nBindAddress = :1\n").find("Target") != std::string::npos);
  EXPECT_TRUE(wrong("[http]\nBindAddress = $NONE\n").find("NONE") != std::string::npos);
  EXPECT_TRUE(wrong("[http]\nnonsense\n").starts_with("f:2:1: "));
}

}  // namespace
}  // namespace ferrule::proxy
