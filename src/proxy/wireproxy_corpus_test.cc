// Files as people write them for wireproxy, after its documentation: what each of them offers.
#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "proxy/wireproxy_file.h"

namespace ferrule::proxy {
namespace {

struct Sample {
  const char* name;
  std::string_view text;
  std::string_view offers;  // a line each, in the order of summary()
};

std::optional<std::string> variable(const std::string& name) {
  if (name == "WG_KEY") return "uCTIK+56CPyCvwJxmU5dBfuyJvPuSXAq1FzHdnIxe1Q=";
  if (name == "PROXY_PASS") return "from the environment # all of it";
  return std::nullopt;
}

std::string summary(const WireproxyFile& file) {
  const ProxySettings& settings = file.settings;
  std::string text;
  if (!file.conf_path.empty()) text += "conf " + file.conf_path + '\n';
  const auto offers = [&](const char* what, const std::vector<Offer>& all) {
    for (const Offer& offer : all) {
      text += what + (' ' + offer.at.at.to_string());
      for (const ProxyUser& user : offer.users) text += ' ' + user.name + '/' + user.secret;
      text += '\n';
    }
  };
  const auto forwards = [&](const char* what, const std::vector<Forward>& all) {
    for (const Forward& forward : all) {
      text += what + (' ' + forward.from.at.to_string()) + " > " + forward.to.to_string() +
              (forward.is_udp ? "/udp\n" : "\n");
    }
  };
  offers("socks", settings.socks);
  offers("http", settings.http);
  forwards("local", settings.local);
  forwards("remote", settings.remote);
  if (settings.stdio) text += "stdio " + settings.stdio->to_string() + '\n';
  if (settings.prefers_v4) text += *settings.prefers_v4 ? "ipv4\n" : "ipv6\n";
  return text;
}

constexpr Sample kSamples[] = {
    {"the shortest",
     "WGConfig = /etc/wireguard/wg0.conf\n[Socks5]\nBindAddress = 127.0.0.1:25344\n",
     "conf /etc/wireguard/wg0.conf\nsocks 127.0.0.1:25344\n"},
    {"no space around signs", "WGConfig=wg0.conf\n[Socks5]\nBindAddress=127.0.0.1:25344\n",
     "conf wg0.conf\nsocks 127.0.0.1:25344\n"},
    {"from Windows", "WGConfig = C.conf\r\n\r\n[http]\r\nBindAddress = 127.0.0.1:25345\r\n",
     "conf C.conf\nhttp 127.0.0.1:25345\n"},
    {"with a byte order mark", "\xef\xbb\xbfWGConfig = a.conf\n[http]\nBindAddress = 127.0.0.1:1\n",
     "conf a.conf\nhttp 127.0.0.1:1\n"},
    {"names in any case",
     "wgconfig = a.conf\n[SOCKS5]\nbindaddress = 127.0.0.1:1\n"
     "[HTTP]\nBINDADDRESS = 127.0.0.1:2\n[tcpclienttunnel]\n"
     "bindAddress = 127.0.0.1:3\ntarget = a:4\n",
     "conf a.conf\nsocks 127.0.0.1:1\nhttp 127.0.0.1:2\nlocal 127.0.0.1:3 > a:4\n"},
    {"no line break at the end", "WGConfig = a.conf\n[Socks5]\nBindAddress = 127.0.0.1:1",
     "conf a.conf\nsocks 127.0.0.1:1\n"},
    {"all in one file",
     "[Interface]\nAddress = 10.200.200.2/32 # one address\nMTU = 1420\nPrivateKey = $WG_KEY\n"
     "DNS = 10.200.200.1\n\n[Peer]\nPublicKey = QP+A67Z2UBrMgvNIdHv8gPel5URWNLS4B3ZQ2hQIZlg=\n"
     "# PresharedKey = none\nEndpoint = my.ddns.example.com:51820\nPersistentKeepalive = 25\n\n"
     "[TCPClientTunnel]\nBindAddress = 127.0.0.1:25565\nTarget = play.example.net:25565\n",
     "local 127.0.0.1:25565 > play.example.net:25565\n"},
    {"a server inside",
     "WGConfig = a.conf\n[TCPServerTunnel]\nListenPort = 3422\n"
     "Target = localhost:25545\n",
     "conf a.conf\nremote [::]:3422 > 127.0.0.1:25545\n"},
    {"three servers",
     "[Interface]\nAddress = 10.254.254.40/32\nPrivateKey = $WG_KEY\n[Peer]\n"
     "Endpoint = 192.168.0.204:51820\nPublicKey = k\nAllowedIPs = 10.254.254.100/32\n[Peer]\n"
     "PublicKey = l\nAllowedIPs = 10.254.254.1/32, fdee:1337:c000:d00d::1/128\n"
     "[TCPServerTunnel]\nListenPort = 5000\nTarget = service-one.servicenet:5000\n"
     "[TCPServerTunnel]\nListenPort = 5001\nTarget = service-two.servicenet:5001\n"
     "[TCPServerTunnel]\nListenPort = 5080\nTarget = service-three.servicenet:80\n",
     "remote [::]:5000 > service-one.servicenet:5000\n"
     "remote [::]:5001 > service-two.servicenet:5001\n"
     "remote [::]:5080 > service-three.servicenet:80\n"},
    {"for ssh", "WGConfig = a.conf\n[STDIOTunnel]\nTarget = ssh.myserver.net:22\n",
     "conf a.conf\nstdio ssh.myserver.net:22\n"},
    {"for ssh, to an address", "WGConfig = a.conf\n[STDIOTunnel]\nTarget = [fd00::22]:22\n",
     "conf a.conf\nstdio [fd00::22]:22\n"},
    {"with a password",
     "WGConfig = a.conf\n[Socks5]\nBindAddress = 0.0.0.0:1080\n"
     "Username = ada\nPassword = love!lace=1\n",
     "conf a.conf\nsocks 0.0.0.0:1080 ada/love!lace=1\n"},
    {"with passwords in comments",
     "WGConfig = a.conf\n[Socks5]\nBindAddress = 127.0.0.1:1\n"
     "#Username = ...\n;Password = ...\n",
     "conf a.conf\nsocks 127.0.0.1:1\n"},
    {"a password with signs of comments in it",
     "WGConfig = a.conf\n[http]\nBindAddress = 127.0.0.1:1\nUsername = a\nPassword = x#y;z ; no\n",
     "conf a.conf\nhttp 127.0.0.1:1 a/x#y;z\n"},
    {"a password in quotes",
     "WGConfig = a.conf\n[http]\nBindAddress = 127.0.0.1:1\nUsername = a\n"
     "Password = \"two words # three\" ; no\n",
     "conf a.conf\nhttp 127.0.0.1:1 a/two words # three\n"},
    {"a password from the environment",
     "WGConfig = a.conf\n[http]\nBindAddress = 127.0.0.1:1\nUsername = a\nPassword = $PROXY_PASS\n",
     "conf a.conf\nhttp 127.0.0.1:1 a/from the environment # all of it\n"},
    {"a password that begins with a dollar",
     "WGConfig = a.conf\n[http]\nBindAddress = 127.0.0.1:1\nUsername = a\nPassword = $$100\n",
     "conf a.conf\nhttp 127.0.0.1:1 a/$100\n"},
    {"users of their own for each",
     "WGConfig = a.conf\n[Socks5]\nBindAddress = 127.0.0.1:1\nUsername = a\nPassword = b\n"
     "[Socks5]\nBindAddress = 127.0.0.1:2\n[http]\nBindAddress = 127.0.0.1:3\nUsername = c\n"
     "Password = d\n",
     "conf a.conf\nsocks 127.0.0.1:1 a/b\nsocks 127.0.0.1:2\nhttp 127.0.0.1:3 c/d\n"},
    {"at all addresses",
     "WGConfig = a.conf\n[Socks5]\nBindAddress = :1080\n[http]\n"
     "BindAddress = [::]:8080\n",
     "conf a.conf\nsocks [::]:1080\nhttp [::]:8080\n"},
    {"at localhost", "WGConfig = a.conf\n[Socks5]\nBindAddress = localhost:1080\n",
     "conf a.conf\nsocks 127.0.0.1:1080\n"},
    {"datagrams",
     "WGConfig = a.conf\n[UDPProxyTunnel]\nBindAddress = 127.0.0.1:5353\n"
     "Target = 192.168.2.1:53\nInactivityTimeout = 60\n[TCPClientTunnel]\n"
     "BindAddress = 127.0.0.1:5353\nTarget = 192.168.2.1:53\n",
     "conf a.conf\nlocal 127.0.0.1:5353 > 192.168.2.1:53/udp\n"
     "local 127.0.0.1:5353 > 192.168.2.1:53\n"},
    {"with health checks",
     "[Interface]\nAddress = 10.0.0.2/32\nPrivateKey = $WG_KEY\n"
     "CheckAlive = 1.1.1.1, 3.3.3.3\nCheckAliveInterval = 3\n"
     "[Peer]\nPublicKey = k\n[Socks5]\nBindAddress = 127.0.0.1:1\n",
     "socks 127.0.0.1:1\n"},
    {"with a strategy",
     "WGConfig = a.conf\n[Resolve]\nResolveStrategy = ipv4\n"
     "[Socks5]\nBindAddress = 127.0.0.1:1\n",
     "conf a.conf\nsocks 127.0.0.1:1\nipv4\n"},
    {"what peers connect to",
     "[Interface]\nListenPort = 5400\nAddress = 10.0.0.2/32, fd00::2/128\nPrivateKey = $WG_KEY\n"
     "[Peer]\nPublicKey = k\nAllowedIPs = 10.254.254.100/32\n# no Endpoint\n"
     "[TCPServerTunnel]\nListenPort = 22\nTarget = 127.0.0.1:22\n[Resolve]\nResolveStrategy = "
     "auto\n",
     "remote [::]:22 > 127.0.0.1:22\n"},
};
static_assert(std::size(kSamples) == 24);

TEST(WireproxyCorpus, EachFileIsKnownAndOffersWhatItSays) {
  for (const Sample& sample : kSamples) {
    SCOPED_TRACE(sample.name);
    EXPECT_TRUE(is_wireproxy_file(sample.text));
    const auto read = read_wireproxy_file("f", sample.text, variable);
    ASSERT_TRUE(read) << read.error().front().to_string();
    EXPECT_EQ(summary(*read), sample.offers);
  }
}

}  // namespace
}  // namespace ferrule::proxy
