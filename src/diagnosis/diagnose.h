// From facts about a tunnel to what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/conf_check.h"
#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

using control::Severity;

/// Something that is wrong (error), may be (warning), or is worth knowing (note): for people and, by its
/// name, for programs.
struct Diagnosis {
  Severity severity = Severity::error;
  Step step = Step::interface;  // where it shows
  std::string_view name;        // "endpoint-loop"
  std::string peer;             // "": it is about the whole interface, or about many
  std::string what;             // in plain words
  std::string how;              // how that is known
  std::string mend;             // a command, or what else to do
};

/// Findings of a kind about more peers than this become one.
constexpr std::size_t kMostOfAKind = 5;

/// Everything there is to say: errors first, then warnings, then notes, each in the order in which a
/// packet would meet it; but what this machine does not let out comes before all. What makes all else
/// meaningless, like an interface that is not there, stands alone.
[[nodiscard]] std::vector<Diagnosis> diagnose(const DoctorFacts& facts);

}  // namespace ferrule::diagnosis
