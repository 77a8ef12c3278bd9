// The system calls that the running daemon makes, and why.
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <memory>

#include "daemon/sandbox.h"

#ifndef TUNGETDEVNETNS  // Linux 5.11
#define TUNGETDEVNETNS _IO('T', 227)
#endif

namespace ferrule::daemon {

namespace {

constexpr int kAnyArguments[] = {
    // Packets: the tunnel interface, UDP, netlink, clients of the configuration socket.
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg),
    SCMP_SYS(accept4), SCMP_SYS(close),
    // The interface comes up, or the port changes: sockets are bound anew, lanes start.
    SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2),
    // Waiting. poll and epoll_wait are ppoll and epoll_pwait on some machines.
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(timerfd_settime), SCMP_SYS(clock_gettime), SCMP_SYS(getrandom),
    // Whether the socket's file is still ours, and its end; where the interface is (/proc/.../ns/net).
    SCMP_SYS(stat), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    // Memory, threads and locks, as the C library has them.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    // To let go of the terminal, once all works.
    SCMP_SYS(dup2), SCMP_SYS(dup3),
    // abort(), when a check fails; with tgkill, below.
    SCMP_SYS(rt_sigaction), SCMP_SYS(getpid), SCMP_SYS(gettid)};

// A call that is allowed when (argument & mask) == value.
struct Rule {
  int call;
  unsigned argument;
  std::uint64_t mask;
  std::uint64_t value;
};

constexpr std::uint64_t kWord = 0xffffffff;

constexpr Rule kRules[] = {
    // The interface's name, existence and network namespace; the number of a link-local scope.
    {SCMP_SYS(ioctl), 1, kWord, TUNGETIFF},
    {SCMP_SYS(ioctl), 1, kWord, TUNGETDEVNETNS},
    {SCMP_SYS(ioctl), 1, kWord, SIOCGIFINDEX},
    // No new code.
    {SCMP_SYS(mmap), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    // Threads, but no processes. A thread's name.
    {SCMP_SYS(clone), 0, CLONE_THREAD, CLONE_THREAD},
    {SCMP_SYS(prctl), 0, kWord, PR_SET_NAME},
};

struct Socket {
  int family;
  int type;
};

constexpr Socket kSockets[] = {
    {AF_INET, SOCK_DGRAM},
    {AF_INET6, SOCK_DGRAM},
    {AF_NETLINK, SOCK_RAW},
    {AF_UNIX, SOCK_DGRAM},  // if_nametoindex asks the kernel through one
};

constexpr std::uint64_t kSocketTypeMask = 0xf;  // without SOCK_CLOEXEC and SOCK_NONBLOCK

// Adds up failures, so that what follows reads as a list.
class Filter {
 public:
  Filter() noexcept : context_(::seccomp_init(SCMP_ACT_KILL_PROCESS), ::seccomp_release) {}

  void set(scmp_filter_attr attribute, std::uint32_t value) {
    note(context_ ? ::seccomp_attr_set(context_.get(), attribute, value) : -ENOMEM);
  }
  void answer(std::uint32_t action, int call) {
    note(context_ ? ::seccomp_rule_add(context_.get(), action, call, 0) : -ENOMEM);
  }
  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    note(context_ ? ::seccomp_rule_add(context_.get(), SCMP_ACT_ALLOW, call, sizeof...(conditions),
                                       conditions...)
                  : -ENOMEM);
  }
  Result<void> load() {
    if (error_ == 0) note(::seccomp_load(context_.get()));
    if (error_ == 0) return {};
    return std::unexpected(system_error(-error_, "restrict system calls (seccomp)"));
  }

 private:
  void note(int result) noexcept {
    if (error_ == 0 && result < 0) error_ = result;
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

scmp_arg_cmp masked(unsigned argument, std::uint64_t mask, std::uint64_t value) {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

}  // namespace

Result<void> restrict_calls() {
  // glibc gives threads arenas of their own, and reads files to decide how many there may be and
  // whether to shrink one: after a flood of handshakes, say. With one arena for all it reads nothing.
  (void)::mallopt(M_ARENA_MAX, 1);
  Filter filter;
  filter.set(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  // Found by binary search rather than one after the other.
  filter.set(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  // Kernels before 5.16 else slow the process down, against untrusted code in it: there is none.
  filter.set(SCMP_FLTATR_CTL_SSB, 1);
  for (const int call : kAnyArguments) filter.allow(call);
  for (const Rule& rule : kRules) {
    filter.allow(rule.call, masked(rule.argument, rule.mask, rule.value));
  }
  for (const Socket& socket : kSockets) {
    filter.allow(SCMP_SYS(socket), masked(0, kWord, static_cast<std::uint64_t>(socket.family)),
                 masked(1, kSocketTypeMask, static_cast<std::uint64_t>(socket.type)));
  }
  // Its flags lie in memory, where a filter can't look: the C library then takes clone.
  filter.answer(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  // When a thread gives memory back, the C library looks at how free the system is with it; it takes no
  // answer for no.
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat));
  // if_nametoindex of glibc before 2.35 looks for /proc/net, and goes on without.
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(access));
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(faccessat));
  filter.allow(SCMP_SYS(tgkill), masked(0, kWord, static_cast<std::uint64_t>(::getpid())));
  return filter.load();
}

}  // namespace ferrule::daemon
