#include "proxy/allowed_calls.h"

#include <linux/sockios.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <cerrno>

#include "io/linux/call_filter.h"

namespace ferrule::proxy {

namespace {

// A sanitizer makes calls of its own.
#ifdef FERRULE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

constexpr int kAnyArguments[] = {
    // Clients, and sockets of inside.
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg), SCMP_SYS(accept4), SCMP_SYS(connect),
    SCMP_SYS(bind), SCMP_SYS(listen), SCMP_SYS(shutdown), SCMP_SYS(getsockname),
    SCMP_SYS(getpeername), SCMP_SYS(getsockopt), SCMP_SYS(setsockopt), SCMP_SYS(close),
    // Waiting.
    SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_settime64), SCMP_SYS(clock_gettime), SCMP_SYS(clock_gettime64),
    SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(nanosleep),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(poll), SCMP_SYS(ppoll),
    // Memory, threads and locks, as the C library has them.
    SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(mlock),
    SCMP_SYS(munlock), SCMP_SYS(futex), SCMP_SYS(futex_time64), SCMP_SYS(set_robust_list),
    SCMP_SYS(rseq), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(sigreturn),
    SCMP_SYS(rt_sigaction), SCMP_SYS(restart_syscall), SCMP_SYS(sched_yield), SCMP_SYS(exit),
    SCMP_SYS(exit_group), SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(fstat),
    SCMP_SYS(newfstatat), SCMP_SYS(lseek),
    // The end of ferruled, which is our child.
    SCMP_SYS(kill), SCMP_SYS(wait4), SCMP_SYS(waitpid)};

struct Socket {
  int family;
  int type;
};
constexpr Socket kSockets[] = {{AF_INET, SOCK_STREAM},
                               {AF_INET, SOCK_DGRAM},
                               {AF_INET6, SOCK_STREAM},
                               {AF_INET6, SOCK_DGRAM},
                               {AF_UNIX, SOCK_DGRAM}};  // if_nametoindex asks through one

}  // namespace

Result<void> restrict_calls() {
  if (kSanitized) return {};
  io::CallFilter filter(SCMP_ACT_ERRNO(EPERM));
  filter.set(SCMP_FLTATR_CTL_NNP, 1);
  filter.prefer(SCMP_FLTATR_CTL_OPTIMIZE, 2);
  for (const int call : kAnyArguments) filter.allow(call);
  for (const Socket& socket : kSockets) {
    filter.allow(SCMP_SYS(socket),
                 scmp_arg_cmp{0, SCMP_CMP_EQ, static_cast<scmp_datum_t>(socket.family), 0},
                 io::masked(1, io::kSocketTypeMask, static_cast<scmp_datum_t>(socket.type)));
  }
  // What has a TCP/IP stack at its other end.
  filter.allow(SCMP_SYS(socketpair), scmp_arg_cmp{0, SCMP_CMP_EQ, AF_UNIX, 0});
  for (const int call : {SCMP_SYS(mmap), SCMP_SYS(mmap2), SCMP_SYS(mprotect)}) {
    filter.allow(call, io::masked(2, PROT_EXEC, 0));
  }
  filter.allow(SCMP_SYS(ioctl), io::masked(1, 0xffffffff, SIOCGIFINDEX));
  return filter.load();
}

}  // namespace ferrule::proxy
