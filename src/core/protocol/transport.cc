#include "protocol/transport.h"

namespace ferrule::protocol {

void Opening::open(const crypto::AeadBackend& aead, const ReceivePlan& plan,
                   std::span<InboundMessage> messages) {
  packets_.clear();
  for (InboundMessage& message : messages) {
    if (!message.is_planned()) continue;
    const MutBytes text = message.ciphertext();
    packets_.push_back(
        {text.data(), text.size(), &plan.keypair_of(message).receiving_key(), message.counter});
  }
  if (packets_.size() > room_) {
    opened_ = std::make_unique<bool[]>(packets_.size());
    room_ = packets_.size();
  }
  const std::span<bool> opened(opened_.get(), packets_.size());
  aead.open(packets_, opened);
  std::size_t next = 0;
  for (InboundMessage& message : messages) {
    if (message.is_planned()) message.opened = opened[next++];
  }
}

}  // namespace ferrule::protocol
