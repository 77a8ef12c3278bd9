// ferruled: a WireGuard interface in user space.
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <vector>

#include "crypto/prepare.h"
#include "daemon/background.h"
#include "daemon/daemon.h"
#include "daemon/locked_memory.h"
#include "daemon/options.h"
#include "daemon/sandbox.h"
#include "daemon/stderr_log.h"
#include "daemon/steady_heap.h"
#include "service/uapi_place.h"

namespace ferrule::daemon {
namespace {

int fail(StderrLog& log, const Error& error) {
  log.write_always(error.what);
  return 1;
}

int fail(const Options& options, const Error& error) {
  StderrLog log(options.log_level, options.interface);
  return fail(log, error);
}

// A caller may have closed the standard descriptors: what is opened next must not take their place.
void open_standard_descriptors() {
  int fd;
  do {
    fd = ::open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

// Keys never reach a core dump, nor another process by ptrace.
void guard_memory() {
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  ::prctl(PR_SET_DUMPABLE, 0);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

// Whoever started us with a signal ignored (nohup, a shell without job control, trap '') wants us to
// outlive it: such a one is not waited for, and stays ignored.
bool is_ignored(int signal) {
  struct sigaction inherited{};
  return ::sigaction(signal, nullptr, &inherited) == 0 && inherited.sa_handler == SIG_IGN;
}

Result<io::SignalFd> open_signals() {
  std::vector<int> signals;
  for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGUSR1}) {
    if (!is_ignored(signal)) signals.push_back(signal);
  }
  ::signal(SIGPIPE, SIG_IGN);
  return io::SignalFd::open(signals);
}

// An adopted interface has a name of its own.
Result<void> write_name(const Options& options, const std::string& interface) {
  if (!options.tun_name_file) return {};
  std::ofstream file(*options.tun_name_file);
  if (file << interface << '\n' << std::flush) return {};
  return std::unexpected(system_error(EIO, "write " + *options.tun_name_file));
}

// A sanitizer must open its reports, and look into its own process.
#ifdef FERRULE_SANITIZED
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

Result<void> confine(const Options& options, Log& log, int state_directory) {
  if (kSanitized) return {};
  lock_memory(log);
  if (!options.sandbox) return {};
  crypto::prepare_libraries();
  Result<void> entered = enter_sandbox(service::kUapiSocketDirectory, log, state_directory);
  if (!entered) entered.error().what += "; --no-sandbox goes without";
  return entered;
}

int run(const Options& options) {
  Readiness readiness = Readiness::in_foreground();
  if (!options.foreground) {
    Result<Readiness> background = Readiness::go_to_background();
    if (!background) return fail(options, background.error());
    readiness = std::move(*background);
  }
  guard_memory();
  Result<io::SignalFd> signals = open_signals();
  if (!signals) return fail(options, signals.error());
  Result<std::unique_ptr<Daemon>> daemon = Daemon::open(options, std::move(*signals));
  if (!daemon) return fail(options, daemon.error());
  StderrLog& log = (*daemon)->log();
  if (Result<void> written = write_name(options, (*daemon)->interface()); !written) {
    return fail(log, written.error());
  }
  readiness.prepare();
  Result<void> confined = confine(options, log, (*daemon)->state_directory());
  if (!confined) return fail(log, confined.error());
  (*daemon)->start();
  if (!options.foreground) log.flush();  // it may let go of the terminal now
  readiness.ready(options.log_level_given);
  (*daemon)->run();
  return 0;
}

}  // namespace
}  // namespace ferrule::daemon

int main(int argc, char** argv) {
  ferrule::daemon::steady_heap();
  ferrule::daemon::open_standard_descriptors();
  const auto options = ferrule::daemon::read_options(argc, argv);
  if (const auto* exit = std::get_if<ferrule::daemon::Exit>(&options)) return exit->status;
  return ferrule::daemon::run(std::get<ferrule::daemon::Options>(options));
}
