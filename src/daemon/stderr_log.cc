#include "daemon/stderr_log.h"

#include <fmt/format.h>
#include <unistd.h>

namespace ferrule::daemon {

void StderrLog::write(LogLevel level, std::string_view line) noexcept {
  if (!wants(level)) return;
  try {
    const std::string text = fmt::format("ferruled: {}: {}\n", interface_, line);
    (void)!::write(STDERR_FILENO, text.data(), text.size());
  } catch (const std::exception&) {
    // No memory for a log line: the line is what can be spared.
  }
}

}  // namespace ferrule::daemon
