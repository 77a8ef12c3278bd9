#include "service/uapi_place.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace ferrule::service {
namespace {

class UapiPlace : public testing::Test {
 protected:
  UapiPlace() {
    std::array<char, 32> name{"/tmp/ferrule-uapi-XXXXXX"};
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    directory = name.data();
  }
  ~UapiPlace() override { std::filesystem::remove_all(directory); }

  std::string directory;
};

TEST_F(UapiPlace, P100_IsNamedByTheInterface) {
  EXPECT_EQ(uapi_socket_path("wg0"), "/var/run/wireguard/wg0.sock");
  const auto listener = listen_for_uapi("wg0", directory);
  ASSERT_TRUE(listener);
  EXPECT_TRUE(std::filesystem::is_socket(directory + "/wg0.sock"));
}

TEST_F(UapiPlace, ItsFolderIsMadeWhereItIsMissing) {
  EXPECT_TRUE(listen_for_uapi("wg0", directory + "/new"));
}

TEST_F(UapiPlace, P103_ASecondDaemonIsToldOfTheFirst) {
  const auto first = listen_for_uapi("wg0", directory);
  const auto second = listen_for_uapi("wg0", directory);
  ASSERT_FALSE(second);
  EXPECT_TRUE(second.error().is(std::errc::address_in_use));
  EXPECT_EQ(second.error().what, "wg0 is already running: " + directory + "/wg0.sock answers");
  EXPECT_TRUE(listen_for_uapi("wg1", directory));
}

}  // namespace
}  // namespace ferrule::service
