#include "io/linux/interface_monitor.h"

#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace ferrule::io {
namespace {

void add_link(NetworkChanges& changes, LinkChange change) {
  const auto same = std::ranges::find_if(changes.links, [&](const LinkChange& known) {
    return known.index == change.index && known.is_foreign == change.is_foreign;
  });
  if (same != changes.links.end()) {
    *same = std::move(change);
  } else if (changes.links.size() < kMaxLinkChanges) {
    changes.links.push_back(std::move(change));
  } else {
    changes.everything = true;
  }
}

void note_link(NetworkChanges& changes, const nlmsghdr& message, bool is_foreign) {
  const auto* info = extra_of<ifinfomsg>(message);
  if (info == nullptr || info->ifi_family != AF_UNSPEC) return;  // a bridge's news of its port
  LinkChange change;
  change.index = static_cast<std::uint32_t>(info->ifi_index);
  change.up = (info->ifi_flags & IFF_UP) != 0;
  change.deleted = message.nlmsg_type == RTM_DELLINK;
  change.is_foreign = is_foreign;
  for_each_attribute(message, sizeof(ifinfomsg), [&](const nlattr& attribute) {
    const auto type = type_of(attribute);
    if (type == IFLA_IFNAME) {
      if (const auto name = text_of(attribute)) change.name = *name;
    } else if (type == IFLA_MTU) {
      if (const auto mtu = number_of(attribute)) change.mtu = *mtu;
    }
  });
  add_link(changes, std::move(change));
}

void note(NetworkChanges& changes, const nlmsghdr& message, bool is_foreign) {
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      return note_link(changes, message, is_foreign);
    case RTM_NEWADDR:
    case RTM_DELADDR:
      changes.addresses = true;
      return;
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
      changes.routes = true;
      return;
    default:
      return;
  }
}

bool set_option(int fd, int level, int option, int value) noexcept {
  return ::setsockopt(fd, level, option, &value, sizeof value) == 0;
}

Result<NetlinkSocket> open_socket() {
  auto socket = NetlinkSocket::open();
  if (socket && !set_option(socket->fd(), SOL_SOCKET, SO_RCVBUFFORCE, kMonitorBufferBytes)) {
    (void)set_option(socket->fd(), SOL_SOCKET, SO_RCVBUF, kMonitorBufferBytes);
  }
  return socket;
}

}  // namespace

Result<InterfaceMonitor> InterfaceMonitor::open() {
  auto socket = open_socket();
  if (!socket) return std::unexpected(std::move(socket.error()));
  for (unsigned group : {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV4_ROUTE,
                         RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE}) {
    auto joined = socket->join(group);
    if (!joined) return std::unexpected(std::move(joined.error()));
  }
  return InterfaceMonitor(std::move(*socket));
}

Result<InterfaceMonitor> InterfaceMonitor::open_everywhere() {
  auto socket = open_socket();
  if (!socket) return std::unexpected(std::move(socket.error()));
  if (!set_option(socket->fd(), SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 1)) {
    return std::unexpected(system_error(errno, "listen to all network namespaces"));
  }
  return InterfaceMonitor(std::move(*socket));
}

Result<void> InterfaceMonitor::listen() { return socket_.join(RTNLGRP_LINK); }

NetworkChanges InterfaceMonitor::drain() {
  NetworkChanges changes;
  for (unsigned turn = 0; turn < kNetlinkReceivesPerDrain; ++turn) {
    auto received = socket_.receive();
    if (!received) {
      changes.everything = true;
      if (received.error().code == ENOBUFS) continue;
      break;
    }
    if (received->messages.empty()) break;
    std::span<const std::byte> messages = received->messages;
    while (const nlmsghdr* message = take_message(messages)) {
      note(changes, *message, received->is_foreign);
    }
  }
  return changes;
}

}  // namespace ferrule::io
