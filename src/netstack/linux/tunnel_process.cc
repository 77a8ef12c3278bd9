#include "netstack/linux/tunnel_process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <vector>

#include "base/secret.h"

namespace ferrule::netstack {

namespace {

constexpr int kBacklog = 4;
constexpr std::size_t kReadBytes = 16 * 1024;

// A listening socket that nobody else can connect to, and connections to it.
struct PrivateSocket {
  io::UniqueFd listener;
  io::UniqueFd connections[2];
};

// Its file lies in a folder of our own, for as long as it takes us to connect.
Result<PrivateSocket> open_private_socket() {
  std::string folder = "/tmp";
  for (const char* name : {"TMPDIR", "XDG_RUNTIME_DIR"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value == '/') folder = value;
  }
  sockaddr_un address{};
  constexpr std::string_view kName = "/ferrule-XXXXXX";
  if (folder.size() + kName.size() + 3 > sizeof address.sun_path) folder = "/tmp";
  folder += kName;
  if (::mkdtemp(folder.data()) == nullptr) {
    return std::unexpected(system_error(errno, "make a folder " + folder));
  }
  const std::string path = folder + "/s";
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  const auto* to = reinterpret_cast<const sockaddr*>(&address);
  PrivateSocket made;
  made.listener.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  bool connected = ::bind(made.listener.get(), to, sizeof address) == 0 &&
                   ::listen(made.listener.get(), kBacklog) == 0;
  for (io::UniqueFd& connection : made.connections) {
    connection.reset(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    connected = connected && ::connect(connection.get(), to, sizeof address) == 0;
  }
  const int error = errno;
  ::unlink(path.c_str());
  ::rmdir(folder.c_str());
  if (connected) return made;
  return std::unexpected(system_error(error, "open a socket in " + folder));
}

// The new program's: it closes everything else, and keeps stderr.
[[noreturn]] void become(const std::vector<std::string>& environment, const TunnelOptions& options,
                         int tun, int listener, pid_t parent) {
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (::getppid() != parent) ::_exit(1);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(null, STDOUT_FILENO);
  constexpr int kPlace = 3;
  // Out of the way first: they may lie where the other is to be.
  const int far_tun = ::fcntl(tun, F_DUPFD_CLOEXEC, 16);
  const int far_listener = ::fcntl(listener, F_DUPFD_CLOEXEC, 16);
  ::dup2(far_tun, kPlace);
  ::dup2(far_listener, kPlace + 1);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGPIPE, SIGCHLD}) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  std::vector<char*> words;
  for (const std::string& word : environment) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);
  const std::array<const char*, 4> argv{options.program.c_str(), "-f", options.interface.c_str(),
                                        nullptr};
  ::execve(argv[0], const_cast<char* const*>(argv.data()), words.data());
  ::_exit(127);
}

bool is_own_variable(std::string_view entry) {
  for (const std::string_view name : {"WG_", "NOTIFY_SOCKET=", "LISTEN_"}) {
    if (entry.starts_with(name)) return true;
  }
  return false;
}

std::vector<std::string> environment_for(const TunnelOptions& options) {
  std::vector<std::string> all{"WG_TUN_FD=3", "WG_UAPI_FD=4",
                               "WG_TUN_MTU=" + std::to_string(options.mtu_bytes)};
  if (std::getenv("LOG_LEVEL") == nullptr) all.push_back("LOG_LEVEL=" + options.log_level);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    if (!is_own_variable(*entry)) all.emplace_back(*entry);
  }
  return all;
}

}  // namespace

Result<TunnelProcess> TunnelProcess::start(const TunnelOptions& options, io::UniqueFd tun) {
  if (::access(options.program.c_str(), X_OK) != 0) {
    return std::unexpected(system_error(errno, "run " + options.program));
  }
  Result<PrivateSocket> socket = open_private_socket();
  if (!socket) return std::unexpected(socket.error());
  const std::vector<std::string> environment = environment_for(options);
  const pid_t parent = ::getpid();
  TunnelProcess started;
  started.pid_ = ::fork();
  if (started.pid_ < 0) return std::unexpected(system_error(errno, "fork"));
  if (started.pid_ == 0) become(environment, options, tun.get(), socket->listener.get(), parent);
  started.connection_ = TunnelConnection(std::move(socket->connections[0]));
  started.spare_ = TunnelConnection(std::move(socket->connections[1]));
  return started;
}

TunnelProcess::TunnelProcess(TunnelProcess&& other) noexcept
    : connection_(std::move(other.connection_)),
      spare_(std::move(other.spare_)),
      pid_(std::exchange(other.pid_, -1)) {}

TunnelProcess::~TunnelProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGTERM);
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
}

Result<void> TunnelConnection::ask(std::string_view request, control::UapiAnswer& answer) {
  const auto ended = [] {
    return std::unexpected(make_error(ECHILD, "ferruled has ended: see what it said before"));
  };
  while (!request.empty()) {
    const ssize_t sent = ::send(socket_.get(), request.data(), request.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return ended();
    request.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::vector<std::uint8_t> room(kReadBytes);
  for (;;) {
    const ssize_t got = ::recv(socket_.get(), room.data(), room.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return ended();
    const auto size = static_cast<std::size_t>(got);
    const bool complete = answer.feed({reinterpret_cast<const char*>(room.data()), size});
    wipe(MutBytes(room).first(size));
    if (complete) return answer.outcome();
  }
}

}  // namespace ferrule::netstack
