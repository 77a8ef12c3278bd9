#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/rtnetlink.h>
#include <linux/wireguard.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <optional>

#include "base/secret.h"
#include "client/device_client.h"
#include "client/kernel/messages.h"
#include "io/linux/netlink.h"

namespace ferrule::client {

namespace {

constexpr std::string_view kKind = "wireguard";  // of the link, and of the netlink family

bool is_wireguard(const nlattr& link_info) {
  bool found = false;
  io::for_each_nested(link_info, [&](const nlattr& attribute) {
    found |=
        mnl_attr_get_type(&attribute) == IFLA_INFO_KIND && mnl_attr_get_str(&attribute) == kKind;
  });
  return found;
}

std::optional<std::string> wireguard_name(const nlmsghdr& link) {
  std::string name;
  bool is_ours = false;
  io::for_each_attribute(link, sizeof(ifinfomsg), [&](const nlattr& attribute) {
    const std::uint16_t type = mnl_attr_get_type(&attribute);
    if (type == IFLA_IFNAME) name = mnl_attr_get_str(&attribute);
    if (type == IFLA_LINKINFO) is_ours = is_wireguard(attribute);
  });
  if (!is_ours) return std::nullopt;
  return name;
}

// The kernel's number for the family; ENODEV where it has no WireGuard.
Result<std::uint16_t> find_family(io::NetlinkSocket& socket) {
  io::NetlinkRequest request(GENL_ID_CTRL, NLM_F_REQUEST);
  auto& command = request.extra<genlmsghdr>();
  command.cmd = CTRL_CMD_GETFAMILY;
  command.version = 1;
  mnl_attr_put_strz(request.header, CTRL_ATTR_FAMILY_NAME, kKind.data());
  const auto answer = socket.request(*request.header, "look for the kernel's WireGuard");
  std::uint16_t family = 0;
  if (answer) {
    io::for_each_attribute(**answer, sizeof(genlmsghdr), [&](const nlattr& attribute) {
      if (mnl_attr_get_type(&attribute) == CTRL_ATTR_FAMILY_ID) {
        family = mnl_attr_get_u16(&attribute);
      }
    });
  }
  if (family != 0) return family;
  return std::unexpected(system_error(ENODEV, "look for the kernel's WireGuard"));
}

class KernelDeviceClient final : public DeviceClient {
 public:
  Result<std::vector<std::string>> list() override;
  Result<control::DeviceStatus> get(const std::string& name) override;
  Result<void> set(const std::string& name, const protocol::DeviceChange& change) override;
  Result<control::DeviceStats> stats(const std::string& name) override {
    return std::unexpected(system_error(EOPNOTSUPP, "read counters of " + name));
  }

 private:
  struct Door {
    io::NetlinkSocket socket;
    std::uint16_t family;
  };
  static Result<Door> open(const std::string& name);
};

Result<KernelDeviceClient::Door> KernelDeviceClient::open(const std::string& name) {
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return std::unexpected(system_error(ENODEV, "find " + name));
  }
  auto socket = io::NetlinkSocket::open(NETLINK_GENERIC);
  if (!socket) return std::unexpected(socket.error());
  const auto family = find_family(*socket);
  if (!family) return std::unexpected(family.error());
  return Door{std::move(*socket), *family};
}

Result<std::vector<std::string>> KernelDeviceClient::list() {
  auto socket = io::NetlinkSocket::open();
  if (!socket) return std::unexpected(socket.error());
  io::NetlinkRequest request(RTM_GETLINK, NLM_F_REQUEST);
  request.extra<ifinfomsg>();
  std::vector<std::string> names;
  const auto listed = socket->list(*request.header, "list links", [&](const nlmsghdr& link) {
    if (auto name = wireguard_name(link)) names.push_back(std::move(*name));
  });
  if (!listed) return std::unexpected(listed.error());
  return names;
}

Result<control::DeviceStatus> KernelDeviceClient::get(const std::string& name) {
  auto door = open(name);
  if (!door) return std::unexpected(door.error());
  io::NetlinkRequest request(door->family, NLM_F_REQUEST);
  auto& command = request.extra<genlmsghdr>();
  command.cmd = WG_CMD_GET_DEVICE;
  command.version = WG_GENL_VERSION;
  mnl_attr_put_strz(request.header, WGDEVICE_A_IFNAME, name.c_str());
  KernelAnswer answer;
  const auto asked =
      door->socket.list(*request.header, "ask for " + name, [&](const nlmsghdr& message) {
        answer.take(message);
        // Keys were in it, and the room is the socket's.
        auto* bytes = reinterpret_cast<std::uint8_t*>(const_cast<nlmsghdr*>(&message));
        wipe(MutBytes(bytes, message.nlmsg_len).subspan(sizeof message));
      });
  if (!asked) return std::unexpected(asked.error());
  return std::move(answer.device());
}

Result<void> KernelDeviceClient::set(const std::string& name,
                                     const protocol::DeviceChange& change) {
  const bool binds = (change.bind && !change.bind->is_empty()) ||
                     (change.bind_interface && !change.bind_interface->empty());
  if (binds) {
    return std::unexpected(system_error(EOPNOTSUPP, "bind " + name + ", which the kernel runs"));
  }
  auto door = open(name);
  if (!door) return std::unexpected(door.error());
  return write_kernel_change(name, door->family, change, [&](nlmsghdr& message) -> Result<void> {
    const auto answer = door->socket.request(message, "configure " + name);
    if (!answer) return std::unexpected(answer.error());
    return {};
  });
}

}  // namespace

std::unique_ptr<DeviceClient> make_kernel_client() {
  return std::make_unique<KernelDeviceClient>();
}

}  // namespace ferrule::client
