#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <initializer_list>

#include "base/check.h"
#include "io/linux/tun.h"
#include "io/linux/vnet_header.h"

#ifndef TUN_F_USO4  // Linux 6.2
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif
#ifndef TUNGETDEVNETNS  // Linux 5.11
#define TUNGETDEVNETNS _IO('T', 227)
#endif

namespace ferrule::io {
namespace {

constexpr const char* kTunDevice = "/dev/net/tun";

std::string name_in(const ifreq& request) {
  return {request.ifr_name, ::strnlen(request.ifr_name, IFNAMSIZ)};
}

Result<ifreq> request_for(const std::string& name) {
  ifreq request{};
  if (name.empty() || name.size() >= IFNAMSIZ) {
    return std::unexpected(system_error(EINVAL, "use interface name \"" + name + "\""));
  }
  std::memcpy(request.ifr_name, name.data(), name.size());
  return request;
}

// What whoever starts the program can do about it. The kernel's words alone send people searching.
std::string_view advice_on_open(int error) noexcept {
  switch (error) {
    case ENOENT:
      return "; load the driver with `modprobe tun`, or give the container the device with "
             "`--device /dev/net/tun`";
    case ENODEV:
    case ENXIO:
      return "; this kernel has no tun driver loaded: `modprobe tun`";
    case EACCES:
      return "; needs root, or a device that this user may read and write, on a file system that "
             "is "
             "not mounted nodev";
    case EPERM:
      return "; the container or service may not use the device: `--device /dev/net/tun`, or "
             "DeviceAllow=/dev/net/tun";
    default:
      return {};
  }
}

std::string_view advice_on_attach(int error) noexcept {
  switch (error) {
    case EPERM:
      return "; needs root, or CAP_NET_ADMIN: `--cap-add NET_ADMIN` for a container";
    case ENOTTY:
      return "; /dev/net/tun is not the tun device: `--device /dev/net/tun` for a container";
    default:
      return {};
  }
}

Error advised(Error error, std::string_view (*advice)(int) noexcept) {
  error.what += advice(error.code);
  return error;
}

Result<UniqueFd> open_device() {
  UniqueFd fd(::open(kTunDevice, O_RDWR | O_NONBLOCK | O_CLOEXEC));
  if (fd) return fd;
  return std::unexpected(
      advised(system_error(errno, std::string("open ") + kTunDevice), advice_on_open));
}

struct Attached {
  UniqueFd fd;
  std::string name;
};

Result<Attached> attach(const std::string& name, int flags) {
  auto request = request_for(name);
  if (!request) return std::unexpected(std::move(request.error()));
  auto fd = open_device();
  if (!fd) return std::unexpected(std::move(fd.error()));
  request->ifr_flags = static_cast<short>(flags);
  if (::ioctl(fd->get(), TUNSETIFF, &*request) != 0) {
    return std::unexpected(
        advised(system_error(errno, "create interface " + name), advice_on_attach));
  }
  return Attached{std::move(*fd), name_in(*request)};
}

// Also true when it can't be found out.
bool is_own_namespace(int namespace_fd) noexcept {
  struct stat own;
  struct stat other;
  if (::stat("/proc/thread-self/ns/net", &own) != 0) return true;
  if (::fstat(namespace_fd, &other) != 0) return true;
  return own.st_dev == other.st_dev && own.st_ino == other.st_ino;
}

// What the kernel takes, the most first; all of it off where there is no vnet header, since what an
// earlier user of a persistent interface left on would give packets without their checksums.
packet::OffloadSupport set_offload(int fd, bool has_vnet_header) noexcept {
  constexpr unsigned kTso = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6;
  constexpr unsigned kUso = TUN_F_USO4 | TUN_F_USO6;
  int header_size = sizeof(VnetHeader);
  if (has_vnet_header && ::ioctl(fd, TUNSETVNETHDRSZ, &header_size) == 0) {
    if (::ioctl(fd, TUNSETOFFLOAD, kTso | kUso) == 0) return {.tcp = true, .udp = true};
    if (::ioctl(fd, TUNSETOFFLOAD, kTso) == 0) return {.tcp = true, .udp = false};
  }
  (void)::ioctl(fd, TUNSETOFFLOAD, 0);
  return {};
}

Result<void> configure(const std::string& name, unsigned long request_code, int value,
                       const char* what) {
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  auto request = request_for(name);
  if (!request) return std::unexpected(std::move(request.error()));
  request->ifr_ifru.ifru_ivalue = value;  // the MTU and the queue length are at this place
  if (::ioctl(socket.get(), request_code, &*request) != 0) {
    return std::unexpected(
        system_error(errno, std::string("set ") + what + " of interface " + name));
  }
  return {};
}

bool is_socket(int fd) noexcept {
  struct stat status{};
  return ::fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

Result<void> set_up(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0 && ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0 &&
      ::fcntl(fd, F_SETFD, FD_CLOEXEC) == 0) {
    return {};
  }
  return std::unexpected(system_error(errno, "set up the given tunnel descriptor"));
}

// The first queue decides the flags: an interface that exists may have one queue only, and an old
// kernel may refuse vnet headers. All of that is EINVAL, as is a bad name, which no flags help.
Result<Attached> attach_first(const TunOptions& options, int& flags) {
  const int vnet = options.offload ? IFF_VNET_HDR : 0;
  const int several = options.queues > 1 ? IFF_MULTI_QUEUE : 0;
  Result<Attached> attached = std::unexpected(Error{});
  for (const int wanted : {vnet | several, vnet, vnet | IFF_MULTI_QUEUE, several, 0}) {
    flags = IFF_TUN | IFF_NO_PI | wanted;
    attached = attach(options.name, flags);
    if (attached || attached.error().code != EINVAL) break;
  }
  return attached;
}

}  // namespace

Result<TunInterface> TunInterface::open(const TunOptions& options) {
  FERRULE_CHECK(options.queues >= 1 && options.queues <= kMaxTunQueues);
  const bool existed = interface_exists(options.name);
  int flags = 0;
  auto first = attach_first(options, flags);
  if (!first) return std::unexpected(std::move(first.error()));
  TunInterface opened;
  opened.has_vnet_header_ = (flags & IFF_VNET_HDR) != 0;
  const auto support = set_offload(first->fd.get(), opened.has_vnet_header_);
  const std::string name = std::move(first->name);
  Result<Attached> queue = std::move(first);
  while (queue) {
    opened.queues_.push_back(
        std::make_unique<LinuxTun>(std::move(queue->fd), opened.has_vnet_header_, support));
    const bool more = (flags & IFF_MULTI_QUEUE) != 0 && opened.queues_.size() < options.queues;
    if (!more) break;
    queue = attach(name, flags);
  }
  if (!existed) {
    // The kernel's 500 are gone in a few milliseconds, which a reader may well wait for its core.
    (void)configure(name, SIOCSIFTXQLEN, kTunQueuePackets, "queue length");
    auto set = opened.set_mtu(options.mtu);
    if (!set) return std::unexpected(std::move(set.error()));
  }
  return opened;
}

Result<TunInterface> TunInterface::adopt(UniqueFd fd, bool offload,
                                         std::optional<std::uint32_t> mtu_bytes) {
  if (is_socket(fd.get())) return adopt_socket(std::move(fd), offload, mtu_bytes);
  ifreq request{};
  if (::ioctl(fd.get(), TUNGETIFF, &request) != 0) {
    return std::unexpected(system_error(errno, "use the given tunnel descriptor"));
  }
  if ((request.ifr_flags & IFF_TUN) == 0) {
    return std::unexpected(
        make_error(EINVAL, "use interface " + name_in(request) + ": it carries no IP packets"));
  }
  if (auto done = set_up(fd.get()); !done) return std::unexpected(done.error());
  TunInterface adopted;
  adopted.told_mtu_bytes_ = mtu_bytes;
  adopted.has_vnet_header_ = (request.ifr_flags & IFF_VNET_HDR) != 0;
  int header_size = sizeof(VnetHeader);
  if (adopted.has_vnet_header_ && ::ioctl(fd.get(), TUNSETVNETHDRSZ, &header_size) != 0) {
    return std::unexpected(system_error(errno, "set vnet header size of " + name_in(request)));
  }
  const auto support = set_offload(fd.get(), adopted.has_vnet_header_ && offload);
  adopted.queues_.push_back(
      std::make_unique<LinuxTun>(std::move(fd), adopted.has_vnet_header_, support));
  return adopted;
}

Result<TunInterface> TunInterface::adopt_socket(UniqueFd fd, bool offload,
                                                std::optional<std::uint32_t> mtu_bytes) {
  int type = 0;
  socklen_t size = sizeof type;
  if (::getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0 || type != SOCK_SEQPACKET) {
    return std::unexpected(
        make_error(EINVAL, "use the given socket as a tunnel: it is no SOCK_SEQPACKET"));
  }
  if (auto done = set_up(fd.get()); !done) return std::unexpected(done.error());
  TunInterface adopted;
  adopted.is_socket_ = true;
  adopted.told_mtu_bytes_ = mtu_bytes;
  adopted.has_vnet_header_ = true;
  const packet::OffloadSupport support{.tcp = offload, .udp = false};
  adopted.queues_.push_back(std::make_unique<LinuxTun>(std::move(fd), true, support));
  return adopted;
}

Result<std::string> TunInterface::name() const {
  if (is_socket_) return std::unexpected(make_error(ENODEV, "a socket has no name"));
  ifreq request{};
  if (::ioctl(first_fd(), TUNGETIFF, &request) != 0) {
    return std::unexpected(system_error(errno, "read name of tunnel interface"));
  }
  return name_in(request);
}

bool TunInterface::exists() const {
  if (!is_socket_) return name().has_value();
  pollfd question{first_fd(), 0, 0};
  return ::poll(&question, 1, 0) == 0;  // it tells of a hang-up unasked
}

Result<UniqueFd> TunInterface::network_namespace() const {
  const int fd = ::ioctl(first_fd(), TUNGETDEVNETNS);
  if (fd < 0) {
    return std::unexpected(system_error(errno, "find network namespace of tunnel interface"));
  }
  return UniqueFd(fd);
}

// What the descriptor tells: the kernel lets it be written to while the interface is up.
LinkState TunInterface::glimpse(const std::string& name) const {
  pollfd question{first_fd(), POLLOUT, 0};
  const bool up = ::poll(&question, 1, 0) == 1 && (question.revents & POLLOUT) != 0;
  return {
      .name = name, .mtu = told_mtu_bytes_.value_or(kDefaultMtu), .up = up, .is_announced = false};
}

// Where the namespace can't be known (an older kernel, no privilege) it is taken for our own, if that
// has an interface of the name which is up or down as ours is.
Result<LinkState> TunInterface::state() const {
  if (is_socket_ && !exists()) {
    return std::unexpected(make_error(EBADFD, "the other end of the tunnel's socket is closed"));
  }
  if (is_socket_) {
    return LinkState{.name = {},
                     .mtu = told_mtu_bytes_.value_or(kDefaultMtu),
                     .up = true,
                     .is_announced = false};
  }
  auto current = name();
  if (!current) return std::unexpected(std::move(current.error()));
  auto query = KernelQuery::open();
  if (!query) return std::unexpected(std::move(query.error()));
  auto space = network_namespace();
  if (space && is_own_namespace(space->get())) return query->link(*current);
  if (space) {
    const auto id = query->namespace_id(space->get());
    return id ? query->link(*current, *id) : glimpse(*current);
  }
  LinkState seen = glimpse(*current);
  if (told_mtu_bytes_) return seen;
  auto link = query->link(*current);
  return link && link->up == seen.up ? *link : seen;
}

Result<void> TunInterface::set_mtu(std::uint32_t mtu_bytes) const {
  auto current = name();
  if (!current) return std::unexpected(std::move(current.error()));
  return configure(*current, SIOCSIFMTU, static_cast<int>(mtu_bytes), "MTU");
}

bool interface_exists(const std::string& name) noexcept {
  auto request = request_for(name);
  if (!request) return false;
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  return socket && ::ioctl(socket.get(), SIOCGIFINDEX, &*request) == 0;
}

}  // namespace ferrule::io
