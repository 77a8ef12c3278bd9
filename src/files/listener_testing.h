// A listener that keeps what it is told, for tests.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "files/listener.h"

namespace ferrule::files {

class TestListener final : public Listener {
 public:
  void step(std::string_view command) override { keep("[#] ", command); }
  void warn(std::string_view what) override { keep("Warning: ", what); }
  void fail(std::string_view what) override { keep("failed: ", what); }
  void say(std::string_view line) override { keep("", line); }

  [[nodiscard]] const std::vector<std::string>& heard() const noexcept { return heard_; }

 private:
  void keep(std::string_view kind, std::string_view what) {
    heard_.emplace_back(kind);
    heard_.back() += what;
  }
  std::vector<std::string> heard_;
};

}  // namespace ferrule::files
