#include "cli/run/companion.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <exception>

#include "netstack/linux/passing.h"

namespace ferrule::cli {

namespace {

constexpr std::string_view kReady = "r";

// Its messages go where ours do; the terminal's signals, and our pipes, do not concern it.
void detach() {
  ::setsid();
  for (const int signal : {SIGINT, SIGQUIT, SIGHUP, SIGPIPE}) ::signal(signal, SIG_IGN);
  const io::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
}

[[noreturn]] void be_companion(Console& console, io::UniqueFd ended, io::UniqueFd control,
                               const std::function<std::optional<InnerTunnel>()>& start,
                               const std::function<void(InnerTunnel&, int)>& keep) {
  detach();
  try {
    auto tunnel = start();
    console.err.flush();
    if (tunnel && netstack::send_message(control.get(), kReady, tunnel->space->doors())) {
      control.reset();
      keep(*tunnel, ended.get());
      console.err.flush();
    }
  } catch (const std::exception& error) {
    console.err.print("{}: {}\n", console.program, error.what());
    console.err.flush();
  }
  ::_exit(0);
}

}  // namespace

void hold_standard_descriptors() {
  int fd;
  do {
    fd = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

std::optional<std::vector<io::UniqueFd>> start_companion(
    Console& console, const std::function<std::optional<InnerTunnel>()>& start,
    const std::function<void(InnerTunnel&, int ended)>& keep) {
  const auto refuse = [&](const Error& error) {
    console.err.print("{}: {}\n", console.program, error.what);
    return std::nullopt;
  };
  io::UniqueFd self(static_cast<int>(::syscall(SYS_pidfd_open, ::getpid(), 0)));
  if (!self) return refuse(system_error(errno, "watch this process (pidfd_open, Linux 5.3)"));
  Result<netstack::Pair> pair = netstack::make_pair();
  if (!pair) return refuse(pair.error());
  console.out.flush();
  console.err.flush();
  const pid_t between = ::fork();
  if (between < 0) return refuse(system_error(errno, "fork"));
  if (between == 0) {
    pair->ours.reset();
    const pid_t companion = ::fork();
    if (companion != 0) ::_exit(companion < 0 ? 1 : 0);
    be_companion(console, std::move(self), std::move(pair->theirs), start, keep);
  }
  pair->theirs.reset();
  int status = 0;
  while (::waitpid(between, &status, 0) < 0 && errno == EINTR) {
  }
  Result<netstack::PassedMessage> word = netstack::receive_message(pair->ours.get());
  if (!word) return refuse(word.error());
  if (word->text != kReady) return std::nullopt;
  return std::move(word->descriptors);
}

}  // namespace ferrule::cli
