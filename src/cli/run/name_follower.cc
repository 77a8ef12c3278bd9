#include "cli/run/name_follower.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "client/scopes.h"
#include "quick/follow.h"

namespace ferrule::cli {

namespace {

// A peer that has never answered is looked at each second, one that has every half minute.
constexpr int kPause_ms = 1000;

// The one device at the other end of a connection.
class ConnectedDevice final : public client::DeviceClient {
 public:
  explicit ConnectedDevice(netstack::TunnelConnection& tunnel) noexcept : tunnel_(tunnel) {}

  Result<std::vector<std::string>> list() override { return std::vector<std::string>(); }
  Result<control::DeviceStatus> get(const std::string&) override {
    control::UapiAnswer answer(client::scope_of);
    if (auto asked = tunnel_.ask(control::kGetRequest, answer); !asked) {
      return std::unexpected(asked.error());
    }
    return std::move(answer.device());
  }
  Result<void> set(const std::string&, const protocol::DeviceChange& change) override {
    control::UapiAnswer answer(client::scope_of);
    return tunnel_.ask(control::set_request(change, client::scope_name).view(), answer);
  }
  Result<control::DeviceStats> stats(const std::string&) override { return control::DeviceStats(); }

 private:
  netstack::TunnelConnection& tunnel_;
};

// What it finds is no news for whoever runs a program.
class Silent final : public quick::NameListener {
 public:
  void step(std::string_view) override {}
  void warn(std::string_view) override {}
  void fail(std::string_view) override {}
  void say(std::string_view) override {}
  void moved(const PublicKey&, const std::string&, const Endpoint&) override {}
  void failed(const PublicKey&, const std::string&, const std::string&) override {}
};

bool has_names(const QuickFile& file) {
  return std::ranges::any_of(file.configuration.peers, [](const control::PeerConf& peer) {
    return peer.endpoint && quick::is_name(*peer.endpoint);
  });
}

// What must be known to look names up.
QuickFile names_of(const QuickFile& file) {
  QuickFile names{file.interface, {}, {}, control::ConfDocument({}, {}), {}};
  for (const control::PeerConf& peer : file.configuration.peers) {
    control::PeerConf& kept = names.configuration.peers.emplace_back();
    kept.public_key = peer.public_key;
    kept.endpoint = peer.endpoint;
  }
  return names;
}

void leave_the_callers_ways(pid_t parent) {
  ::setsid();  // the terminal's signals are not for us
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) ::signal(signal, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
}

// Of what is open it needs the connection alone.
void close_all_but(int fd) {
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int standard = 0; standard <= STDERR_FILENO; ++standard) ::dup2(null, standard);
  ::close_range(STDERR_FILENO + 1, static_cast<unsigned>(fd) - 1, 0);
  ::close_range(static_cast<unsigned>(fd) + 1, ~0u, 0);
}

[[noreturn]] void follow(QuickFile names, netstack::TunnelConnection& tunnel) {
  ConnectedDevice device(tunnel);
  Silent silent;
  quick::Follower follower(
      device, std::move(names), [] { return std::nullopt; }, quick::kUsualSilence, silent);
  for (;;) {
    if (!follower.check(std::time(nullptr), false)) ::_exit(0);
    pollfd end{tunnel.poll_fd(), POLLIN, 0};
    if (::poll(&end, 1, kPause_ms) > 0) ::_exit(0);
  }
}

}  // namespace

Result<NameFollower> NameFollower::start(Console& console, QuickFile& file,
                                         netstack::TunnelConnection& tunnel) {
  if (!has_names(file)) return NameFollower(-1);
  console.out.flush();
  console.err.flush();
  const pid_t parent = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return std::unexpected(system_error(errno, "fork"));
  if (child > 0) return NameFollower(child);
  try {
    leave_the_callers_ways(parent);
    close_all_but(tunnel.poll_fd());
    QuickFile names = names_of(file);
    file = QuickFile{{}, {}, {}, control::ConfDocument({}, {}), {}};
    follow(std::move(names), tunnel);
  } catch (const std::exception&) {
    ::_exit(1);
  }
}

NameFollower::~NameFollower() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace ferrule::cli
