#include "engine/handshake_door.h"

#include <sys/epoll.h>

#include <array>
#include <utility>

namespace ferrule::engine {

namespace {

class NobodyFollows final : public Lead {
 public:
  void pass() noexcept override {}
};

}  // namespace

HandshakeDoor::HandshakeDoor(io::Epoll events, const Lane::Parts& parts, std::size_t reader)
    : events_(std::move(events)), inbox_(parts.inbox), lane_(0, parts), reader_(reader) {}

Result<void> HandshakeDoor::open(const UdpDoor& door) {
  close();
  lane_.set_udp(door.udp.get());
  listening_ = true;
  for (const int fd : {door.poll_fd_v4, door.poll_fd_v6}) {
    if (fd < 0) continue;
    if (Result<void> added = events_.add(fd, EPOLLIN | EPOLLONESHOT, 0); !added) {
      close();
      return added;
    }
    fds_.push_back(fd);
  }
  return {};
}

void HandshakeDoor::close() noexcept {
  for (const int fd : fds_) events_.remove(fd);
  fds_.clear();
}

bool HandshakeDoor::has_come() {
  std::array<epoll_event, 2> room;
  return !events_.wait(room, Duration(0)).empty();
}

void HandshakeDoor::read(const Now& now) noexcept {
  if (fds_.size() == 0 || (listening_ && !has_come())) return;
  listening_ = false;
  NobodyFollows lead;
  for (std::size_t i = 0; i < kBatchesAtOnce && !inbox_.has_enough_handshakes(); ++i) {
    const Pumped pumped = lane_.pump_inbound(now, {scratch_, reader_}, lead);
    if (pumped == Pumped::broken) close();  // the inbox knows
    if (pumped != Pumped::some) return;
  }
}

void HandshakeDoor::listen() noexcept {
  if (std::exchange(listening_, true)) return;
  for (const int fd : fds_) (void)events_.modify(fd, EPOLLIN | EPOLLONESHOT, 0);
}

}  // namespace ferrule::engine
