#include <netinet/in.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/check.h"
#include "io/linux/control_message.h"
#include "io/linux/limits.h"
#include "io/linux/socket_address.h"
#include "io/linux/udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef IPV6_FREEBIND
#define IPV6_FREEBIND 78
#endif

namespace ferrule::io {
namespace {

constexpr std::size_t kControlRoom = 96;  // packet information, traffic class, segment size
static_assert(kControlRoom >= CMSG_SPACE(sizeof(in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
                                  CMSG_SPACE(sizeof(std::uint16_t)));

std::size_t size_of(const OutgoingDatagrams& entry) noexcept {
  std::size_t size = 0;
  for (Bytes part : entry.parts) size += part.size();
  return size;
}

// How many datagrams an entry stands for.
std::size_t count_of(const OutgoingDatagrams& entry, std::size_t size) noexcept {
  if (entry.segment_size == 0 || size <= entry.segment_size) return 1;
  return (size + entry.segment_size - 1) / entry.segment_size;
}

bool is_train(const OutgoingDatagrams& entry) noexcept {
  return count_of(entry, size_of(entry)) > 1;
}

bool is_full(int error) noexcept { return error == EAGAIN || error == EWOULDBLOCK; }

// Errors after which the same call may do: ECONNREFUSED can stem from an earlier datagram.
bool is_passing(int error) noexcept {
  return is_full(error) || error == EINTR || error == ECONNREFUSED;
}

// P75. ENODEV: the interface remembered was deleted, although its address is still ours.
bool refuses_source(int error) noexcept {
  return error == EINVAL || error == ENETUNREACH || error == EHOSTUNREACH ||
         error == EADDRNOTAVAIL || error == ENODEV;
}

bool refuses_segments(int error) noexcept {
  return error == EIO || error == EINVAL || error == EMSGSIZE || error == EOPNOTSUPP;
}

void add_source(ControlWriter& control, Family family, const Source& from) noexcept {
  if (from.is_none() || from.address.family() != family) return;
  if (family == Family::v4) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(from.interface_index);
    info.ipi_spec_dst = to_in_addr(from.address);
    control.add(IPPROTO_IP, IP_PKTINFO, info);
  } else {
    in6_pktinfo info{};
    info.ipi6_ifindex = from.interface_index;
    info.ipi6_addr = to_in6_addr(from.address);
    control.add(IPPROTO_IPV6, IPV6_PKTINFO, info);
  }
}

void add_traffic_class(ControlWriter& control, Family family, std::uint8_t value) noexcept {
  if (value == 0) return;
  if (family == Family::v4) {
    control.add(IPPROTO_IP, IP_TOS, static_cast<int>(value));
  } else {
    control.add(IPPROTO_IPV6, IPV6_TCLASS, static_cast<int>(value));
  }
}

// Cuts a train into entries of one datagram each, up to kMaxSegments at a time.
class TrainCutter {
 public:
  explicit TrainCutter(const OutgoingDatagrams& train) noexcept
      : train_(train), rest_(train.parts) {}

  // Empty when nothing is left. Good until the next call.
  std::span<OutgoingDatagrams> next() noexcept {
    slices_used_ = 0;
    std::size_t count = 0;
    while (count < datagrams_.size()) {
      const auto parts = take(train_.segment_size);
      if (parts.empty()) break;
      datagrams_[count] = train_;
      datagrams_[count].parts = parts;
      datagrams_[count].segment_size = 0;
      ++count;
    }
    return std::span(datagrams_).first(count);
  }

 private:
  // The next `missing` bytes, or what is left of them.
  std::span<const Bytes> take(std::size_t missing) noexcept {
    const std::size_t first = slices_used_;
    while (missing > 0 && !rest_.empty()) {
      const Bytes part = rest_.front().subspan(taken_of_front_);
      const std::size_t size = std::min(missing, part.size());
      if (size > 0) slices_[slices_used_++] = part.first(size);
      missing -= size;
      taken_of_front_ += size;
      if (size < part.size()) break;
      taken_of_front_ = 0;
      rest_ = rest_.subspan(1);
    }
    return std::span(slices_).subspan(first, slices_used_ - first);
  }

  const OutgoingDatagrams& train_;
  std::span<const Bytes> rest_;
  std::size_t taken_of_front_ = 0;
  std::array<OutgoingDatagrams, kMaxSegments> datagrams_;
  std::array<Bytes, kMaxSendParts + kMaxSegments> slices_;  // each datagram ends within one part
  std::size_t slices_used_ = 0;
};

}  // namespace

// The messages of one sendmmsg. Lives on the stack, so that any number of threads can send.
class LinuxUdp::SendCall {
 public:
  // False when it is full; the entry then starts the next one.
  bool add(const OutgoingDatagrams& entry, const Source& from) noexcept {
    FERRULE_CHECK(entry.parts.size() <= kMaxSendParts);
    if (count_ == headers_.size() || entry.parts.size() > parts_.size() - parts_used_) return false;
    Slot& slot = slots_[count_];
    msghdr& header = headers_[count_].msg_hdr;
    header = msghdr{};
    slot.to = SocketAddress(entry.to);
    header.msg_name = &slot.to.any;
    header.msg_namelen = slot.to.size;
    header.msg_iov = parts_.data() + parts_used_;
    header.msg_iovlen = entry.parts.size();
    for (Bytes part : entry.parts) {
      parts_[parts_used_++] = iovec{const_cast<std::uint8_t*>(part.data()), part.size()};
    }
    ControlWriter control(slot.control);
    const Family family = entry.to.address.family();
    add_source(control, family, from);
    add_traffic_class(control, family, entry.traffic_class);
    if (is_train(entry)) {
      control.add(SOL_UDP, UDP_SEGMENT, static_cast<std::uint16_t>(entry.segment_size));
    }
    header.msg_control = control.size() != 0 ? slot.control : nullptr;
    header.msg_controllen = control.size();
    headers_[count_].msg_len = 0;
    ++count_;
    return true;
  }

