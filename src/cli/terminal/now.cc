#include "cli/terminal/now.h"

namespace ferrule::cli {

control::Date now_of(const Console& console) {
  return control::Date{std::chrono::seconds(console.now_s)};
}

}  // namespace ferrule::cli
