// What is behind the handles of the C ABI.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/log.h"
#include "base/rng.h"
#include "control/conf_configuration.h"
#include "control/wiped_text.h"
#include "crypto/random.h"
#include "ferrule.h"
#include "tunnel/tunnel.h"

namespace ferrule::ffi {

/// Lines to the caller's function.
class CallersLog final : public Log {
 public:
  explicit CallersLog(const ferrule_options& options) noexcept
      : log_(options.log), user_(options.user), level_(options.log_level) {}
  bool wants(LogLevel level) const noexcept override {
    return log_ != nullptr && static_cast<std::int32_t>(level) <= level_;
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    if (wants(level)) log_(user_, static_cast<std::int32_t>(level), line.data(), line.size());
  }

 private:
  decltype(ferrule_options::log) log_;
  void* user_;
  std::int32_t level_;
};

/// The caller's randomness, or the system's.
class CallersRng final : public Rng {
 public:
  explicit CallersRng(const ferrule_options& options) noexcept
      : random_(options.random), user_(options.user) {}
  bool fill(MutBytes out) noexcept override {
    if (random_ != nullptr) return random_(user_, out.data(), out.size()) == 0;
    return system_.fill(out);
  }

 private:
  decltype(ferrule_options::random) random_;
  void* user_;
  crypto::SystemRng system_;
};

}  // namespace ferrule::ffi

struct ferrule_tunnel {
  explicit ferrule_tunnel(const ferrule_options& options) : log(options), rng(options) {}

  ferrule::ffi::CallersLog log;
  ferrule::ffi::CallersRng rng;
  ferrule::tunnel::Tunnel tunnel{rng, log};
  ferrule::tunnel::Output out;
  std::size_t datagrams_taken = 0;
  std::size_t packets_taken = 0;
  ferrule::control::WipedText answer;
  // Kept for their memory.
  std::vector<ferrule::Bytes> packets;
  std::vector<ferrule::tunnel::Incoming> incoming;
};

struct ferrule_conf {
  std::vector<ferrule::control::ConfError> mistakes;  // warnings, where there is a configuration
  bool is_read = false;
  // By number of ferrule_conf_part. Empty where it was not read.
  std::vector<ferrule::control::WipedText> parts;
};
