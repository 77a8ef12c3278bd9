// The system calls that the running daemon makes, and why.
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>

#include "daemon/allowed_calls.h"
#include "daemon/sandbox.h"
#include "io/linux/call_filter.h"

#ifndef TUNGETDEVNETNS  // Linux 5.11
#define TUNGETDEVNETNS _IO('T', 227)
#endif
#ifndef PR_SET_VMA  // Linux 5.17
#define PR_SET_VMA 0x53564d41
#endif

namespace ferrule::daemon {

namespace {

using io::CallFilter;
using io::kSocketTypeMask;
using io::masked;

// By name, for any machine: what has no such call passes over it. What a 64-bit machine calls stat is
// stat64 on a 32-bit one, and calls with a time in them have a second form there since 2038 came near.
constexpr int kAnyArguments[] = {
    // Packets: the tunnel interface, UDP, netlink, clients of the configuration socket.
    SCMP_SYS(read), SCMP_SYS(readv), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(recvmmsg), SCMP_SYS(recvmmsg_time64), SCMP_SYS(sendto),
    SCMP_SYS(sendmsg), SCMP_SYS(sendmmsg), SCMP_SYS(accept4), SCMP_SYS(close),
    // The interface comes up, or the port changes: sockets are bound anew, lanes start.
    SCMP_SYS(bind), SCMP_SYS(getsockname), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt),
    SCMP_SYS(epoll_create1), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create),
    // Waiting. poll and epoll_wait are ppoll and epoll_pwait on some machines.
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(poll),
    SCMP_SYS(ppoll), SCMP_SYS(ppoll_time64), SCMP_SYS(timerfd_settime), SCMP_SYS(timerfd_settime64),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64), SCMP_SYS(getrandom),
    // Whether the socket's file is still ours, and its end; where the interface is (/proc/.../ns/net).
    SCMP_SYS(stat), SCMP_SYS(stat64), SCMP_SYS(newfstatat), SCMP_SYS(fstatat64), SCMP_SYS(fstat),
    SCMP_SYS(fstat64), SCMP_SYS(statx), SCMP_SYS(unlink), SCMP_SYS(unlinkat),
    // Memory, threads and locks, as the C library has them.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex),
    SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list), SCMP_SYS(rseq), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield),
    SCMP_SYS(sched_getaffinity), SCMP_SYS(exit), SCMP_SYS(exit_group),
    // The older half of the log in /run/ferrule makes room.
    SCMP_SYS(ftruncate), SCMP_SYS(ftruncate64),
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
constexpr std::uint64_t kSocketCallSocket = 1;  // SYS_SOCKET of linux/net.h

constexpr Rule kRules[] = {
    // The interface's name, existence and network namespace; the number of a link-local scope.
    {SCMP_SYS(ioctl), 1, kWord, TUNGETIFF},
    {SCMP_SYS(ioctl), 1, kWord, TUNGETDEVNETNS},
    {SCMP_SYS(ioctl), 1, kWord, SIOCGIFINDEX},
    // No new code.
    {SCMP_SYS(mmap2), 2, PROT_EXEC, 0},
    {SCMP_SYS(mprotect), 2, PROT_EXEC, 0},
    // A thread's name.
    {SCMP_SYS(prctl), 0, kWord, PR_SET_NAME},
    // Where one call stands for all that sockets do, what is asked for lies in memory, where a filter
    // can't look: any socket, then. (What is done with it is told by the first argument, and
    // libseccomp sees to that.)
    {SCMP_SYS(socketcall), 0, kWord, kSocketCallSocket},
};

// What is not the same everywhere, though it has the same name.
struct Machine {
  unsigned clone_flags = 0;    // the argument
  bool mmap_arguments = true;  // mmap takes them in registers
  bool mmap = true;            // the C library calls it, and not mmap2
};

