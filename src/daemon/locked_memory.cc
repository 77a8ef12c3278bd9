#include "daemon/locked_memory.h"

#include <fmt/format.h>
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

#include "daemon/capabilities.h"

namespace ferrule::daemon {

namespace {

// Under a limit, what is allocated later would be refused once the limit is reached; and room that is
// only reserved, such as the stacks of threads, counts in full.
bool may_lock_without_limit() {
  rlimit limit{};
  return has_capability(CAP_IPC_LOCK) ||
         (::getrlimit(RLIMIT_MEMLOCK, &limit) == 0 && limit.rlim_cur == RLIM_INFINITY);
}

}  // namespace

void lock_memory(Log& log) {
  if (!may_lock_without_limit()) {
    log.write(LogLevel::error,
              "keys may be written to swap: locking memory takes CAP_IPC_LOCK or an unlimited "
              "RLIMIT_MEMLOCK");
  } else if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) {
    log.write(LogLevel::error,
              fmt::format("keys may be written to swap: locking memory: {}", std::strerror(errno)));
  }
}

}  // namespace ferrule::daemon
