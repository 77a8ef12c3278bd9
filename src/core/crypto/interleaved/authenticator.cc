#include "crypto/interleaved/machine.h"

#ifdef FERRULE_INTERLEAVED
#include "crypto/interleaved/authenticator.h"

#include <algorithm>

namespace ferrule::crypto::interleaved {

namespace {

// A block as it is added: 16 bytes.
using Block = std::uint8_t[kPolyBlockSize];

// The last `count` bytes (1 to 15) of a packet, then zeros. Reads nothing outside the packet.
void pad_rest(const AeadPacket& packet, std::size_t count, Block& block) noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  const std::uint8_t* end = packet.data + packet.size;
  if (packet.size >= kPolyBlockSize) {
    // The last 16 bytes of the packet, without those that belong to the block before.
    const std::size_t surplus_bits = 8 * (kPolyBlockSize - count);
    __extension__ using Wide = unsigned __int128;
    const Wide all = load_le64(end - 16) | Wide{load_le64(end - 8)} << 64;
    low = static_cast<std::uint64_t>(all >> surplus_bits);
    high = static_cast<std::uint64_t>((all >> surplus_bits) >> 64);
  } else {
    for (std::size_t i = 0; i < count; ++i) {
      std::uint64_t& word = i < 8 ? low : high;
      word |= std::uint64_t{packet.data[i]} << (8 * (i % 8));
    }
  }
  store_le64(block, low);
  store_le64(block + 8, high);
}

// The block with the lengths: none of associated data, then that of the ciphertext.
void write_lengths(std::size_t size, Block& block) noexcept {
  store_le64(block, 0);
  store_le64(block + 8, size);
}

}  // namespace

void Authenticator::start(std::span<const AeadPacket> packets) noexcept {
  packets_ = packets;
  released_ = {};
  key_count_ = 0;
  now_ = 0;
  started_ = false;
  run_.blocks = 0;
  most_packets_ = std::max(most_packets_, packets.size());
}

bool Authenticator::has_run_in(const batch::Progress& released, std::size_t count) noexcept {
  while (now_ < packets_.size()) {
    const bool is_whole = now_ < released.packets;
    const std::size_t bytes = is_whole                   ? packet().size
                              : now_ == released.packets ? released.bytes
                                                         : 0;
    if (!started_ && !start_packet(is_whole, bytes)) return false;
    const std::uint8_t* end = packet().data + bytes;
    run_.blocks = end > run_.next ? static_cast<std::size_t>(end - run_.next) / kPolyBlockSize : 0;
    if (run_.blocks >= count) return true;
    if (!is_whole) return false;
    end_packet();
  }
  return false;
}

void Authenticator::catch_up(const batch::Progress& end) noexcept {
  while (has_run_in(end, 1)) run_.add(run_.blocks);
}

// Takes the first block in: a sum that begins with it saves a multiplication by zero.
bool Authenticator::start_packet(bool is_whole, std::size_t bytes) noexcept {
  if (now_ == key_count_ || (!is_whole && bytes < kPolyBlockSize)) return false;
  run_.r = keys_[now_].r;
  run_.next = packet().data;
  if (packet().size >= kPolyBlockSize) {
    run_.sum = first_block(run_.next);
    run_.next += kPolyBlockSize;
  } else {
    run_.sum = {0, 0, 0};
  }
  started_ = true;
  return true;
}

void Authenticator::end_packet() noexcept {
  run_.add(run_.blocks);
  Block block;
  if (const std::size_t rest = packet().size % kPolyBlockSize; rest != 0) {
    pad_rest(packet(), rest, block);
    add_block(run_.sum, run_.r, block);
  }
  write_lengths(packet().size, block);
  add_block(run_.sum, run_.r, block);
  tags_[now_] = tag_of(run_.sum, keys_[now_]);
  ++now_;
  started_ = false;
}

}  // namespace ferrule::crypto::interleaved
#endif
