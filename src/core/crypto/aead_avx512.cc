// ChaCha20-Poly1305 on AVX-512 with IFMA: up to sixteen packets at a time, their blocks side by side
// on the lanes of ChaCha, then their tags, eight at a time.
//
// Branches and addresses depend on lengths and on the equality of key pointers, never on a key or
// on data.
#include "crypto/aead_backends.h"
#include "crypto/avx512/target.h"

#ifdef FERRULE_AVX512
#include <algorithm>
#include <array>
#include <cstring>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/avx512/chacha.h"
#include "crypto/avx512/cpu.h"
#include "crypto/avx512/poly1305.h"
#include "crypto/avx512/wipe.h"
#include "crypto/batch/packets.h"
#include "crypto/batch/plan.h"

namespace ferrule::crypto {

namespace avx512 {
namespace {

using batch::BlockRun;
using batch::kMaxGroup;
using batch::Order;
using Pass = batch::Pass<kMaxLanes>;
using Plan = batch::Plan<kMaxLanes>;

static_assert(kMaxGroup <= kMaxLanes, "the one-time keys of a group are made in one pass");
static_assert(kBlockSize == batch::kBlockSize);

// Tags are made for half a group at a time.
constexpr std::size_t halves(std::size_t packets) noexcept {
  return (packets + kPolyLanes - 1) / kPolyLanes;
}

// What a call works in. What is secret of it is wiped once, when the call is through.
class Workspace {
 public:
  LaneInputs inputs;
  Keystream keystream;
  OneTimeKeys keys[halves(kMaxGroup)];
  Tags tags[halves(kMaxGroup)];
  Pass pass;
  std::array<PolyMessage, kMaxGroup> messages;

  /// The first pass of a group has been made; no later one is wider.
  void note_group(std::size_t packets, unsigned lanes) noexcept {
    used_halves_ = std::max(used_halves_, halves(packets));
    used_lanes_ = std::max(used_lanes_, lanes_touched(lanes));
  }
  FERRULE_AVX512_INLINE void wipe() noexcept {
    inputs.wipe();
    avx512::wipe(keystream.block, used_lanes_);
    avx512::wipe(keys, used_halves_ * sizeof keys[0] / kVecSize);
    avx512::wipe(tags, used_halves_ * sizeof tags[0] / kVecSize);
  }

 private:
  std::size_t used_halves_ = 0;
  unsigned used_lanes_ = 0;
};

// Up to sixteen packets.
class Group {
 public:
  FERRULE_AVX512_INLINE Group(std::span<const AeadPacket> packets, Workspace& workspace) noexcept
      : packets_(packets),
        work_(workspace),
        plan_(packets, Order::keys_first),
        one_key_(batch::share_a_key(packets)) {}

  FERRULE_AVX512_INLINE void seal() noexcept {
    make_first_pass();
    do {
      add_keystream();
    } while (make_next_pass());
    authenticate();
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      std::memcpy(packets_[i].data + packets_[i].size, tag(i), kTagSize);
    }
  }

  FERRULE_AVX512_INLINE void open(std::span<bool> opened) noexcept {
    make_first_pass();
    authenticate();
    for (std::size_t i = 0; i < packets_.size(); ++i) {
      opened[i] = batch::has_tag(packets_[i], tag(i)[0], tag(i)[1]);
    }
    do {
      add_keystream();
    } while (make_next_pass());
  }

 private:
  FERRULE_AVX512_INLINE void make_first_pass() noexcept {
    plan_.next(work_.pass);
    if (one_key_) work_.inputs.set_only_key(*packets_[0].key);
    LaneFiller filler;
    for (unsigned i = 0; i < packets_.size(); ++i) set_lanes(filler, packets_[i], i, 0);
    make_pass(filler);
    work_.note_group(packets_.size(), work_.pass.lanes());
    for (std::size_t i = 0; i < halves(packets_.size()); ++i) {
      one_time_keys(work_.keystream.block + i * kPolyLanes, work_.keys[i]);
    }
  }
  FERRULE_AVX512_INLINE bool make_next_pass() noexcept {
    if (!plan_.next(work_.pass)) return false;
    LaneFiller filler;
    make_pass(filler);
    return true;
  }
  FERRULE_AVX512_INLINE void make_pass(LaneFiller& filler) noexcept {
    for (const BlockRun& run : work_.pass.data()) {
      set_lanes(filler, packets_[run.packet], run.lane, run.block);
    }
    filler.write(work_.inputs);
    make_keystream(work_.inputs, work_.pass.lanes(), work_.keystream);
  }
  FERRULE_AVX512_INLINE void set_lanes(LaneFiller& filler, const AeadPacket& packet, unsigned lane,
                                       std::uint32_t block) noexcept {
    filler.set(lane, packet.counter, block);
    if (one_key_ || (lane != 0 && packet.key == key_of_lanes_)) return;
    key_of_lanes_ = packet.key;
    work_.inputs.set_key(lane, *packet.key);
  }

