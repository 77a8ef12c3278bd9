#include "netstack/linux/inside.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <optional>
#include <string>
#include <vector>

#include "io/linux/kernel_query.h"
#include "io/linux/network.h"
#include "io/linux/tun.h"
#include "netstack/linux/helper_calls.h"
#include "netstack/linux/passing.h"
#include "netstack/linux/resolver_files.h"

namespace ferrule::netstack {

namespace {

constexpr std::uint32_t kLoopbackIndex = 1;
constexpr std::uint32_t kLoopbackMtu = 65536;

bool write_file(const char* path, const std::string& text) {
  const io::UniqueFd file(::open(path, O_WRONLY | O_CLOEXEC));
  return file && ::write(file.get(), text.data(), text.size()) == std::ssize(text);
}

// Makes what the settings say, in the namespaces of this process.
class Maker {
 public:
  explicit Maker(const NamespaceSettings& settings) : settings_(settings) {}

  [[nodiscard]] Result<void> run() {
    for (const auto step : {&Maker::enter, &Maker::open_network, &Maker::make_interface,
                            &Maker::configure, &Maker::cover_files}) {
      if (auto done = (this->*step)(); !done) return done;
    }
    return {};
  }
  [[nodiscard]] Result<void> report(int control);

 private:
  [[nodiscard]] Result<void> enter();
  [[nodiscard]] Result<void> map_ids(uid_t user, gid_t group);
  [[nodiscard]] Result<void> open_network();
  [[nodiscard]] Result<void> make_interface();
  [[nodiscard]] Result<void> configure();
  [[nodiscard]] Result<void> cover_files();
  // False: not, and for IPv6 on a machine without it that was noted.
  [[nodiscard]] Result<void> tolerate(const Error& error, Family family);

