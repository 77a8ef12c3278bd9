#include "netstack/linux/helper_calls.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "io/linux/call_filter.h"

namespace ferrule::netstack {

namespace {

// A sanitizer makes calls of its own.
#ifdef FERRULE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr int kAnyArguments[] = {
    // Requests and answers.
    SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(close),
    // Memory, and the end.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(exit_group),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall)};

Result<void> drop_capabilities() {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> none{};
  if (::syscall(SYS_capset, &header, none.data()) == 0) return {};
  return std::unexpected(system_error(errno, "drop capabilities"));
}

}  // namespace

Result<void> restrict_helper() {
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (kSanitized) return {};
  io::CallFilter filter;
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  for (const int call : kAnyArguments) filter.allow(call);
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      filter.allow(SCMP_SYS(socket),
                   scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0},
                   io::masked(1, io::kSocketTypeMask, static_cast<scmp_datum_t>(type)));
    }
  }
  return filter.load();
}

}  // namespace ferrule::netstack
