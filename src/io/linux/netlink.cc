#include "io/linux/netlink.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace ferrule::io {
namespace {

bool came_from_another_namespace(msghdr& header) noexcept {
  for (cmsghdr* control = CMSG_FIRSTHDR(&header); control;
       control = CMSG_NXTHDR(&header, control)) {
    if (control->cmsg_level == SOL_NETLINK && control->cmsg_type == NETLINK_LISTEN_ALL_NSID) {
      return true;
    }
  }
  return false;
}

// The answer to request `sequence` among `messages`; null when it isn't there.
const nlmsghdr* find_answer(std::span<const std::byte> messages, std::uint32_t sequence) noexcept {
  while (const nlmsghdr* message = take_message(messages)) {
    if (message->nlmsg_seq == sequence) return message;
  }
  return nullptr;
}

// The errno of a refusal, 0 for an acknowledgement or any other answer.
int refusal(const nlmsghdr& answer) noexcept {
  if (answer.nlmsg_type != NLMSG_ERROR) return 0;
  const auto* error = extra_of<nlmsgerr>(answer);
  return error != nullptr ? -error->error : EBADMSG;
}

// What the kernel says of a refusal besides its errno, as ": IPv6 is disabled on this device"; "" where it
// says nothing.
std::string words_of_refusal(const nlmsghdr& answer) {
  if ((answer.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return "";
  const auto* error = extra_of<nlmsgerr>(answer);
  std::size_t offset = sizeof(nlmsgerr);
  if ((answer.nlmsg_flags & NLM_F_CAPPED) == 0) offset += error->msg.nlmsg_len - sizeof(nlmsghdr);
  std::string words;
  for_each_attribute(answer, offset, [&](const nlattr& attribute) {
    if (type_of(attribute) != NLMSGERR_ATTR_MSG) return;
    const auto* text = reinterpret_cast<const char*>(bytes_of(attribute).data());
    words = ": " + std::string(text, strnlen(text, bytes_of(attribute).size()));
  });
  return words;
}

Error refusal_of(const nlmsghdr& answer, int code, std::string_view attempted) {
  Error error = system_error(code, attempted);
  error.what += words_of_refusal(answer);
  return error;
}

}  // namespace

NetlinkSocket::NetlinkSocket(UniqueFd fd)
    : fd_(std::move(fd)), room_(std::make_unique<std::byte[]>(kNetlinkRoom)) {}

Result<NetlinkSocket> NetlinkSocket::open(int protocol) {
  UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol));
  if (!fd) return std::unexpected(system_error(errno, "open netlink socket"));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return std::unexpected(system_error(errno, "bind netlink socket"));
  }
  // Old kernels have no words for what they refuse.
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
  (void)::setsockopt(fd.get(), SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof on);
  return NetlinkSocket(std::move(fd));
}

Result<void> NetlinkSocket::join(unsigned group) {
  if (::setsockopt(fd_.get(), SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0) {
    return std::unexpected(system_error(errno, "subscribe to netlink group"));
  }
  return {};
}

Result<NetlinkSocket::Received> NetlinkSocket::receive() {
  sockaddr_nl from{};
  iovec room{room_.get(), kNetlinkRoom};
  alignas(cmsghdr) std::byte control[64];
  msghdr header{};
  header.msg_name = &from;
  header.msg_namelen = sizeof from;
  header.msg_iov = &room;
  header.msg_iovlen = 1;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  const ssize_t size = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT);
  if (size < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return Received{};
    return std::unexpected(system_error(errno, "receive from netlink"));
  }
  // Any process may send to us; only the kernel is believed.
  if (from.nl_pid != 0) return Received{};
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return std::unexpected(system_error(ENOBUFS, "receive from netlink"));
  }
  return Received{std::span(room_.get(), static_cast<std::size_t>(size)),
                  came_from_another_namespace(header)};
}

Result<void> NetlinkSocket::send(nlmsghdr& message, std::string_view attempted) {
  message.nlmsg_seq = ++sequence_;
  message.nlmsg_flags |= NLM_F_REQUEST;
  if (::send(fd_.get(), &message, message.nlmsg_len, 0) < 0) {
    return std::unexpected(system_error(errno, attempted));
  }
  return {};
}

Result<NetlinkSocket::Received> NetlinkSocket::await(std::string_view attempted) {
  pollfd readable{fd_.get(), POLLIN, 0};
  if (::poll(&readable, 1, kLookupTimeoutMs) > 0) return receive();
  return std::unexpected(system_error(ETIMEDOUT, attempted));
}

Result<const nlmsghdr*> NetlinkSocket::request(nlmsghdr& message, std::string_view attempted) {
  if (auto sent = send(message, attempted); !sent) return std::unexpected(std::move(sent.error()));
  // The kernel has answered by the time send() returns; the turns are for late answers to others.
  for (unsigned turn = 0; turn < kNetlinkReceivesPerDrain; ++turn) {
    auto received = await(attempted);
    if (!received) return std::unexpected(std::move(received.error()));
    const nlmsghdr* answer = find_answer(received->messages, sequence_);
    if (answer == nullptr) continue;
    if (const int error = refusal(*answer); error != 0) {
      return std::unexpected(refusal_of(*answer, error, attempted));
    }
    return answer;
  }
  return std::unexpected(system_error(ETIMEDOUT, attempted));
}

Result<void> NetlinkSocket::list(nlmsghdr& message, std::string_view attempted,
                                 const std::function<void(const nlmsghdr&)>& visit,
                                 std::size_t most) {
  message.nlmsg_flags |= NLM_F_DUMP;
  if (auto sent = send(message, attempted); !sent) return sent;
  while (true) {
    const auto received = await(attempted);
    if (!received) return std::unexpected(received.error());
    std::span<const std::byte> messages = received->messages;
    while (const nlmsghdr* part = take_message(messages)) {
      if (part->nlmsg_seq != sequence_) continue;
      if (part->nlmsg_type == NLMSG_DONE) return {};
      if (const int error = refusal(*part); error != 0) {
        return std::unexpected(refusal_of(*part, error, attempted));
      }
      if (most-- == 0) return std::unexpected(system_error(EOVERFLOW, attempted));
      visit(*part);
    }
  }
}

}  // namespace ferrule::io