  const NamespaceSettings& settings_;
  bool has_user_ = false;
  bool has_v6_ = true;
  std::optional<io::Network> network_;
  std::optional<io::TunInterface> tun_;
  std::vector<std::string> notes_;
};

Error advised(Error error, const std::string& advice) {
  if (!advice.empty()) error.what += "; " + advice;
  return error;
}

// Root needs no user namespace, and its programs then keep all that they are.
Result<void> Maker::enter() {
  const int wanted = CLONE_NEWNET | (settings_.files ? CLONE_NEWNS : 0);
  const uid_t user = ::geteuid();
  const gid_t group = ::getegid();
  if (::unshare(wanted) == 0) return {};
  if (::unshare(CLONE_NEWUSER | wanted) != 0) {
    const int error = errno;
    return std::unexpected(advised(system_error(error, "make a network namespace as this user"),
                                   advice_on_namespaces(error)));
  }
  has_user_ = true;
  return map_ids(user, group);
}

// To what they are: a program inside sees itself and its files as outside.
Result<void> Maker::map_ids(uid_t user, gid_t group) {
  (void)write_file("/proc/self/setgroups", "deny");
  const std::string users = std::to_string(user) + ' ' + std::to_string(user) + " 1";
  const std::string groups = std::to_string(group) + ' ' + std::to_string(group) + " 1";
  if (write_file("/proc/self/uid_map", users) && write_file("/proc/self/gid_map", groups)) {
    return {};
  }
  const int error = errno;
  return std::unexpected(
      advised(system_error(error, "give the namespace this user"), advice_on_namespaces(error)));
}

Result<void> Maker::open_network() {
  auto network = io::Network::open();
  if (!network) return std::unexpected(network.error());
  network_.emplace(std::move(*network));
  const auto up = network_->set_up(kLoopbackIndex, kLoopbackMtu);
  if (!up) return std::unexpected(advised(up.error(), advice_on_namespaces(up.error().code)));
  // Programs without rights may ping and have any port: the network is theirs.
  const std::string group = std::to_string(::getegid());
  (void)write_file("/proc/sys/net/ipv4/ping_group_range",
                   has_user_ ? group + ' ' + group : "0 2147483647");
  (void)write_file("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
  // When a network comes back, what waits for it inside is to notice soon, and not after the minute or two
  // to which TCP's patience has grown; nor may it give up for having tried so often. (Linux 6.15.)
  if (write_file("/proc/sys/net/ipv4/tcp_rto_max_ms", "8000")) {
    (void)write_file("/proc/sys/net/ipv4/tcp_retries2", "120");
  }
  for (const char* where : {"all", "default", "lo"}) {
    const std::string path = std::string("/proc/sys/net/ipv6/conf/") + where + "/disable_ipv6";
    (void)write_file(path.c_str(), "0");
  }
  return {};
}

Result<void> Maker::make_interface() {
  io::TunOptions options;
  options.name = settings_.interface;
  options.mtu = settings_.mtu_bytes;
  auto tun = io::TunInterface::open(options);
  if (tun) {
    tun_.emplace(std::move(*tun));
    return {};
  }
  const std::string advice = advice_on_tun(tun.error().code);
  if (advice.empty()) return std::unexpected(tun.error());
  return std::unexpected(
      advised(system_error(tun.error().code, "open /dev/net/tun as this user"), advice));
}

Result<void> Maker::tolerate(const Error& error, Family family) {
  if (error.code == EEXIST) return {};
  if (family != Family::v6) return std::unexpected(error);
  if (has_v6_) notes_.push_back("IPv6 is left out: " + error.what);
  has_v6_ = false;
  return {};
}

Result<void> Maker::configure() {
  auto query = io::KernelQuery::open();
  if (!query) return std::unexpected(query.error());
  const auto link = query->link(settings_.interface);
  if (!link) return std::unexpected(link.error());
  for (const io::LinkAddress& address : settings_.addresses) {
    const Family family = address.address.family();
    if (family == Family::v6 && !has_v6_) continue;
    const auto added = network_->add_address(link->index, address);
    if (added) continue;
    if (auto borne = tolerate(added.error(), family); !borne) return borne;
  }
  if (auto up = network_->set_up(link->index, settings_.mtu_bytes); !up) return up;
  for (const Cidr& route : settings_.routes) {
    const Family family = route.address().family();
    if (family == Family::v6 && !has_v6_) continue;
    const auto added = network_->add_route({route, RT_TABLE_MAIN, link->index});
    if (added) continue;
    if (auto borne = tolerate(added.error(), family); !borne) return borne;
  }
  return {};
}

Result<void> Maker::cover_files() {
  if (!settings_.files) return {};
  return use_resolver_files(*settings_.files, notes_);
}

Result<void> Maker::report(int control) {
  std::vector<io::UniqueFd> own;
  for (const auto& [path, wanted] : {std::pair("/proc/self/ns/net", true),
                                     std::pair("/proc/self/ns/mnt", settings_.files.has_value()),
                                     std::pair("/proc/self/ns/user", has_user_)}) {
    if (!wanted) continue;
    own.emplace_back(::open(path, O_RDONLY | O_CLOEXEC));
    if (!own.back()) return std::unexpected(system_error(errno, std::string("open ") + path));
  }
  std::vector<int> descriptors{tun_->queue(0).poll_fd()};
  for (const io::UniqueFd& fd : own) descriptors.push_back(fd.get());
  std::string text(1, static_cast<char>(has_user_ ? Hello::with_user : Hello::made));
  for (const std::string& note : notes_) text += note + '\n';
  return send_message(control, text, descriptors);
}

// Makes no system call but those that helper_calls.cc lists.
[[noreturn]] void serve(int control) {
  for (;;) {
    std::array<unsigned char, 4> request{};
    iovec part{request.data(), request.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const ssize_t got = ::recvmsg(control, &header, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) ::_exit(0);
    std::array<int, kMostPassed> sockets;
    std::size_t count = 0;
    int error = got == 3 ? 0 : EINVAL;
    const std::size_t wanted = std::min<std::size_t>(request[2], sockets.size());
    while (error == 0 && count < wanted) {
      const int fd = ::socket(request[0], request[1] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      if (fd < 0) {
        error = errno;
      } else {
        sockets[count++] = fd;
      }
    }
    const char word = static_cast<char>(error);
    (void)send_message(control, {&word, 1}, std::span(sockets).first(count));
    for (std::size_t i = 0; i < count; ++i) ::close(sockets[i]);
  }
}

// Of what is open, it needs `keep` alone, and where to complain to.
void close_all_but(io::UniqueFd& keep) {
  io::UniqueFd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  ::dup2(null.get(), STDIN_FILENO);
  ::dup2(null.get(), STDOUT_FILENO);
  null.reset();
  constexpr int kPlace = 3;
  const int fd = ::fcntl(keep.get(), F_DUPFD_CLOEXEC, kPlace);
  if (fd != kPlace) ::dup3(fd, kPlace, O_CLOEXEC);
  (void)keep.release();
  keep.reset(kPlace);
  ::closefrom(kPlace + 1);
}

void reset_signals() {
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE}) {
    ::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

}  // namespace

void live_inside(const NamespaceSettings& settings, io::UniqueFd control, pid_t parent) {
  reset_signals();
  ::setsid();  // the terminal's signals are not for us
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);
  close_all_but(control);
  Result<void> done;
  try {
    Maker maker(settings);
    done = maker.run();
    if (done) done = maker.report(control.get());
  } catch (const std::exception& error) {
    done = std::unexpected(make_error(ENOMEM, error.what()));
  }
  if (done) done = restrict_helper();
  if (!done) {
    const std::string text = static_cast<char>(Hello::refused) + done.error().what;
    (void)send_message(control.get(), text.substr(0, kMostPassedBytes));
    ::_exit(1);
  }
  serve(control.get());
}

}  // namespace ferrule::netstack
