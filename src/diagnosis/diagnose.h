// From facts about a tunnel to what is wrong with it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "diagnosis/facts.h"

namespace ferrule::diagnosis {

/// Something that is wrong, for people and, by its name, for programs.
struct Diagnosis {
  std::string_view name;  // "endpoint-loop"
  std::string peer;       // "": it is about the whole interface
  std::string what;       // in plain words
  std::string how;        // how that is known
  std::string mend;       // a command, or what else to do
};

/// Everything that is wrong, in the order in which a packet would meet it. What makes all else
/// meaningless, like an interface that is not there, stands alone.
[[nodiscard]] std::vector<Diagnosis> diagnose(const DoctorFacts& facts);

}  // namespace ferrule::diagnosis
