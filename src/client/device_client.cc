#include "client/device_client.h"

#include <cerrno>
#include <utility>

namespace ferrule::client {

namespace {

// A daemon where there is one, else the kernel: as wg looks.
class AnyDeviceClient final : public DeviceClient {
  template <class Question>
  auto ask(Question question) {
    auto answer = question(*daemons_);
    if (answer || answer.error().code != ENODEV) return answer;
    return question(*kernel_);
  }

 public:
  AnyDeviceClient(std::unique_ptr<DeviceClient> daemons, std::unique_ptr<DeviceClient> kernel)
      : daemons_(std::move(daemons)), kernel_(std::move(kernel)) {}

  Result<std::vector<std::string>> list() override {
    auto names = kernel_->list();
    auto daemons = daemons_->list();
    if (!daemons) return daemons;
    if (!names) return daemons;  // no netlink: then nothing of the kernel's can be asked either
    names->insert(names->end(), daemons->begin(), daemons->end());
    return names;
  }
  Result<control::DeviceStatus> get(const std::string& name) override {
    return ask([&](DeviceClient& client) { return client.get(name); });
  }
  Result<void> set(const std::string& name, const protocol::DeviceChange& change) override {
    return ask([&](DeviceClient& client) { return client.set(name, change); });
  }
  Result<control::DeviceStats> stats(const std::string& name) override {
    return ask([&](DeviceClient& client) { return client.stats(name); });
  }
  Result<control::DeviceSettings> settings(const std::string& name) override {
    return ask([&](DeviceClient& client) { return client.settings(name); });
  }

 private:
  std::unique_ptr<DeviceClient> daemons_;
  std::unique_ptr<DeviceClient> kernel_;
};

}  // namespace

Result<control::DeviceSettings> DeviceClient::settings(const std::string& name) {
  return std::unexpected(system_error(EOPNOTSUPP, "ask " + name + " for its settings"));
}

std::unique_ptr<DeviceClient> make_any_client(std::unique_ptr<DeviceClient> daemons,
                                              std::unique_ptr<DeviceClient> kernel) {
  return std::make_unique<AnyDeviceClient>(std::move(daemons), std::move(kernel));
}

std::unique_ptr<DeviceClient> make_device_client() {
  return make_any_client(make_uapi_client(), make_kernel_client());
}

}  // namespace ferrule::client
