// One netlink socket: what the kernel knows about links, addresses and routes, and how to ask.
#pragma once

#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string_view>

#include "base/error.h"
#include "io/linux/fd.h"
#include "io/linux/limits.h"
#include "io/linux/netlink_message.h"

namespace ferrule::io {

/// A non-blocking socket with room for what it receives. Used by one thread at a time.
class NetlinkSocket {
 public:
  /// `protocol` as in netlink(7): NETLINK_ROUTE, NETLINK_GENERIC...
  [[nodiscard]] static Result<NetlinkSocket> open(int protocol = NETLINK_ROUTE);

  [[nodiscard]] int fd() const noexcept { return fd_.get(); }
  /// Subscribes to a multicast group (RTNLGRP_...).
  [[nodiscard]] Result<void> join(unsigned group);

  /// What one receive gave, from the kernel alone: empty when nothing is there. An Error of ENOBUFS
  /// means that messages were lost. Good until the next call.
  struct Received {
    std::span<const std::byte> messages;
    bool is_foreign = false;  // of another network namespace (NETLINK_LISTEN_ALL_NSID)
  };
  [[nodiscard]] Result<Received> receive();

  /// Sends a request and waits, at most kLookupTimeoutMs, for its answer: one message, or the
  /// acknowledgement where the request asks for one. What the kernel refuses is an Error that begins
  /// with `attempted` and ends with the kernel's own words, if it has any. Good until the next call.
  [[nodiscard]] Result<const nlmsghdr*> request(nlmsghdr& message, std::string_view attempted);

  /// Sends a request for a list and calls `visit` for each message of the answer. Errors as above. Behind
  /// `most` messages it is an Error of EOVERFLOW, and the socket is of no further use.
  [[nodiscard]] Result<void> list(nlmsghdr& message, std::string_view attempted,
                                  const std::function<void(const nlmsghdr&)>& visit,
                                  std::size_t most = SIZE_MAX);

 private:
  explicit NetlinkSocket(UniqueFd fd);
  Result<void> send(nlmsghdr& message, std::string_view attempted);
  // Waits, then receives; nothing in it where nothing came in time.
  Result<Received> await(std::string_view attempted);
  UniqueFd fd_;
  std::unique_ptr<std::byte[]> room_;
  std::uint32_t sequence_ = 0;
};

}  // namespace ferrule::io
