#include "daemon/capabilities.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>

namespace ferrule::daemon {

namespace {

constexpr std::uint64_t bit(int capability) { return 1ull << capability; }

constexpr std::uint64_t kKept =
    // A mark, larger socket buffers, and the network namespace that the interface is in.
    bit(CAP_NET_ADMIN) |
    // Another listen port.
    bit(CAP_NET_BIND_SERVICE) |
    // Memory allocated from now on is locked too (locked_memory.h).
    bit(CAP_IPC_LOCK);

using Sets = std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3>;

bool transfer(long call, Sets& sets) noexcept {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  return ::syscall(call, &header, sets.data()) == 0;
}

}  // namespace

Result<void> drop_capabilities() {
  // Fails past the last capability of this kernel, and everywhere without CAP_SETPCAP: then there is
  // nothing to gain either, since no_new_privs is set.
  for (int capability = 0; capability < 64; ++capability) {
    if ((kKept & bit(capability)) == 0) ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  }
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);  // unknown before Linux 4.3
  Sets sets{};
  if (!transfer(SYS_capget, sets)) {
    return std::unexpected(system_error(errno, "read own capabilities"));
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    sets[i].permitted &= static_cast<std::uint32_t>(kKept >> (32 * i));
    sets[i].effective = sets[i].permitted;
    sets[i].inheritable = 0;
  }
  if (!transfer(SYS_capset, sets)) {
    return std::unexpected(system_error(errno, "drop capabilities"));
  }
  return {};
}

}  // namespace ferrule::daemon
