#include "cli/doctor/checklist.h"

#include <langinfo.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <clocale>
#include <cstdlib>
#include <string>
#include <string_view>

#include "diagnosis/diagnose.h"

namespace ferrule::cli {

namespace {

using diagnosis::Severity;
using diagnosis::Step;

constexpr std::array<std::string_view, diagnosis::kStepCount> kLabels{
    "the interface, its key and its addresses",
    "the UDP port",
    "routes into the tunnel",
    "ways to the peers' endpoints",
    "the packet filter",
    "handshakes, and data there and back",
    "round trip, loss and packet size",
    "name servers",
};

std::string_view label_of(Step step) { return kLabels[static_cast<std::size_t>(step)]; }

bool is_utf8() {
  std::setlocale(LC_CTYPE, "");
  return std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

bool is_dumb() {
  const char* kind = std::getenv("TERM");
  return kind == nullptr || std::string_view(kind) == "dumb";
}

}  // namespace

Checklist::Checklist(Console& console)
    : out_(console.out),
      is_shown_(console.out.fd() >= 0 && isatty(console.out.fd()) == 1),
      is_redrawn_(!is_dumb()),
      has_signs_(is_shown_ && wants_color(console.out.fd()) && is_utf8()),
      style_(is_shown_ && wants_color(console.out.fd())) {}

diagnosis::Progress Checklist::progress() {
  if (!is_shown_) return {};
  return {[this](Step step) { begin(step); },
          [this](Step step, const diagnosis::DoctorFacts& facts) { end(step, facts); }};
}

void Checklist::begin(Step step) {
  if (!is_redrawn_) return;
  out_.print("{} {}", has_signs_ ? "…" : "...  ", label_of(step));
  out_.flush();
}

void Checklist::end(Step step, const diagnosis::DoctorFacts& facts) {
  auto worst = Severity::note;
  for (const diagnosis::Diagnosis& found : diagnosis::diagnose(facts)) {
    if (found.step == step) worst = std::min(worst, found.severity);
  }
  std::string mark = style_.colored(Color::green, has_signs_ ? "✓" : "ok   ");
  if (worst == Severity::warning) {
    mark = style_.colored(Color::yellow, has_signs_ ? "!" : "look ");
  } else if (worst == Severity::error) {
    mark = style_.colored(Color::red, has_signs_ ? "✗" : "wrong");
  }
  out_.print("{}{} {}\n", is_redrawn_ ? "\r\x1b[K" : "", mark, label_of(step));
  out_.flush();
}

}  // namespace ferrule::cli