  FERRULE_AVX512_INLINE void add_keystream() noexcept {
    for (const BlockRun& run : work_.pass.data()) {
      const AeadPacket& packet = packets_[run.packet];
      add_bytes(packet.data + run.offset(), work_.keystream.block[run.data_lane()],
                run.bytes(packet.size));
    }
  }
  static FERRULE_AVX512_INLINE void add_bytes(std::uint8_t* data, const std::uint8_t* stream,
                                              std::size_t count) noexcept {
    for (; count >= kVecSize; count -= kVecSize, data += kVecSize, stream += kVecSize) {
      store(data, _mm512_xor_si512(load(data), load(stream)));
    }
    if (count > 0)
      store_first(data, count, _mm512_xor_si512(load_first(data, count), load(stream)));
  }

  FERRULE_AVX512_INLINE void authenticate() noexcept {
    std::ranges::transform(packets_, work_.messages.begin(), [](const AeadPacket& packet) {
      return PolyMessage{packet.data, packet.size};
    });
    const auto all = std::span(work_.messages).first(packets_.size());
    for (std::size_t i = 0; i < halves(all.size()); ++i) {
      const std::size_t first = i * kPolyLanes;
      avx512::authenticate(all.subspan(first, std::min(kPolyLanes, all.size() - first)),
                           work_.keys[i], work_.tags[i]);
    }
  }
  [[nodiscard]] const std::uint64_t* tag(std::size_t i) const noexcept {
    return work_.tags[i / kPolyLanes].word[i % kPolyLanes];
  }

  std::span<const AeadPacket> packets_;
  Workspace& work_;
  Plan plan_;
  bool one_key_;
  const AeadKey* key_of_lanes_ = nullptr;  // of those set last
};

// Functions of their own, so that what they spill is below the frame from which it is wiped.
__attribute__((noinline)) FERRULE_AVX512 void seal_groups(std::span<const AeadPacket> packets,
                                                          Workspace& workspace) noexcept {
  for (std::size_t i = 0; i < packets.size(); i += kMaxGroup) {
    Group(packets.subspan(i, std::min(kMaxGroup, packets.size() - i)), workspace).seal();
  }
}
__attribute__((noinline)) FERRULE_AVX512 void open_groups(std::span<const AeadPacket> packets,
                                                          std::span<bool> opened,
                                                          Workspace& workspace) noexcept {
  for (std::size_t i = 0; i < packets.size(); i += kMaxGroup) {
    const std::size_t count = std::min(kMaxGroup, packets.size() - i);
    Group(packets.subspan(i, count), workspace).open(opened.subspan(i, count));
  }
}

FERRULE_AVX512_INLINE void leave_nothing(Workspace& workspace) noexcept {
  workspace.wipe();
  wipe_stack();
  wipe_registers();
}

// Up to so many blocks the narrow backend is faster: by 90 ns of 260 for a packet of 64 bytes that
// comes alone (docs/decisions/0017-aead-avx2.md).
constexpr std::size_t kFewBlocks = 4;

class Backend final : public AeadBackend {
 public:
  /// `narrow` may be null.
  explicit Backend(const AeadBackend* narrow) noexcept : narrow_(narrow) {}

  [[nodiscard]] std::string_view name() const noexcept override { return "avx512"; }

  FERRULE_AVX512 void seal(std::span<const AeadPacket> packets) const noexcept override {
    if (is_for_narrow(packets)) return narrow_->seal(packets);
    Workspace workspace;
    seal_groups(packets, workspace);
    leave_nothing(workspace);
  }
  FERRULE_AVX512 void open(std::span<const AeadPacket> packets,
                           std::span<bool> opened) const noexcept override {
    if (is_for_narrow(packets)) return narrow_->open(packets, opened);
    FERRULE_CHECK(opened.size() == packets.size());
    Workspace workspace;
    open_groups(packets, opened, workspace);
    leave_nothing(workspace);
  }

 private:
  [[nodiscard]] bool is_for_narrow(std::span<const AeadPacket> packets) const noexcept {
    return narrow_ != nullptr && batch::fit_in(packets, kFewBlocks);
  }

  const AeadBackend* narrow_;
};

}  // namespace
}  // namespace avx512

const AeadBackend* avx512_aead_backend() noexcept {
  static const avx512::Backend backend(interleaved_aead_backend());
  return avx512::cpu_can_run() ? &backend : nullptr;
}

}  // namespace ferrule::crypto

#else

namespace ferrule::crypto {
const AeadBackend* avx512_aead_backend() noexcept { return nullptr; }
}  // namespace ferrule::crypto

#endif
