#include "cli/proxy/stdio.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <memory>
#include <utility>

namespace ferrule::cli {

namespace {

constexpr std::size_t kRoomBytes = 64 * 1024;

// Until `from` ends, or nobody takes any more.
void pump(int from, int to) {
  const std::unique_ptr<char[]> room(new char[kRoomBytes]);
  for (;;) {
    const ssize_t got = ::read(from, room.get(), kRoomBytes);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return;
    for (ssize_t done = 0; done < got;) {
      const ssize_t put = ::write(to, room.get() + done, static_cast<std::size_t>(got - done));
      if (put < 0 && errno == EINTR) continue;
      if (put <= 0) return;
      done += put;
    }
  }
}

}  // namespace

Result<Stdio> Stdio::open() {
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return std::unexpected(system_error(errno, "open a pair of sockets"));
  }
  Stdio stdio;
  stdio.socket_.reset(ends[0]);
  const int flags = ::fcntl(ends[0], F_GETFL);  // of our end: that of the threads waits
  (void)::fcntl(ends[0], F_SETFL, flags | O_NONBLOCK);
  const auto other = std::make_shared<io::UniqueFd>(ends[1]);
  std::thread([other] {
    pump(STDIN_FILENO, other->get());
    ::shutdown(other->get(), SHUT_WR);
  }).detach();
  stdio.out_ = std::thread([other] {
    pump(other->get(), STDOUT_FILENO);
    ::shutdown(other->get(), SHUT_RD);
    ::close(STDOUT_FILENO);
  });
  return stdio;
}

void Stdio::finish() {
  if (out_.joinable()) out_.join();
}

}  // namespace ferrule::cli
