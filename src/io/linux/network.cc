#include "io/linux/network.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "io/linux/route_attributes.h"

namespace ferrule::io {

std::string LinkAddress::to_string() const {
  return address.to_string() + '/' + std::to_string(prefix_length);
}

Result<Network> Network::open() {
  auto socket = NetlinkSocket::open();
  if (!socket) return std::unexpected(std::move(socket.error()));
  return Network(std::move(*socket));
}

Result<void> Network::change(NetlinkRequest& request, std::string_view attempted) {
  request.header->nlmsg_flags |= NLM_F_ACK;
  const auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(answer.error());
  return {};
}

Result<void> Network::add_link(const std::string& name, const std::string& kind) {
  const std::string attempted = "add interface " + name;
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return std::unexpected(system_error(EINVAL, attempted));
  }
  NetlinkRequest request(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
  request.extra<ifinfomsg>();
  request.put_text(IFLA_IFNAME, name.c_str());
  nlattr& info = request.begin_nest(IFLA_LINKINFO);
  request.put_text(IFLA_INFO_KIND, kind.c_str());
  request.end_nest(info);
  return change(request, attempted);
}

Result<void> Network::delete_link(std::uint32_t index) {
  NetlinkRequest request(RTM_DELLINK, 0);
  request.extra<ifinfomsg>().ifi_index = static_cast<int>(index);
  return change(request, "delete interface " + std::to_string(index));
}

Result<void> Network::set_up(std::uint32_t index, std::uint32_t mtu_bytes) {
  NetlinkRequest request(RTM_NEWLINK, 0);
  auto& link = request.extra<ifinfomsg>();
  link.ifi_index = static_cast<int>(index);
  link.ifi_flags = IFF_UP;
  link.ifi_change = IFF_UP;
  request.put_u32(IFLA_MTU, mtu_bytes);
  return change(request, "set MTU " + std::to_string(mtu_bytes) + " and bring up the interface");
}

Result<std::uint32_t> Network::link_mtu(std::uint32_t index) {
  NetlinkRequest request(RTM_GETLINK, 0);
  request.extra<ifinfomsg>().ifi_index = static_cast<int>(index);
  const std::string attempted = "read the MTU of interface " + std::to_string(index);
  const auto answer = socket_.request(*request.header, attempted);
  if (!answer) return std::unexpected(answer.error());
  std::uint32_t mtu = 0;
  for_each_attribute(**answer, sizeof(ifinfomsg), [&](const nlattr& attribute) {
    if (type_of(attribute) == IFLA_MTU) mtu = u32_of(attribute);
  });
  return mtu;
}

Result<std::vector<LinkAddress>> Network::addresses(std::uint32_t index) {
  std::vector<LinkAddress> found;
  for (const std::uint8_t family : kFamilies) {
    NetlinkRequest request(RTM_GETADDR, 0);
    request.extra<ifaddrmsg>().ifa_family = family;
    const auto read = [&](const nlmsghdr& message) {
      const auto* header = extra_of<ifaddrmsg>(message);
      if (header == nullptr || header->ifa_index != index) return;
      IpAddress address;
      IpAddress local;  // differs from the address where that is the other end's
      for_each_attribute(message, sizeof(ifaddrmsg), [&](const nlattr& attribute) {
        if (type_of(attribute) == IFA_ADDRESS) address = address_of(attribute);
        if (type_of(attribute) == IFA_LOCAL) local = address_of(attribute);
      });
      const IpAddress& own = local.bits() != 0 ? local : address;
      if (own.bits() != 0) found.push_back({own, header->ifa_prefixlen});
    };
    if (auto listed = socket_.list(*request.header, "list addresses", read); !listed) {
      return std::unexpected(std::move(listed.error()));
    }
  }
  return found;
}

Result<void> Network::change_address(std::uint16_t type, std::uint16_t flags, std::uint32_t index,
                                     const LinkAddress& address) {
  NetlinkRequest request(type, flags);
  auto& header = request.extra<ifaddrmsg>();
  header.ifa_family = family_of(address.address);
  header.ifa_prefixlen = static_cast<std::uint8_t>(address.prefix_length);
  header.ifa_index = index;
  const bool is_loopback =
      address.address.family() == Family::v4 && address.address.bytes()[0] == 127;
  header.ifa_scope = is_loopback ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  put_bytes(request, IFA_LOCAL, address.address.bytes());
  put_bytes(request, IFA_ADDRESS, address.address.bytes());
  const std::string verb = type == RTM_NEWADDR ? "add address " : "delete address ";
  return change(request, verb + address.to_string());
}

Result<void> Network::add_address(std::uint32_t index, const LinkAddress& address) {
  return change_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, index, address);
}

Result<void> Network::delete_address(std::uint32_t index, const LinkAddress& address) {
  return change_address(RTM_DELADDR, 0, index, address);
}

}  // namespace ferrule::io
