// State files: nothing that is wrong is believed, and what is believed is written and read again as the
// same. An input is tried as it is, and with a checksum that holds, so that what is behind it is reached.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "control/state_format.h"

namespace ferrule {
namespace {

using File = std::vector<std::uint8_t>;

void append(File& file, Bytes bytes) { file.insert(file.end(), bytes.begin(), bytes.end()); }

void sign(File& file) {
  const crypto::Hash hash = crypto::hash({file});
  append(file, hash);
}

void check(Bytes file) {
  const auto state = control::read_state(file);
  FERRULE_CHECK(state.has_value() || !state.error().empty());
  if (!state) return;
  File again;
  append(again, control::state_header(*state));
  for (const protocol::PeerMemory& peer : state->memory.peers) {
    append(again, control::state_record(peer));
  }
  sign(again);
  FERRULE_CHECK(again.size() == file.size());
  const auto same = control::read_state(again);
  FERRULE_CHECK(same.has_value());
  FERRULE_CHECK(same->written_s == state->written_s);
  FERRULE_CHECK(same->memory.identity == state->memory.identity);
  FERRULE_CHECK(same->memory.reserved == state->memory.reserved);
  FERRULE_CHECK(same->memory.peers == state->memory.peers);
}

}  // namespace
}  // namespace ferrule

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  const Bytes input(data, size);
  check(input);
  File file(input.begin(), input.end());
  sign(file);
  check(file);
  return 0;
}
