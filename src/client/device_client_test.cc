#include "client/device_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <map>

namespace ferrule::client {
namespace {

using testing::ElementsAre;

// Devices by name, each with its port; or an error for all.
class Fixed final : public DeviceClient {
 public:
  explicit Fixed(std::map<std::string, std::uint16_t> ports, int error = 0)
      : ports_(std::move(ports)), error_(error) {}

  Result<std::vector<std::string>> list() override {
    std::vector<std::string> names;
    for (const auto& [name, port] : ports_) names.push_back(name);
    return names;
  }
  Result<control::DeviceStatus> get(const std::string& name) override {
    if (error_ != 0) return std::unexpected(system_error(error_, name));
    if (!ports_.contains(name)) return std::unexpected(system_error(ENODEV, name));
    control::DeviceStatus status;
    status.listen_port = ports_[name];
    return status;
  }
  Result<void> set(const std::string& name, const protocol::DeviceChange&) override {
    if (!ports_.contains(name)) return std::unexpected(system_error(ENODEV, name));
    return {};
  }
  Result<control::DeviceStats> stats(const std::string& name) override {
    return std::unexpected(system_error(ENODEV, name));
  }

 private:
  std::map<std::string, std::uint16_t> ports_;
  int error_;
};

TEST(AnyDeviceClient, KnowsDaemonsAndTheKernels) {
  const auto client = make_any_client(
      std::make_unique<Fixed>(std::map<std::string, std::uint16_t>{{"wg0", std::uint16_t{1}}}),
      std::make_unique<Fixed>(std::map<std::string, std::uint16_t>{{"wg1", std::uint16_t{2}}}));
  EXPECT_THAT(*client->list(), ElementsAre("wg1", "wg0"));
  EXPECT_EQ(client->get("wg0")->listen_port, 1);
  EXPECT_EQ(client->get("wg1")->listen_port, 2);
  EXPECT_TRUE(client->set("wg1", {}));
  EXPECT_EQ(client->get("wg2").error().code, ENODEV);
}

TEST(AnyDeviceClient, ADaemonThatRefusesIsNotPassedOver) {
  const auto client = make_any_client(
      std::make_unique<Fixed>(std::map<std::string, std::uint16_t>{}, EACCES),
      std::make_unique<Fixed>(std::map<std::string, std::uint16_t>{{"wg0", std::uint16_t{2}}}));
  EXPECT_EQ(client->get("wg0").error().code, EACCES);
}

}  // namespace
}  // namespace ferrule::client
