#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "ferrule.h"

namespace ferrule::ffi {
namespace {

constexpr std::string_view kFile =
    "[Interface]\n"
    "PrivateKey = yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk=\n"
    "Address = 10.0.0.2/24, fd00::2/64\n"
    "DNS = 10.0.0.1, example.org\n"
    "MTU = 1380\n"
    "[Peer]\n"
    "PublicKey = xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg=\n"
    "Endpoint = vpn.example.org:51820\n"
    "AllowedIPs = 0.0.0.0/0\n"
    "[Peer]\n"
    "PublicKey = TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0=\n"
    "Endpoint = [2001:db8::1]:77\n"
    "AllowedIPs = 10.0.0.3/32\n";

class Conf {
 public:
  explicit Conf(std::string_view text)
      : result_(ferrule_conf_read("wg0.conf", text.data(), text.size(), &conf_)) {}
  ~Conf() { ferrule_conf_free(conf_); }
  Conf(const Conf&) = delete;
  Conf& operator=(const Conf&) = delete;

  [[nodiscard]] std::int32_t result() const { return result_; }
  [[nodiscard]] std::string part(std::int32_t number) const {
    const std::int64_t length = ferrule_conf_text(conf_, number, nullptr, 0);
    if (length < 0) return "?";
    std::string text(static_cast<std::size_t>(length), ' ');
    EXPECT_EQ(ferrule_conf_text(conf_, number, text.data(), text.size()), length);
    return text;
  }
  [[nodiscard]] std::vector<ferrule_mistake> mistakes() const {
    std::vector<ferrule_mistake> all(1);
    for (;;) {
      all.back().size = sizeof all.back();
      const auto known = static_cast<std::size_t>(all.size() - 1);
      if (ferrule_conf_mistakes(conf_, known, &all.back(), 1) != 1) break;
      all.emplace_back();
    }
    all.pop_back();
    return all;
  }

 private:
  ferrule_conf* conf_ = nullptr;
  std::int32_t result_;
};

TEST(FfiConf, TellsTheInterfaceItsAddresses) {
  const Conf conf(kFile);
  ASSERT_EQ(conf.result(), FERRULE_OK);
  EXPECT_EQ(conf.part(FERRULE_CONF_ADDRESSES), "10.0.0.2/24\nfd00::2/64\n");
  EXPECT_EQ(conf.part(FERRULE_CONF_DNS), "10.0.0.1\n");
  EXPECT_EQ(conf.part(FERRULE_CONF_DNS_SEARCH), "example.org\n");
  EXPECT_EQ(conf.part(FERRULE_CONF_MTU), "1380");
  EXPECT_EQ(conf.part(6), "?");
  EXPECT_EQ(conf.part(-1), "?");
}

TEST(FfiConf, LeavesNamesToTheProgram) {
  const Conf conf(kFile);
  EXPECT_EQ(conf.part(FERRULE_CONF_NAMES),
            "c53201039adba14be71f886da1d8dbe9eebded08cb111b75340078999aa9f038"
            " vpn.example.org 51820\n");
  const std::string request = conf.part(FERRULE_CONF_REQUEST);
  EXPECT_EQ(request.find("vpn"), request.npos);
  EXPECT_NE(request.find("endpoint=[2001:db8::1]:77\n"), request.npos);
}

TEST(FfiConf, ItsRequestConfiguresATunnel) {
  const std::string request = Conf(kFile).part(FERRULE_CONF_REQUEST);
  ferrule_tunnel* tunnel = nullptr;
  ASSERT_EQ(ferrule_tunnel_new(nullptr, &tunnel), FERRULE_OK);
  ferrule_time time{};
  time.size = sizeof time;
  EXPECT_EQ(ferrule_configure(tunnel, &time, request.data(), request.size()), FERRULE_OK);
  ferrule_statistics statistics{};
  statistics.size = sizeof statistics;
  EXPECT_EQ(ferrule_get_statistics(tunnel, &statistics), FERRULE_OK);
  EXPECT_EQ(statistics.peers, 2u);
  ferrule_tunnel_free(tunnel);
}

TEST(FfiConf, AMistakeHasAPlace) {
  const Conf conf("[Interface]\nPrivateKey = x\n  Adress = 10.0.0.2\n");
  EXPECT_EQ(conf.result(), FERRULE_REFUSED);
  EXPECT_EQ(conf.part(FERRULE_CONF_REQUEST), "");
  const std::vector<ferrule_mistake> mistakes = conf.mistakes();
  ASSERT_EQ(mistakes.size(), 2u);
  EXPECT_EQ(mistakes[0].line, 2u);
  EXPECT_EQ(mistakes[1].line, 3u);
  EXPECT_EQ(mistakes[1].column, 3u);
  EXPECT_EQ(mistakes[1].length, 6u);
  EXPECT_EQ(mistakes[1].is_warning, 0);
  EXPECT_NE(std::string(mistakes[1].message).find("Address"), std::string::npos);
}

TEST(FfiConf, WrongArgumentsAreRefused) {
  ferrule_conf* conf = nullptr;
  EXPECT_EQ(ferrule_conf_read("", nullptr, 0, &conf), FERRULE_INVALID);
  EXPECT_EQ(ferrule_conf_read("", "", 0, nullptr), FERRULE_INVALID);
  EXPECT_EQ(ferrule_conf_text(nullptr, 0, nullptr, 0), FERRULE_INVALID);
  EXPECT_EQ(ferrule_conf_mistakes(nullptr, 0, nullptr, 0), FERRULE_INVALID);
  ferrule_conf_free(nullptr);
}

}  // namespace
}  // namespace ferrule::ffi