Machine machine_of(std::uint32_t architecture) {
  switch (architecture) {
    case SCMP_ARCH_S390X:
      return {.clone_flags = 1, .mmap_arguments = false};
    case SCMP_ARCH_S390:
      return {.clone_flags = 1, .mmap_arguments = false, .mmap = false};
    case SCMP_ARCH_X86:
    case SCMP_ARCH_ARM:
    case SCMP_ARCH_MIPS:
    case SCMP_ARCH_MIPSEL:
    case SCMP_ARCH_PPC:
    case SCMP_ARCH_PARISC:
      return {.mmap = false};
    default:
      return {};
  }
}

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

// A file is made beside the old one and put in its place. Where a path leads, a filter can't see: that is
// Landlock's part.
void allow_state(CallFilter& filter, int directory) {
  const auto folder = static_cast<scmp_datum_t>(directory);
  filter.allow(SCMP_SYS(openat), scmp_arg_cmp{0, SCMP_CMP_EQ, folder, 0});
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat), scmp_arg_cmp{0, SCMP_CMP_NE, folder, 0});
  filter.allow(SCMP_SYS(renameat), scmp_arg_cmp{0, SCMP_CMP_EQ, folder, 0});
  filter.allow(SCMP_SYS(renameat2), scmp_arg_cmp{0, SCMP_CMP_EQ, folder, 0});
  filter.allow(SCMP_SYS(fsync));
}

void describe(CallFilter& filter, std::uint32_t architecture, int state_directory) {
  filter.set_machine(architecture);
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  // What the kernel says, and not ECANCELED for all of it.
  filter.prefer(SCMP_FLTATR_API_SYSRAWRC, 1);
  // Found by binary search rather than one after the other.
  filter.prefer(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  // Kernels before 5.16 else slow the process down, against untrusted code in it: there is none.
  filter.prefer(SCMP_FLTATR_CTL_SSB, 1);
  // Else a call of another architecture ends one thread alone.
  filter.prefer(SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
  for (const int call : kAnyArguments) filter.allow(call);
  for (const Rule& rule : kRules) {
    filter.allow(rule.call, masked(rule.argument, rule.mask, rule.value));
  }
  for (const Socket& socket : kSockets) {
    filter.allow(SCMP_SYS(socket), masked(0, kWord, static_cast<std::uint64_t>(socket.family)),
                 masked(1, kSocketTypeMask, static_cast<std::uint64_t>(socket.type)));
  }
  const Machine machine = machine_of(architecture);
  if (!machine.mmap_arguments) {
    filter.allow(SCMP_SYS(mmap));  // mprotect still makes no code
  } else if (machine.mmap) {
    filter.allow(SCMP_SYS(mmap), masked(2, PROT_EXEC, 0));
  }
  // Threads, but no processes.
  filter.allow(SCMP_SYS(clone), masked(machine.clone_flags, CLONE_THREAD, CLONE_THREAD));
  // Its flags lie in memory, where a filter can't look: the C library then takes clone.
  filter.answer(SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3));
  // When a thread gives memory back, the C library looks at how free the system is with it; it takes no
  // answer for no.
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(open));
  if (state_directory >= 0) {
    allow_state(filter, state_directory);
  } else {
    filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(openat));
  }
  // if_nametoindex of glibc before 2.35 looks for /proc/net, and goes on without.
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(access));
  filter.answer(SCMP_ACT_ERRNO(EACCES), SCMP_SYS(faccessat));
  // C libraries name their mappings, where the kernel can do that.
  filter.answer(SCMP_ACT_ERRNO(EINVAL), SCMP_SYS(prctl), masked(0, kWord, PR_SET_VMA));
  filter.allow(SCMP_SYS(tgkill), masked(0, kWord, static_cast<std::uint64_t>(::getpid())));
}

}  // namespace

Result<void> restrict_calls(int state_directory) {
  // glibc gives threads arenas of their own, and reads files to decide how many there may be and
  // whether to shrink one: after a flood of handshakes, say. With one arena for all it reads nothing.
  (void)::mallopt(M_ARENA_MAX, 1);
  CallFilter filter;
  describe(filter, ::seccomp_arch_native(), state_directory);
  return filter.load();
}

Result<void> write_call_filter(std::uint32_t architecture, int fd, int state_directory) {
  CallFilter filter;
  describe(filter, architecture, state_directory);
  return filter.write(fd);
}

}  // namespace ferrule::daemon
