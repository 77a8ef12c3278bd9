#include "cli/terminal/today.h"

#include <chrono>

namespace ferrule::cli {

control::Date today(const Console& console) {
  const std::chrono::sys_seconds now{std::chrono::seconds(console.now_s)};
  return std::chrono::floor<std::chrono::days>(now);
}

}  // namespace ferrule::cli
