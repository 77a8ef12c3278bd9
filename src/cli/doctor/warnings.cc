#include "cli/doctor/warnings.h"

#include <cstddef>

namespace ferrule::cli {

using control::ConfFinding;
using control::Severity;

namespace {
constexpr std::size_t kMostWarnings = 10;
}

void warn_of(Console& console, const std::vector<ConfFinding>& findings, const std::string& path) {
  std::size_t count = 0;
  for (const ConfFinding& finding : findings) {
    const bool is_said = finding.rule == "host-bits" || finding.rule == "readable-keys";
    if (finding.severity == Severity::note || is_said || ++count > kMostWarnings) continue;
    console.err.print("Warning: {}:{}: {}\n", finding.where.file, finding.where.line,
                      finding.where.message);
  }
  if (count > kMostWarnings) {
    console.err.print("Warning: {} more: ferrule check {}\n", count - kMostWarnings, path);
  }
  console.err.flush();
}

}  // namespace ferrule::cli
