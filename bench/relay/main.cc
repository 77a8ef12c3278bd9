// The relay: ferruled with everything but the encryption. Handshakes, counters, replay window, super-
// packets and sockets are the daemon's own, and messages have the same sizes; only that sealing writes
// no more than a tag's room, and opening believes every message. So the difference between the two is
// what ChaCha20-Poly1305 costs. A measuring device, built with the benchmarks and never installed.
#include <signal.h>
#include <sys/prctl.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>

#include "crypto/aead.h"
#include "daemon/daemon.h"
#include "daemon/options.h"
#include "daemon/sandbox.h"
#include "daemon/stderr_log.h"
#include "service/uapi_place.h"

namespace ferrule {
namespace {

class NoAead final : public crypto::AeadBackend {
 public:
  std::string_view name() const noexcept override { return "none"; }
  void seal(std::span<const crypto::AeadPacket> packets) const noexcept override {
    for (const crypto::AeadPacket& packet : packets) {
      std::memset(packet.data + packet.size, 0, crypto::kTagSize);
    }
  }
  void open(std::span<const crypto::AeadPacket>, std::span<bool> opened) const noexcept override {
    std::ranges::fill(opened, true);
  }
};

int fail(const Error& error) {
  std::fprintf(stderr, "relay: %s\n", error.what.c_str());
  return 1;
}

int run(daemon::Options options) {
  static const NoAead none;
  options.aead = &none;
  ::signal(SIGPIPE, SIG_IGN);
  constexpr std::array kSignals = {SIGTERM, SIGINT};
  Result<io::SignalFd> signals = io::SignalFd::open(kSignals);
  if (!signals) return fail(signals.error());
  auto daemon = daemon::Daemon::open(options, std::move(*signals));
  if (!daemon) return fail(daemon.error());
  // The sandbox costs every system call a little, and is no part of the encryption either.
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  daemon::StderrLog log(options.log_level, options.interface);
  if (Result<void> entered = daemon::enter_sandbox(service::kUapiSocketDirectory, log); !entered) {
    return fail(entered.error());
  }
  (*daemon)->start();
  (*daemon)->run();
  return 0;
}

}  // namespace
}  // namespace ferrule

int main(int argc, char** argv) {
  const auto options = ferrule::daemon::read_options(argc, argv);
  if (const auto* exit = std::get_if<ferrule::daemon::Exit>(&options)) return exit->status;
  return ferrule::run(std::get<ferrule::daemon::Options>(options));
}
