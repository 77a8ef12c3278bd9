#include "packet/merge.h"

#include <algorithm>

#include "packet/checksum.h"
#include "packet/headers.h"

namespace ferrule::packet {

namespace {

// Writes the lengths of a super-packet into the headers of its first segment.
void write_lengths(const Segment& first, std::size_t length) noexcept {
  std::uint8_t* header = first.packet.data();
  if (first.is_v4()) {
    store_be16(header + ipv4::kLength, static_cast<std::uint16_t>(length));
    store_be16(header + ipv4::kChecksum, 0);
    InternetSum sum;
    sum.add_header<ipv4::kHeaderSize>(header);
    store_be16(header + ipv4::kChecksum, sum.checksum());
  } else {
    store_be16(header + ipv6::kPayloadLength,
               static_cast<std::uint16_t>(length - ipv6::kHeaderSize));
  }
  if (first.is_udp()) {
    store_be16(header + first.transport + udp::kLength,
               static_cast<std::uint16_t>(length - first.transport));
  }
}

// The first packet's DF stands for both.
bool has_one_id(const Segment& first, const Segment& second) noexcept {
  return first.is_v4() && first.dont_fragment && second.id == first.id;
}

}  // namespace

void Merger::start_batch() noexcept {
  members_.clear();
  runs_.clear();
  open_count_ = 0;
  next_victim_ = 0;
  finished_ = false;
}

void Merger::add(MutBytes packet) {
  if (finished_) start_batch();
  Segment segment;
  const FlowKnown known = read_segment(packet, segment);
  switch (known) {
    case FlowKnown::segment:
      if (is_supported(segment)) return add_segment(segment);
      break;  // no run of its kind is ever open
    case FlowKnown::flow:
      if (const std::size_t slot = find(segment); slot < open_count_) close(slot);
      break;
    case FlowKnown::addresses:
      close_between(addresses_of(packet));
      break;
    case FlowKnown::none:
      break;
  }
  pass(packet);
}

void Merger::add_segment(const Segment& segment) {
  const std::size_t slot = find(segment);
  if (slot == open_count_) return open(segment, slot);

  Run& run = runs_[open_runs_[slot]];
  if (!may_follow(run, segment)) return open(segment, slot);
  if (!run.checked && !checksums_right(run.first)) return open(segment, slot);
  run.checked = true;
  if (!checksums_right(segment)) {
    close(slot);
    return pass(segment.packet);
  }
  extend(run, segment);
  const bool is_last = segment.push || segment.payload_size() < run.first.payload_size() ||
                       run.count == kMaxRunSegments;
  if (is_last) close(slot);
}

bool Merger::may_follow(const Run& run, const Segment& segment) noexcept {
  const Segment& first = run.first;
  const std::size_t payload = segment.payload_size();
  if (payload > first.payload_size() || run.length + payload > kMaxIpLength) return false;
  if (!first.is_udp() && segment.sequence != run.next_sequence) return false;
  if (first.is_v4() && !id_follows(run, segment)) return false;
  return same_headers(first, segment);
}

// The second packet decides whether ids are to rise or to stay, which they may only under DF: it is the
// same in both, or their headers differ.
bool Merger::id_follows(const Run& run, const Segment& segment) noexcept {
  const bool stays = run.count == 1 ? has_one_id(run.first, segment) : run.same_ids;
  return segment.id == static_cast<std::uint16_t>(run.first.id + (stays ? 0 : run.count));
}

void Merger::pass(MutBytes packet) {
  const auto member = static_cast<std::uint32_t>(members_.size());
  members_.emplace_back().part = packet;
  Run& run = runs_.emplace_back();
  run.first_member = run.last_member = member;
}

// Begins a run in `slot`: that of the flow's run until now, or open_count_ when it had none.
void Merger::open(const Segment& segment, std::size_t slot) {
  pass(segment.packet);
  if (segment.push) {
    if (slot < open_count_) close(slot);
    return;
  }
  if (slot == kMaxOpenRuns) {
    slot = next_victim_;
    next_victim_ = (next_victim_ + 1) % kMaxOpenRuns;
  }
  if (slot == open_count_) ++open_count_;
  open_hashes_[slot] = segment.flow_hash;
  open_runs_[slot] = static_cast<std::uint32_t>(runs_.size() - 1);
  Run& run = runs_.back();
  run.first = segment;
  run.length = segment.packet.size();
  run.next_sequence = segment.sequence + static_cast<std::uint32_t>(segment.payload_size());
}

void Merger::extend(Run& run, const Segment& segment) {
  const auto member = static_cast<std::uint32_t>(members_.size());
  members_.emplace_back().part = Bytes(segment.packet).subspan(segment.header_size);
  members_[run.last_member].next = member;
  run.last_member = member;
  run.length += segment.payload_size();
  run.next_sequence += static_cast<std::uint32_t>(segment.payload_size());
  run.push = segment.push;
  if (run.count == 1) run.same_ids = has_one_id(run.first, segment);
  ++run.count;
}

void Merger::close(std::size_t slot) noexcept {
  --open_count_;
  open_hashes_[slot] = open_hashes_[open_count_];
  open_runs_[slot] = open_runs_[open_count_];
}

void Merger::close_between(Bytes addresses) noexcept {
  for (std::size_t slot = open_count_; slot-- > 0;) {
    const Bytes own = runs_[open_runs_[slot]].first.addresses();
    if (std::ranges::equal(own, addresses)) close(slot);
  }
}

// The slot of the flow's open run, or open_count_.
std::size_t Merger::find(const Segment& segment) const noexcept {
  for (std::size_t slot = 0; slot < open_count_; ++slot) {
    if (open_hashes_[slot] == segment.flow_hash &&
        same_flow(runs_[open_runs_[slot]].first, segment)) {
      return slot;
    }
  }
  return open_count_;
}

bool Merger::is_supported(const Segment& segment) const noexcept {
  return segment.is_udp() ? support_.udp : support_.tcp;
}

std::span<const MergedPacket> Merger::finish() {
  if (finished_) start_batch();
  finished_ = true;
  parts_.resize(members_.size());
  merged_.resize(runs_.size());
  std::size_t part = 0;
  for (std::size_t i = 0; i < runs_.size(); ++i) {
    const Run& run = runs_[i];
    const std::size_t first_part = part;
    for (std::uint32_t at = run.first_member; at != kNone; at = members_[at].next) {
      parts_[part++] = members_[at].part;
    }
    merged_[i].parts = std::span(parts_).subspan(first_part, part - first_part);
    merged_[i].offload = run.count > 1 ? make_super(run) : Offload{};
  }
  return merged_;
}

Offload Merger::make_super(const Run& run) noexcept {
  const Segment& first = run.first;
  write_lengths(first, run.length);
  std::uint8_t* transport = first.packet.data() + first.transport;
  if (run.push) transport[tcp::kFlags] |= tcp::kPsh;
  const InternetSum pseudo =
      pseudo_header_sum(first.addresses(), first.protocol(), run.length - first.transport);
  store_be16(transport + first.checksum_offset(), pseudo.folded());
  return {.gso = first.gso,
          .segment_size = static_cast<std::uint16_t>(first.payload_size()),
          .header_size = first.header_size,
          .same_ids = run.same_ids,
          .needs_checksum = true,
          .checksum_start = first.transport,
          .checksum_offset = static_cast<std::uint16_t>(first.checksum_offset())};
}

}  // namespace ferrule::packet
