#include "daemon/sandbox.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "daemon/capabilities.h"
#include "io/linux/fd.h"

// Landlock since Linux 6.2, 6.7, 6.10 and 6.12, which headers may not know.
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ull << 14)
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV (1ull << 15)
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP (1ull << 0)
#define LANDLOCK_ACCESS_NET_CONNECT_TCP (1ull << 1)
#endif
#ifndef LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ull << 0)
#define LANDLOCK_SCOPE_SIGNAL (1ull << 1)
#endif

namespace ferrule::daemon {

namespace {

// The kernel's struct landlock_ruleset_attr as of version 6. An older kernel takes it as long as what
// it doesn't know is zero.
struct RulesetAttributes {
  std::uint64_t handled_access_fs;
  std::uint64_t handled_access_net;
  std::uint64_t scoped;
};

// Everything that Landlock of this version can forbid.
RulesetAttributes everything(int version) {
  RulesetAttributes all{};
  all.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
  if (version >= 2) all.handled_access_fs |= LANDLOCK_ACCESS_FS_REFER;
  if (version >= 3) all.handled_access_fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
  if (version >= 4) {
    all.handled_access_net = LANDLOCK_ACCESS_NET_BIND_TCP | LANDLOCK_ACCESS_NET_CONNECT_TCP;
  }
  if (version >= 5) all.handled_access_fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
  if (version >= 6) all.scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET | LANDLOCK_SCOPE_SIGNAL;
  return all;
}

constexpr std::uint64_t kReplaceFiles =
    LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_FILE;

Result<void> allow(const io::UniqueFd& ruleset, int directory, std::uint64_t access,
                   const std::string& name) {
  landlock_path_beneath_attr rule{};
  rule.allowed_access = access;
  rule.parent_fd = directory;
  if (::syscall(SYS_landlock_add_rule, ruleset.get(), LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
    return std::unexpected(system_error(errno, "Landlock: allow what is needed in " + name));
  }
  return {};
}

Result<void> allow_removing(const io::UniqueFd& ruleset, const std::string& directory) {
  const io::UniqueFd parent(::open(directory.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!parent) return {};  // an adopted socket may have its file elsewhere, or none
  return allow(ruleset, parent.get(), LANDLOCK_ACCESS_FS_REMOVE_FILE, directory);
}

}  // namespace

Result<void> enter_sandbox(const std::string& socket_directory, Log& log, int state_directory) {
  if (Result<void> dropped = drop_capabilities(); !dropped) return dropped;
  const Result<int> landlock = restrict_files(socket_directory, state_directory);
  if (!landlock) return std::unexpected(landlock.error());
  if (*landlock == 0) log.write(LogLevel::verbose, "this kernel has no Landlock: going without");
  return restrict_calls(state_directory);
}

Result<int> restrict_files(const std::string& directory, int state_directory) {
  // Older container runtimes refuse calls that they don't know with errors of their own choice.
  const long version =
      ::syscall(SYS_landlock_create_ruleset, nullptr, 0, LANDLOCK_CREATE_RULESET_VERSION);
  if (version <= 0) return 0;
  const RulesetAttributes attributes = everything(static_cast<int>(version));
  const io::UniqueFd ruleset(
      static_cast<int>(::syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0)));
  if (!ruleset) return std::unexpected(system_error(errno, "Landlock: create rules"));
  Result<void> allowed = allow_removing(ruleset, directory);
  if (allowed && state_directory >= 0) {
    allowed = allow(ruleset, state_directory, kReplaceFiles, "the state's folder");
  }
  if (!allowed) return std::unexpected(allowed.error());
  if (::syscall(SYS_landlock_restrict_self, ruleset.get(), 0) != 0) {
    return std::unexpected(system_error(errno, "Landlock: restrict this process"));
  }
  return static_cast<int>(version);
}

}  // namespace ferrule::daemon
