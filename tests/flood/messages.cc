#include "messages.h"

#include <array>
#include <random>

#include "base/bytes.h"
#include "protocol/cookie.h"
#include "protocol/messages.h"

namespace ferrule::flood {

namespace {

// So many different ones, over and over: enough that nothing is gained by remembering them.
constexpr std::size_t kVariety = 1024;
constexpr std::size_t kMaxJunk = 1472;
constexpr std::size_t kTypes = 6;  // the four of WireGuard, and one before and behind

Message random_bytes(std::size_t size, std::mt19937& rng) {
  Message message(size);
  for (std::uint8_t& byte : message) byte = static_cast<std::uint8_t>(rng());
  return message;
}

}  // namespace

std::vector<Message> strangers_initiations(const PublicKey& daemon) {
  std::mt19937 rng(1);
  protocol::CookieHolder macs(daemon);
  std::vector<Message> messages;
  for (std::size_t i = 0; i < kVariety; ++i) {
    Message message = random_bytes(protocol::InitiationLayout::kSize, rng);
    store_le32(message.data(),
               static_cast<std::uint32_t>(protocol::MessageType::handshake_initiation));
    macs.add_macs(Instant::from_ns(0), message);
    messages.push_back(std::move(message));
  }
  return messages;
}

std::vector<Message> junk() {
  std::mt19937 rng(2);
  std::vector<Message> messages;
  for (std::size_t i = 0; i < kVariety; ++i) {
    Message message = random_bytes(rng() % (kMaxJunk + 1), rng);
    if (message.size() >= 4 && i % 2 == 0)
      store_le32(message.data(), static_cast<std::uint32_t>(i / 2 % kTypes));
    messages.push_back(std::move(message));
  }
  return messages;
}

}  // namespace ferrule::flood
