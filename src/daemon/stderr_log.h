// The daemon's log: lines on standard error.
#pragma once

#include <string>

#include "base/log.h"

namespace ferrule::daemon {

/// Writes "ferruled: IFACE: line". Thread-safe: a line is one write(2).
class StderrLog final : public Log {
 public:
  StderrLog(LogLevel level, std::string interface)
      : level_(level), interface_(std::move(interface)) {}
  [[nodiscard]] bool wants(LogLevel level) const noexcept override {
    return level != LogLevel::silent && level <= level_;
  }
  void write(LogLevel level, std::string_view line) noexcept override;

 private:
  LogLevel level_;
  std::string interface_;
};

}  // namespace ferrule::daemon
