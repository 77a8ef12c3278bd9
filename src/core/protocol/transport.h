// What every way of data has in common, whoever goes it: how a message is begun around its packet, and
// how a batch is opened.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include "crypto/aead.h"
#include "protocol/batch.h"
#include "protocol/messages.h"

namespace ferrule::protocol {

/// Writes header and padding around a packet of `size` bytes, which stands behind the room for the
/// header at `message` and has room for `padded` bytes and a tag. What is to be sealed comes back, and
/// lives as long as the message and its keypair.
[[nodiscard]] inline crypto::AeadPacket begin_message(std::uint8_t* message, std::size_t size,
                                                      std::size_t padded, const Keypair& keypair,
                                                      std::uint64_t counter) noexcept {
  std::uint8_t* text = message + TransportLayout::kHeaderSize;
  std::memset(text + size, 0, padded - size);
  write_transport_header(message, keypair.remote_index(), counter);
  return {text, padded, &keypair.sending_key(), counter};
}

/// Opens, between plan_receive and finish_receive, in one call, all messages that have a keypair. Keeps
/// its memory from batch to batch. Not thread-safe.
class Opening {
 public:
  void open(const crypto::AeadBackend& aead, const ReceivePlan& plan,
            std::span<InboundMessage> messages);

 private:
  std::vector<crypto::AeadPacket> packets_;
  std::unique_ptr<bool[]> opened_;  // std::vector<bool> is none of bools
  std::size_t room_ = 0;            // in opened_
};

}  // namespace ferrule::protocol
