#include "netstack/linux/passing.h"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ferrule::netstack {

namespace {

union Control {
  cmsghdr header;
  std::array<char, CMSG_SPACE(kMostPassed * sizeof(int))> room;
};

void take_descriptors(const msghdr& header, std::vector<io::UniqueFd>& to) {
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&header), part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(part) + i * sizeof fd, sizeof fd);
      to.emplace_back(fd);
    }
  }
}

}  // namespace

Result<Pair> make_pair() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error(errno, "open a pair of sockets"));
  }
  return Pair{io::UniqueFd(ends[0]), io::UniqueFd(ends[1])};
}

Result<void> send_message(int socket, std::string_view text, std::span<const int> descriptors) {
  iovec part{const_cast<char*>(text.data()), text.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  if (!descriptors.empty()) {
    header.msg_control = control.room.data();
    header.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(rights), descriptors.data(), descriptors.size_bytes());
  }
  ssize_t sent;
  do {
    sent = ::sendmsg(socket, &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent >= 0) return {};
  return std::unexpected(system_error(errno, "pass a message to another process"));
}

Result<PassedMessage> receive_message(int socket) {
  PassedMessage message;
  message.text.resize(kMostPassedBytes);
  iovec part{message.text.data(), message.text.size()};
  Control control{};
  msghdr header{};
  header.msg_iov = &part;
  header.msg_iovlen = 1;
  header.msg_control = control.room.data();
  header.msg_controllen = control.room.size();
  ssize_t got;
  do {
    got = ::recvmsg(socket, &header, MSG_CMSG_CLOEXEC);
  } while (got < 0 && errno == EINTR);
  if (got < 0) return std::unexpected(system_error(errno, "hear from another process"));
  take_descriptors(header, message.descriptors);
  message.text.resize(static_cast<std::size_t>(got));
  return message;
}

}  // namespace ferrule::netstack
