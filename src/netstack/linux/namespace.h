// A network of one's own, for which no privilege is needed: user and network namespaces with a tunnel
// interface inside.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/net.h"
#include "io/linux/fd.h"
#include "io/linux/network.h"
#include "netstack/linux/socket_reach.h"

namespace ferrule::netstack {

/// What programs inside find in /etc. Value type.
struct ResolverFiles {
  std::optional<std::string> resolv_conf;  // none: the machine's
};

/// Value type.
struct NamespaceSettings {
  std::string interface;
  std::uint32_t mtu_bytes = 0;
  std::vector<io::LinkAddress> addresses;
  std::vector<Cidr> routes;            // what leads into the interface
  std::optional<ResolverFiles> files;  // programs are to run inside: they get a mount namespace
};

/// The namespaces, and a helper process that lives in them. It makes everything that the settings say,
/// hands out the interface's descriptor, gives up all rights, and from then on opens sockets and does
/// nothing else (`helper_calls.h`). It ends when this object goes.
class Namespace {
 public:
  /// Forks: call with no other thread running. An Error says what the machine does not allow, and what
  /// can be done about it. No user namespace is made where the caller needs none (root).
  [[nodiscard]] static Result<Namespace> open(const NamespaceSettings& settings);
  Namespace(Namespace&& other) noexcept;
  Namespace& operator=(Namespace&&) = delete;
  ~Namespace();

  /// Of the interface: packets without headers of the driver's, with vnet headers; once.
  [[nodiscard]] io::UniqueFd take_tun() noexcept { return std::move(tun_); }
  /// What could not be made as the settings say, and is no reason to give up.
  [[nodiscard]] const std::vector<std::string>& notes() const noexcept { return notes_; }
  /// Whether it has a user namespace of its own.
  [[nodiscard]] bool is_unprivileged() const noexcept { return static_cast<bool>(user_); }

  /// Fresh sockets of inside.
  [[nodiscard]] Result<std::vector<io::UniqueFd>> sockets(int family, int type, std::size_t count);

  /// What a process needs to come inside: the descriptors to pass to it.
  [[nodiscard]] std::vector<int> doors() const;
  /// Puts the calling process inside, through `doors`; it has one thread. Its working folder stays.
  [[nodiscard]] static Result<void> enter(const std::vector<io::UniqueFd>& doors);

  /// The helper's end of life can be waited for here: readable then.
  [[nodiscard]] int poll_fd() const noexcept { return control_.get(); }

 private:
  Namespace(pid_t helper, io::UniqueFd control) noexcept
      : helper_(helper), control_(std::move(control)) {}
  pid_t helper_;
  io::UniqueFd control_;
  io::UniqueFd tun_;
  io::UniqueFd user_;
  io::UniqueFd network_;
  io::UniqueFd mounts_;
  std::vector<std::string> notes_;
};

/// The reach into a namespace, which outlives it.
class NamespaceReach final : public SocketReach {
 public:
  explicit NamespaceReach(Namespace& inside) noexcept : inside_(inside) {}

 protected:
  [[nodiscard]] Result<io::UniqueFd> make(int family, int type) override;

 private:
  struct Kind {
    int family;
    int type;
    std::vector<io::UniqueFd> spare;
  };
  Namespace& inside_;
  std::vector<Kind> kinds_;
};

}  // namespace ferrule::netstack
