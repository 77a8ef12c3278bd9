#include "netstack/linux/helper_calls.h"

#include <linux/capability.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>

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

scmp_arg_cmp equal(unsigned argument, scmp_datum_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, 0xf, value};
}

int add_rules(scmp_filter_ctx filter) {
  int result = ::seccomp_attr_set(filter, SCMP_FLTATR_CTL_NNP, 1);
  const auto note = [&](int one) {
    if (result == 0) result = one;
  };
  for (const int call : kAnyArguments) note(::seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 0));
  for (const int family : {AF_INET, AF_INET6}) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
      note(::seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 2,
                              scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(family), 0},
                              equal(1, static_cast<scmp_datum_t>(type))));
    }
  }
  return result;
}

}  // namespace

Result<void> restrict_helper() {
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (kSanitized) return {};
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(
      ::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release);
  if (!filter) return std::unexpected(system_error(ENOMEM, "restrict system calls"));
  int result = add_rules(filter.get());
  if (result == 0) result = ::seccomp_load(filter.get());
  if (result != 0) return std::unexpected(system_error(-result, "restrict system calls (seccomp)"));
  return {};
}

}  // namespace ferrule::netstack
