// WireGuard devices of this machine, whoever runs them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "control/uapi_client.h"
#include "protocol/configuration.h"

namespace ferrule::client {

/// Asks and configures devices by name. Errors have the errno that says why; ENODEV is "there is no
/// such device". Not thread-safe.
class DeviceClient {
 public:
  virtual ~DeviceClient() = default;
  /// The names of all devices, in the order in which they are found.
  [[nodiscard]] virtual Result<std::vector<std::string>> list() = 0;
  [[nodiscard]] virtual Result<control::DeviceStatus> get(const std::string& name) = 0;
  [[nodiscard]] virtual Result<void> set(const std::string& name,
                                         const protocol::DeviceChange& change) = 0;
  /// What the device counts (drops by reason, work by lane, messages by peer); an Error from one that
  /// does not tell.
  [[nodiscard]] virtual Result<control::DeviceStats> stats(const std::string& name) = 0;
  /// What was set of it that stock WireGuard does not know; an Error from one that does not tell.
  [[nodiscard]] virtual Result<control::DeviceSettings> settings(const std::string& name);
};

/// Devices of daemons with a socket `<folder>/<name>.sock`. The socket of a daemon that has died is
/// removed when it is come upon, as wg does.
[[nodiscard]] std::unique_ptr<DeviceClient> make_uapi_client(
    std::string folder = "/var/run/wireguard");

/// Links of the kind "wireguard" in this network namespace, by generic netlink.
[[nodiscard]] std::unique_ptr<DeviceClient> make_kernel_client();

/// Devices of `daemons`, and those of `kernel` that no daemon has the name of.
[[nodiscard]] std::unique_ptr<DeviceClient> make_any_client(std::unique_ptr<DeviceClient> daemons,
                                                            std::unique_ptr<DeviceClient> kernel);
/// All devices of this machine.
[[nodiscard]] std::unique_ptr<DeviceClient> make_device_client();

}  // namespace ferrule::client