  mmsghdr* messages() noexcept { return headers_.data(); }
  unsigned count() const noexcept { return count_; }

 private:
  struct Slot {
    SocketAddress to;
    alignas(cmsghdr) std::byte control[kControlRoom];
  };
  std::array<mmsghdr, kMessagesPerCall> headers_;  // these three on purpose not initialised
  std::array<Slot, kMessagesPerCall> slots_;
  std::array<iovec, kPartsPerCall> parts_;
  std::size_t parts_used_ = 0;
  unsigned count_ = 0;
};

// How long one `send` may still wait for full sockets.
class LinuxUdp::Patience {
 public:
  // False when there is none left.
  bool wait(int fd) noexcept {
    if (left_ == 0) return false;
    --left_;
    pollfd writable{fd, POLLOUT, 0};
    constexpr auto kMilliseconds = std::chrono::duration_cast<std::chrono::milliseconds>(kSendWait);
    (void)::poll(&writable, 1, static_cast<int>(kMilliseconds.count()));
    return true;
  }

 private:
  unsigned left_ = kSendWaits;
};

int LinuxUdp::send_some(const Socket& to, mmsghdr* messages, unsigned count) noexcept {
  if (has_sendmmsg_.load(std::memory_order_relaxed)) {
    const int sent = calls_.sendmmsg(to.fd.get(), messages, count, 0);
    if (sent > 0 || errno != ENOSYS) return sent;
    has_sendmmsg_.store(false, std::memory_order_relaxed);
  }
  for (unsigned i = 0; i < count; ++i) {
    if (calls_.sendmsg(to.fd.get(), &messages[i].msg_hdr, 0) < 0) {
      return i > 0 ? static_cast<int>(i) : -1;
    }
  }
  return static_cast<int>(count);
}

// 0 or the errno.
int LinuxUdp::send_once(const Socket& to, const OutgoingDatagrams& entry,
                        const Source& from) noexcept {
  SendCall call;
  FERRULE_CHECK(call.add(entry, from));
  return send_some(to, call.messages(), 1) > 0 ? 0 : errno;
}

// Tries again while `error`, the last try's, is a passing one. 0 or the errno.
int LinuxUdp::send_again(const Socket& to, const OutgoingDatagrams& entry, const Source& from,
                         int error, Patience& patience) noexcept {
  for (unsigned attempt = 0; attempt < kSendAttempts && is_passing(error); ++attempt) {
    if (is_full(error) && !patience.wait(to.fd.get())) break;
    error = send_once(to, entry, from);
  }
  return error;
}

bool LinuxUdp::goes_plainly(const Socket& to, const OutgoingDatagrams& entry) const noexcept {
  const std::size_t size = size_of(entry);
  const std::size_t count = count_of(entry, size);
  if (count == 1) return false;
  return !to.segments.load(std::memory_order_relaxed) || count > kMaxSegments ||
         size > kMaxSendSize || limits_.refuses(entry.to.address, entry.segment_size);
}

// An EIO means that the device can't segment, which no train changes; the others may be the path's.
void LinuxUdp::learn(Socket& to, const OutgoingDatagrams& entry, int error) noexcept {
  if (error == EIO || error == EOPNOTSUPP) {
    to.segments.store(false, std::memory_order_relaxed);
  } else {
    limits_.learn(entry.to.address, entry.segment_size);
  }
}

// With less and less of a source that was refused with `error`, until it goes. 0 or the errno.
int LinuxUdp::send_without(Socket& to, OutgoingDatagrams& entry, int error, Patience& patience) {
  if (allow_foreign(to, entry.from, error)) {
    error = send_again(to, entry, entry.from, EINTR, patience);
    if (error == 0) return 0;
  }
  if (entry.from.interface_index != 0 && !entry.from.address.is_link_local()) {
    const Source address{entry.from.address, 0};
    error = send_again(to, entry, address, EINTR, patience);
    if (error == 0) {
      entry.refused = SourceRefusal::interface;
      return 0;
    }
  }
  error = send_again(to, entry, Source{}, EINTR, patience);
  if (error == 0) entry.refused = SourceRefusal::source;
  return error;
}

// IPv6 refuses an address that is local only by a route (`ip -6 route add local PREFIX`) unless the socket
// may send from foreign ones. It may from when such an address is met until the network changes: while it
// may, only news of the network tells that an address has left the machine.
bool LinuxUdp::allow_foreign(Socket& of, const Source& source, int error) noexcept {
  if (error != EINVAL || source.address.family() != Family::v6) return false;
  if (of.may_be_foreign.load(std::memory_order_relaxed) || !calls_.is_local(source)) return false;
  constexpr int kYes = 1;
  if (setsockopt(of.fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, &kYes, sizeof kYes) != 0) return false;
  of.may_be_foreign.store(true, std::memory_order_relaxed);
  return true;
}

void LinuxUdp::forget_paths() noexcept {
  limits_.forget();
  if (!v6_.may_be_foreign.exchange(false, std::memory_order_relaxed)) return;
  constexpr int kNo = 0;
  (void)setsockopt(v6_.fd.get(), IPPROTO_IPV6, IPV6_FREEBIND, &kNo, sizeof kNo);
}

void LinuxUdp::lose(OutgoingDatagrams& entry, int error) noexcept {
  entry.lost_bytes = size_of(entry);
  if (!is_passing(error) && error != ENOBUFS) entry.error = error;
  failures_.fetch_add(count_of(entry, entry.lost_bytes), std::memory_order_relaxed);
}

// What the kernel refused to send as it stands. A refusal counts as a lesson only when another way
// then worked: EINVAL can mean the source, the segmentation or the destination.
bool LinuxUdp::recover(Socket& to, OutgoingDatagrams& entry, int error, Patience& patience) {
  error = send_again(to, entry, entry.from, error, patience);
  if (error == 0) return true;
  if (!entry.from.is_none() && refuses_source(error)) {
    error = send_without(to, entry, error, patience);
    if (error == 0) return true;
  }
  const std::size_t count = count_of(entry, size_of(entry));
  if (count == 1 || !refuses_segments(error)) {
    lose(entry, error);
    return false;
  }
  if (!send_cut(to, entry, patience)) return false;
  learn(to, entry, error);
  return true;
}

// Sends a train as single datagrams. What is refused of them is counted on the way.
bool LinuxUdp::send_cut(Socket& to, OutgoingDatagrams& entry, Patience& patience) {
  TrainCutter cutter(entry);
  bool all_sent = true;
  for (auto run = cutter.next(); !run.empty(); run = cutter.next()) {
    all_sent &= send_run(to, run, patience) == run.size();
    for (const auto& datagram : run) {
      entry.refused = std::max(entry.refused, datagram.refused);
      entry.lost_bytes += datagram.lost_bytes;
      if (datagram.error != 0) entry.error = datagram.error;
    }
  }
  return all_sent;
}

// Sends entries of one family, in order, as many to a call as fit.
std::size_t LinuxUdp::send_run(Socket& to, std::span<OutgoingDatagrams> run, Patience& patience) {
  std::size_t sent = 0;
  while (!run.empty()) {
    if (goes_plainly(to, run.front())) {
      if (send_cut(to, run.front(), patience)) ++sent;
      run = run.subspan(1);
      continue;
    }
    SendCall call;
    for (const auto& entry : run) {
      if (goes_plainly(to, entry) || !call.add(entry, entry.from)) break;
    }
    const int done = send_some(to, call.messages(), call.count());
    if (done > 0) {
      sent += done;
      run = run.subspan(done);
      continue;
    }
    const int error = done == 0 ? EAGAIN : errno;
    if (recover(to, run.front(), error, patience)) ++sent;
    run = run.subspan(1);
  }
  return sent;
}

// The kernel lets a datagram's own source overrule what its socket is bound to: one that was learned before
// the socket was bound there must not.
Source LinuxUdp::allowed(const Source& from) const noexcept {
  if (from.is_none()) return from;
  if (!only_.is_empty() && from.address != only_.of(from.address.family())) return Source{};
  return Source{from.address, interface_index_ == 0 ? from.interface_index : 0};
}

std::size_t LinuxUdp::send(std::span<OutgoingDatagrams> batch) {
  Patience patience;
  std::size_t sent = 0;
  while (!batch.empty()) {
    const Family family = batch.front().to.address.family();
    const auto other = std::ranges::find_if(
        batch, [&](const OutgoingDatagrams& e) { return e.to.address.family() != family; });
    const auto run = batch.first(other - batch.begin());
    batch = batch.subspan(run.size());
    for (auto& entry : run) {
      entry.from = allowed(entry.from);
      entry.refused = SourceRefusal::none;
      entry.lost_bytes = 0;
      entry.error = 0;
    }
    if (family != Family::none && socket(family).fd) {
      sent += send_run(socket(family), run, patience);
    } else {
      for (auto& entry : run) lose(entry, EAFNOSUPPORT);
    }
  }
  return sent;
}

}  // namespace ferrule::io
