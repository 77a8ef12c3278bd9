#include "daemon/locked_memory.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace ferrule::daemon {

namespace {

// Under a limit, what is allocated later would be refused once the limit is reached; and room that is
// only reserved, such as the stacks of threads, counts in full.
bool may_lock_without_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_MEMLOCK, &limit) != 0) return false;
  if (limit.rlim_cur == RLIM_INFINITY) return true;
  // In a user namespace CAP_IPC_LOCK may be held and count for nothing: try without any allowance.
  const rlimit none{0, limit.rlim_max};
  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0) return false;
  const bool may = ::mlock(&limit, sizeof limit) == 0;
  if (may) (void)::munlock(&limit, sizeof limit);
  return ::setrlimit(RLIMIT_MEMLOCK, &limit) == 0 && may;
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
