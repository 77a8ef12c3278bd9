// The kernel's WireGuard by generic netlink: what is asked of a device, and what it answers
// (linux/wireguard.h).
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
#include "control/uapi_client.h"
#include "protocol/configuration.h"

namespace ferrule::client {

/// A message is at most this long; a change that needs more is several.
constexpr std::size_t kMaxKernelMessage = 16 * 1024;

/// Calls `send` for each message that the change takes, in order, until one fails. `family` is the
/// number that the kernel gave the family "wireguard". Messages hold keys: they are wiped once sent.
[[nodiscard]] Result<void> write_kernel_change(const std::string& device, std::uint16_t family,
                                               const protocol::DeviceChange& change,
                                               const std::function<Result<void>(nlmsghdr&)>& send);

/// Reads a device from the messages of one answer: allowed IPs of a peer may go on in the next one.
/// What is not understood is passed over.
class KernelAnswer {
 public:
  void take(const nlmsghdr& message);
  [[nodiscard]] control::DeviceStatus& device() noexcept { return device_; }

 private:
  void take_peer(const nlattr& peer);

  control::DeviceStatus device_;
};

}  // namespace ferrule::client
