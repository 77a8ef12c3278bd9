#include "control/state_format.h"

#include <algorithm>

#include "base/net.h"
#include "protocol/constants.h"

namespace ferrule::control {

namespace {

using protocol::PeerMemory;
using protocol::Timestamp;

constexpr std::string_view kMagic = "FERRULE\n";
constexpr std::uint32_t kVersion = 1;

enum Header : std::size_t {
  kVersionAt = 8,
  kRecordAt = 12,
  kWrittenAt = 16,
  kIdentityAt = 24,
  kReservedAt = 56
};
static_assert(kReservedAt + sizeof(Timestamp) == kStateHeaderSize);

enum Record : std::size_t {
  kKeyAt = 0,
  kAddressAt = 32,
  kScopeAt = 48,
  kPortAt = 52,
  kFamilyAt = 54,  // 0, 4 or 6
  kFlagsAt = 55,   // 1: had a session
  kReceivedAt = 56,
  kSentAt = 68,
  kTxAt = 80,
  kRxAt = 88,
  kSeenAt = 96,
};
static_assert(kSeenAt + sizeof(std::uint64_t) == kStateRecordSize);

void put(MutBytes out, std::size_t at, Bytes bytes) noexcept { copy(bytes, out.subspan(at)); }

void put_stamp(MutBytes out, std::size_t at, const std::optional<Timestamp>& stamp) noexcept {
  if (stamp) put(out, at, *stamp);
}

// A stamp of zeros is none: its time was before there was TAI.
std::optional<Timestamp> stamp_at(Bytes bytes, std::size_t at) noexcept {
  Timestamp stamp;
  copy(bytes.subspan(at, stamp.size()), stamp);
  if (stamp == Timestamp{}) return std::nullopt;
  return stamp;
}

std::int64_t time_at(Bytes bytes, std::size_t at) noexcept {
  const std::uint64_t seconds = load_le64(bytes.data() + at);
  return static_cast<std::int64_t>(std::min<std::uint64_t>(seconds, INT64_MAX));
}

// False when there can be no such endpoint.
bool read_endpoint(Bytes record, Endpoint& endpoint) noexcept {
  const Bytes address = record.subspan(kAddressAt, 16);
  endpoint.port = load_le16(record.data() + kPortAt);
  endpoint.scope_id = load_le32(record.data() + kScopeAt);
  switch (record[kFamilyAt]) {
    case 0:
      return endpoint.port == 0 && endpoint.scope_id == 0;
    case 4:
      endpoint.address = IpAddress::v4(address.first<4>());
      return endpoint.scope_id == 0;
    case 6:
      endpoint.address = IpAddress::v6(address.first<16>());
      return true;
    default:
      return false;
  }
}

bool read_record(Bytes record, PeerMemory& peer) noexcept {
  copy(record.subspan(kKeyAt, kKeySize), peer.public_key.bytes);
  peer.received = stamp_at(record, kReceivedAt);
  peer.sent = stamp_at(record, kSentAt);
  peer.tx_bytes = load_le64(record.data() + kTxAt);
  peer.rx_bytes = load_le64(record.data() + kRxAt);
  peer.seen_s = time_at(record, kSeenAt);
  peer.had_session = record[kFlagsAt] == 1;
  return record[kFlagsAt] <= 1 && read_endpoint(record, peer.endpoint);
}

// In words, or empty.
StateFault fault_of(Bytes file) noexcept {
  if (file.size() < kStateHeaderSize + kStateTrailerSize) return "it is too short";
  if (!std::ranges::equal(file.first(kMagic.size()), kMagic)) return "it is no state file";
  if (load_le32(file.data() + kVersionAt) != kVersion) return "it is of another version";
  const std::size_t records = file.size() - kStateHeaderSize - kStateTrailerSize;
  if (load_le32(file.data() + kRecordAt) != kStateRecordSize || records % kStateRecordSize != 0) {
    return "it is torn: its size can't be";
  }
  if (file.size() > max_state_size()) return "it has too many peers";
  const crypto::Hash hash = crypto::hash({file.first(file.size() - kStateTrailerSize)});
  if (!std::ranges::equal(file.last(kStateTrailerSize), hash)) {
    return "it is torn: its checksum is wrong";
  }
  return {};
}

}  // namespace

std::size_t max_state_size() noexcept {
  return kStateHeaderSize + kStateTrailerSize + protocol::kMaxPeers * kStateRecordSize;
}

std::expected<State, StateFault> read_state(Bytes file) {
  if (const StateFault fault = fault_of(file); !fault.empty()) return std::unexpected(fault);
  State state;
  state.written_s = time_at(file, kWrittenAt);
  copy(file.subspan(kIdentityAt, state.memory.identity.size()), state.memory.identity);
  state.memory.reserved = stamp_at(file, kReservedAt);
  const Bytes records =
      file.subspan(kStateHeaderSize, file.size() - kStateHeaderSize - kStateTrailerSize);
  state.memory.peers.reserve(records.size() / kStateRecordSize);
  for (std::size_t at = 0; at < records.size(); at += kStateRecordSize) {
    if (!read_record(records.subspan(at, kStateRecordSize), state.memory.peers.emplace_back())) {
      return std::unexpected(StateFault("it has a record that can't be"));
    }
  }
  return state;
}

StateHeader state_header(const State& state) noexcept {
  StateHeader header{};
  put(header, 0, Bytes(reinterpret_cast<const std::uint8_t*>(kMagic.data()), kMagic.size()));
  store_le32(header.data() + kVersionAt, kVersion);
  store_le32(header.data() + kRecordAt, kStateRecordSize);
  store_le64(header.data() + kWrittenAt,
             static_cast<std::uint64_t>(std::max<std::int64_t>(state.written_s, 0)));
  put(header, kIdentityAt, state.memory.identity);
  put_stamp(header, kReservedAt, state.memory.reserved);
  return header;
}

StateRecord state_record(const PeerMemory& peer) noexcept {
  StateRecord record{};
  put(record, kKeyAt, peer.public_key.bytes);
  const Family family = peer.endpoint.address.family();
  if (family != Family::none) {
    put(record, kAddressAt, peer.endpoint.address.bytes());
    store_le16(record.data() + kPortAt, peer.endpoint.port);
    store_le32(record.data() + kScopeAt, peer.endpoint.scope_id);
    record[kFamilyAt] = family == Family::v4 ? 4 : 6;
  }
  record[kFlagsAt] = peer.had_session ? 1 : 0;
  put_stamp(record, kReceivedAt, peer.received);
  put_stamp(record, kSentAt, peer.sent);
  store_le64(record.data() + kTxAt, peer.tx_bytes);
  store_le64(record.data() + kRxAt, peer.rx_bytes);
  store_le64(record.data() + kSeenAt,
             static_cast<std::uint64_t>(std::max<std::int64_t>(peer.seen_s, 0)));
  return record;
}

}  // namespace ferrule::control
