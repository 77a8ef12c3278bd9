// Joining packets that were received one after the other into super-packets for the tunnel interface.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "packet/offload.h"
#include "packet/segment.h"

namespace ferrule::packet {

/// The kernel takes no more UDP segments than this in one packet; TCP gets no more either.
constexpr std::size_t kMaxRunSegments = 64;
/// Flows that may be waiting for their next segment at once; one more, and one of them is closed.
constexpr std::size_t kMaxOpenRuns = 32;

/// One packet or super-packet for the tunnel interface, to be gathered from `parts`.
struct MergedPacket {
  std::span<const Bytes> parts;
  Offload offload;
};

/// Takes the packets of a batch in the order in which they were received, and gives them back in runs.
///
/// Packets join a run only if nobody could tell: segmentation, the kernel's or Splitter's, makes of it
/// the same packets again, byte for byte. So they are of one TCP or UDP flow; their headers are the
/// same but for lengths, checksums and PSH on the last; IPv4 ids count up by one; TCP sequence numbers
/// follow on; payloads have the same size, and only the last may be shorter; there are no IP options,
/// extension headers, fragments, or TCP flags besides ACK and PSH; all checksums were right.
/// Everything else passes as it is.
///
/// One thing may be told, by who looks where nobody may: senders that forbid fragmenting (DF) often give
/// all packets one id, mostly 0. Such packets are joined too, with Offload::same_ids. Splitter gives them
/// back byte for byte, but the kernel has no word for that on a tunnel interface: where it cuts the run
/// again, to send it on, it counts ids up from the first. The id of a packet that can't be a fragment
/// means nothing, and no receiver may look at it (RFC 6864, 4.1).
///
/// Packets of one flow stay in order. A run stands where its first packet stood, so packets of
/// different flows may change places within a batch.
///
/// The packets are neither copied nor owned: they stay where they are, and the headers of the first of
/// each run are rewritten in place by `finish`. Memory is kept from batch to batch. One thread at a
/// time.
class Merger {
 public:
  explicit Merger(OffloadSupport support = {.tcp = true, .udp = true}) noexcept
      : support_(support) {}

  /// What the interface takes; the rest is passed on as single packets. Between batches.
  void set_support(OffloadSupport support) noexcept { support_ = support; }

  /// The next packet, without padding. It may hold anything. The first one after `finish` begins a new
  /// batch.
  void add(MutBytes packet);

  /// Forgets the packets of a batch that can't be ended: there was no memory to add one.
  void forget() noexcept { start_batch(); }

  /// Ends the batch. What it returns lives until the next `add`, the packets permitting.
  [[nodiscard]] std::span<const MergedPacket> finish();

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;

  struct Member {
    Bytes part;                  // the first packet of a run whole, of the others the payload
    std::uint32_t next = kNone;  // in the same run
  };
  struct Run {
    Segment first;
    std::uint32_t first_member = kNone;
    std::uint32_t last_member = kNone;
    std::uint32_t count = 1;
    std::size_t length = 0;           // of the super-packet
    std::uint32_t next_sequence = 0;  // TCP
    bool same_ids = false;            // IPv4: as the second packet decided
    bool checked = false;  // the first packet's checksums: looked at when a second one comes
    bool push = false;
  };

  void start_batch() noexcept;
  void add_segment(const Segment& segment);
  void pass(MutBytes packet);
  void open(const Segment& segment, std::size_t slot);
  void extend(Run& run, const Segment& segment);
  void close(std::size_t slot) noexcept;
  void close_between(Bytes addresses) noexcept;
  [[nodiscard]] std::size_t find(const Segment& segment) const noexcept;
  [[nodiscard]] bool is_supported(const Segment& segment) const noexcept;
  [[nodiscard]] static bool may_follow(const Run& run, const Segment& segment) noexcept;
  [[nodiscard]] static bool id_follows(const Run& run, const Segment& segment) noexcept;
  [[nodiscard]] static Offload make_super(const Run& run) noexcept;

  OffloadSupport support_;
  std::vector<Member> members_;  // as they came
  std::vector<Run> runs_;        // by their first packet
  // The runs that may still grow, at most one a flow. Hashes stand apart: they are what is searched.
  std::array<std::uint64_t, kMaxOpenRuns> open_hashes_{};
  std::array<std::uint32_t, kMaxOpenRuns> open_runs_{};
  std::size_t open_count_ = 0;
  std::size_t next_victim_ = 0;

  std::vector<Bytes> parts_;
  std::vector<MergedPacket> merged_;
  bool finished_ = false;
};

}  // namespace ferrule::packet
