// One netlink socket: what the kernel knows about links, addresses and routes, and how to ask.
#pragma once

#include <libmnl/libmnl.h>
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

/// Calls `visit(const nlattr&)` for each attribute behind an extra header of `offset` bytes. (libmnl's
/// own macro is no C++.)
template <class Visit>
void for_each_attribute(const nlmsghdr& message, std::size_t offset, Visit&& visit) {
  const auto* start = static_cast<const char*>(
      mnl_nlmsg_get_payload_offset(&message, static_cast<unsigned>(offset)));
  const auto* end = static_cast<const char*>(mnl_nlmsg_get_payload_tail(&message));
  const auto* at = reinterpret_cast<const nlattr*>(start);
  while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
    visit(*at);
    at = mnl_attr_next(at);
  }
}

/// The same for the attributes within one.
template <class Visit>
void for_each_nested(const nlattr& nest, Visit&& visit) {
  const auto* start = static_cast<const char*>(mnl_attr_get_payload(&nest));
  const auto* end = start + mnl_attr_get_payload_len(&nest);
  const auto* at = reinterpret_cast<const nlattr*>(start);
  while (mnl_attr_ok(at, static_cast<int>(end - reinterpret_cast<const char*>(at)))) {
    visit(*at);
    at = mnl_attr_next(at);
  }
}

/// A message being built. Value type; as large as any request of ours.
struct NetlinkRequest {
  alignas(nlmsghdr) std::byte room[512];
  nlmsghdr* header;

  NetlinkRequest(std::uint16_t type, std::uint16_t flags) noexcept;
  NetlinkRequest(const NetlinkRequest&) = delete;
  NetlinkRequest& operator=(const NetlinkRequest&) = delete;
  /// The family's own header, zeroed, to be filled in before attributes are put.
  template <class T>
  T& extra() noexcept {
    return *static_cast<T*>(mnl_nlmsg_put_extra_header(header, sizeof(T)));
  }
};

}  // namespace ferrule::io
