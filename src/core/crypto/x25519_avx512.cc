// X25519 on AVX-512 with IFMA: eight at a time, each on a lane of its own.
//
// Branches and addresses depend on how many there are, never on a key or a point.
#include "crypto/avx512/target.h"
#include "crypto/x25519_backends.h"

#ifdef FERRULE_AVX512
#include <algorithm>
#include <cstring>

#include "crypto/avx512/cpu.h"
#include "crypto/avx512/ladder.h"
#include "crypto/avx512/wipe.h"

namespace ferrule::crypto {

namespace avx512 {
namespace {

static_assert(kX25519Lanes == curve::kLanes);
static_assert(sizeof curve::Rows{}.word[0] == kKeySize);

constexpr PublicKey kBasePoint{{9}};

// What secrets pass through on their way. Lanes that nobody asked for work on zeros, or on what they
// worked on before.
struct Workspace {
  curve::Rows scalars{};
  curve::Rows points{};
};

FERRULE_AVX512_INLINE void multiply_group(std::span<X25519Job> jobs,
                                          Workspace& workspace) noexcept {
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const PublicKey& point = jobs[i].peer == nullptr ? kBasePoint : *jobs[i].peer;
    std::memcpy(workspace.scalars.word[i], jobs[i].key->data(), kKeySize);
    std::memcpy(workspace.points.word[i], point.bytes.data(), kKeySize);
  }
  curve::multiply_points(workspace.scalars, workspace.points);
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& word = workspace.points.word[i];
    std::memcpy(jobs[i].out.data(), word, kKeySize);
    jobs[i].accepted = (word[0] | word[1] | word[2] | word[3]) != 0;
  }
}

FERRULE_AVX512 void multiply(std::span<X25519Job> jobs) noexcept {
  Workspace workspace;
  for (std::size_t i = 0; i < jobs.size(); i += kX25519Lanes) {
    multiply_group(jobs.subspan(i, std::min(kX25519Lanes, jobs.size() - i)), workspace);
  }
  wipe(&workspace, sizeof workspace / kVecSize);
  wipe_stack<curve::kLadderDepth>();
  wipe_registers();
}

}  // namespace
}  // namespace avx512

X25519Batch avx512_x25519() noexcept { return avx512::cpu_can_run() ? &avx512::multiply : nullptr; }

}  // namespace ferrule::crypto

#else

namespace ferrule::crypto {
X25519Batch avx512_x25519() noexcept { return nullptr; }
}  // namespace ferrule::crypto

#endif
