// ChaCha20-Poly1305 on AVX2 and BMI2, or on NEON: up to sixteen packets at a time, their blocks side by
// side on the lanes of ChaCha, and Poly1305 of the blocks before between its rounds: ChaCha fills the
// vector units, Poly1305 the integer units, and together they take little more time than ChaCha alone.
//
// Branches and addresses depend on lengths and on the equality of key pointers, never on a key or
// on data.
#include "crypto/aead_backends.h"
#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include <algorithm>
#include <array>
#include <cstring>

#include "base/check.h"
#include "crypto/batch/packets.h"
#include "crypto/batch/plan.h"
#include "crypto/interleaved/add_bytes.h"
#include "crypto/interleaved/authenticator.h"
#include "crypto/interleaved/chacha.h"
#include "crypto/interleaved/few_blocks.h"

namespace ferrule::crypto {

namespace interleaved {
namespace {

using batch::BlockRun;
using batch::kMaxGroup;
using batch::Order;
using Pass = batch::Pass<kLanes>;
using Plan = batch::Plan<kLanes>;

// What a call works in. What is secret of it is wiped once, when the call is through.
struct Workspace {
  LaneInputs inputs;
  Keystream keystream;
  Authenticator authenticator;

  FERRULE_VECTOR_INLINE void wipe() noexcept {
    inputs.wipe();
    interleaved::wipe(&keystream, sizeof keystream / kVecSize);
    authenticator.wipe();
  }
};

// Up to sixteen packets.
class Group {
 public:
  FERRULE_VECTOR_INLINE Group(std::span<const AeadPacket> packets, Order order,
                              Workspace& workspace) noexcept
      : packets_(packets),
        all_{static_cast<unsigned>(packets.size()), 0},
        work_(workspace),
        authenticator_(workspace.authenticator),
        plan_(packets, order),
        one_key_(batch::share_a_key(packets)) {
    authenticator_.start(packets);
    if (one_key_) work_.inputs.set_key(0, *packets[0].key);
  }

  // What a pass has made is authenticated beside the rounds of the next.
  FERRULE_VECTOR_INLINE void seal() noexcept {
    while (plan_.next(pass_)) {
      make_pass();
      add_keystream();
      authenticator_.release(pass_.after());
    }
    authenticator_.catch_up(all_);
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      std::memcpy(packets_[i].data + packets_[i].size, &authenticator_.tag(i), kTagSize);
    }
  }

  // What packets came with is authenticated beside all rounds, as soon as there are keys, and at the
  // latest when plaintext shall take its place.
  FERRULE_VECTOR_INLINE void open(std::span<bool> opened) noexcept {
    authenticator_.release(all_);
    while (plan_.next(pass_)) {
      make_pass();
      authenticator_.catch_up(pass_.after());
      add_keystream();
    }
    authenticator_.catch_up(all_);
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      const Tag& tag = authenticator_.tag(i);
      opened[i] = batch::has_tag(packets_[i], tag.low, tag.high);
    }
  }

 private:
  FERRULE_VECTOR_INLINE void make_pass() noexcept {
    // Few lanes alone take half the time, but what waits for authentication costs more than that
    // if it has to be done after them.
    if (pass_.lanes() <= kFewBlocks && !authenticator_.has_run(1)) {
      make_few_lanes();
    } else {
      make_lanes();
    }
    for (const BlockRun& run : pass_.runs()) {
      if (run.has_key()) authenticator_.add_key(work_.keystream.block[run.lane]);
    }
  }
  FERRULE_VECTOR_INLINE void make_few_lanes() noexcept {
    if constexpr (kFewBlocks > 0) {
      std::array<BlockStart, kFewBlocks> starts;
      for (const BlockRun& run : pass_.runs()) {
        const AeadPacket& packet = packets_[run.packet];
        for (unsigned i = 0; i < run.lanes; ++i) {
          starts[run.lane + i] = {packet.key, packet.counter, run.block + i};
        }
      }
      make_few_blocks(std::span(starts).first(pass_.lanes()), work_.keystream);
    }
  }
  FERRULE_VECTOR_INLINE void make_lanes() noexcept {
    LaneFiller filler;
    for (const BlockRun& run : pass_.runs()) {
      const AeadPacket& packet = packets_[run.packet];
      filler.set(run.lane, packet.counter, run.block);
      if (!one_key_) work_.inputs.set_key(run.lane, *packet.key);
    }
    filler.write(work_.inputs);
    make_keystream(work_.inputs, work_.keystream, authenticator_);
  }
  FERRULE_VECTOR_INLINE void add_keystream() noexcept {
    for (const BlockRun& run : pass_.data()) {
      const AeadPacket& packet = packets_[run.packet];
      add_bytes(packet.data + run.offset(), work_.keystream.block[run.data_lane()],
                run.bytes(packet.size));
    }
  }

  std::span<const AeadPacket> packets_;
  batch::Progress all_;
  Workspace& work_;
  Authenticator& authenticator_;
  Plan plan_;
  Pass pass_;
  bool one_key_;
};

// Functions of their own, so that what they spill is below the frame from which it is wiped.
__attribute__((noinline)) FERRULE_VECTOR void seal_groups(std::span<const AeadPacket> packets,
                                                          Workspace& workspace) noexcept {
  for (std::size_t i = 0; i < packets.size(); i += kMaxGroup) {
    Group(packets.subspan(i, std::min(kMaxGroup, packets.size() - i)), Order::packet_by_packet,
          workspace)
        .seal();
  }
}
__attribute__((noinline)) FERRULE_VECTOR void open_groups(std::span<const AeadPacket> packets,
                                                          std::span<bool> opened,
                                                          Workspace& workspace) noexcept {
  for (std::size_t i = 0; i < packets.size(); i += kMaxGroup) {
    const std::size_t count = std::min(kMaxGroup, packets.size() - i);
    Group(packets.subspan(i, count), Order::keys_first, workspace).open(opened.subspan(i, count));
  }
}

FERRULE_VECTOR_INLINE void leave_nothing(Workspace& workspace) noexcept {
  workspace.wipe();
  wipe_stack();
  wipe_registers();
}

class Backend final : public AeadBackend {
 public:
  [[nodiscard]] std::string_view name() const noexcept override { return kName; }

  FERRULE_VECTOR void seal(std::span<const AeadPacket> packets) const noexcept override {
    Workspace workspace;
    seal_groups(packets, workspace);
    leave_nothing(workspace);
  }
  FERRULE_VECTOR void open(std::span<const AeadPacket> packets,
                           std::span<bool> opened) const noexcept override {
    FERRULE_CHECK(opened.size() == packets.size());
    Workspace workspace;
    open_groups(packets, opened, workspace);
    leave_nothing(workspace);
  }
};

}  // namespace
}  // namespace interleaved

const AeadBackend* interleaved_aead_backend() noexcept {
  static const interleaved::Backend backend;
  return interleaved::cpu_can_run() ? &backend : nullptr;
}

}  // namespace ferrule::crypto

#else

namespace ferrule::crypto {
const AeadBackend* interleaved_aead_backend() noexcept { return nullptr; }
}  // namespace ferrule::crypto

#endif
