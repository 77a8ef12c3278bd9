// The system calls that datagrams go through, so that tests can put a refusing kernel in place.
#pragma once

#include <sys/socket.h>

#include "base/net.h"
#include "io/linux/kernel_query.h"
#include "io/linux/steering.h"

namespace ferrule::io {

/// As the kernel's: a count or -1 with errno; true or false. The defaults are the real ones.
struct UdpCalls {
  int (*sendmmsg)(int, mmsghdr*, unsigned, int) = [](int fd, mmsghdr* messages, unsigned count,
                                                     int flags) {
    return ::sendmmsg(fd, messages, count, flags);
  };
  ssize_t (*sendmsg)(int, const msghdr*, int) = ::sendmsg;
  int (*recvmmsg)(int, mmsghdr*, unsigned, int) = [](int fd, mmsghdr* messages, unsigned count,
                                                     int flags) {
    return ::recvmmsg(fd, messages, count, flags, nullptr);
  };
  ssize_t (*recvmsg)(int, msghdr*, int) = ::recvmsg;
  // Asked seldom: when IPv6 has refused a source.
  bool (*is_local)(const Source&) = [](const Source& source) {
    auto query = KernelQuery::open();
    return query && query->owner(source).has_value();
  };
  bool (*steer_handshakes)(int, Family, std::size_t) = io::steer_handshakes;
};

}  // namespace ferrule::io
