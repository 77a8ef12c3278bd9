// Messages of strangers to a device with peers: whatever comes, nobody is taken for a peer, no more is
// answered than was asked, every refusal is counted once, and nothing is remembered.
#include <algorithm>
#include <vector>

#include "base/check.h"
#include "crypto/blake2s.h"
#include "crypto/x25519.h"
#include "protocol/device.h"
#include "protocol/messages.h"
#include "protocol/world_testing.h"
#include "tests/fuzz/choices.h"

namespace ferrule::protocol {
namespace {

using testing::Host;
using testing::Packet;
using testing::World;

constexpr std::size_t kMostMessages = 64;
constexpr std::size_t kMostBytes = 1600;

// A message of about the right length for a type, filled by the fuzzer.
Packet choose_message(fuzz::Choices& choices) {
  constexpr std::size_t kSizes[] = {InitiationLayout::kSize, ResponseLayout::kSize,
                                    CookieReplyLayout::kSize, TransportLayout::kOverhead};
  const std::uint8_t kind = choices.byte();
  const std::size_t size = (kind & 4) != 0 ? choices.number(0, kMostBytes) : kSizes[kind % 4];
  Packet message(size);
  if (size > 0) message[0] = static_cast<std::uint8_t>(kind % 4 + 1);
  const std::size_t from = (kind & 8) != 0 ? 0 : std::min<std::size_t>(size, 4);
  const Bytes chosen = choices.bytes(std::min<std::size_t>(choices.byte(), size - from));
  copy(chosen, MutBytes(message).subspan(from));
  return message;
}

// Strangers know the public key: they can make a mac1 that holds.
void add_mac1(MutBytes message, const PublicKey& to) {
  const bool initiation = message.size() == InitiationLayout::kSize;
  if (!initiation && message.size() != ResponseLayout::kSize) return;
  CookieHolder holder(to);
  holder.add_macs({}, message);
}

struct Counts {
  std::uint64_t drops = 0;
  std::uint64_t sent_bytes = 0;
};

Counts counts_of(Host& host) {
  Counts counts;
  for (std::size_t i = 1; i < kDropCount; ++i) counts.drops += host.drops(static_cast<Drop>(i));
  for (const testing::Datagram& datagram : host.world.sent) {
    counts.sent_bytes += datagram.bytes.size();
  }
  return counts;
}

void check_message(Host& host, fuzz::Choices& choices) {
  testing::Datagram datagram{.from = {}, .to = host.endpoint, .traffic_class = 0, .bytes = {}};
  const std::uint8_t how = choices.byte();
  datagram.from = {IpAddress::v4(std::array<std::uint8_t, 4>{192, 0, 2, how}), 51820};
  datagram.bytes = choose_message(choices);
  if ((how & 1) == 0) add_mac1(datagram.bytes, host.public_key());
  host.under_load = (how & 2) != 0;

  const Counts before = counts_of(host);
  host.receive(datagram);
  const Counts after = counts_of(host);
  FERRULE_CHECK(after.drops == before.drops + 1);
  FERRULE_CHECK(after.sent_bytes - before.sent_bytes <= datagram.bytes.size());  // P85
  FERRULE_CHECK(host.under_load || after.sent_bytes == before.sent_bytes);
  host.world.sent.clear();
  host.world.network.clear();
}

}  // namespace
}  // namespace ferrule::protocol

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  using namespace ferrule::protocol;
  fuzz::Choices choices(data, size);
  testing::World world;
  testing::Host& host = world.host("198.51.100.1:1");
  testing::Host& peer = world.host("198.51.100.2:1");
  host.add_peer(peer, "10.0.0.2/32", false);
  host.up();
  if (choices.flag()) host.send(testing::ipv4("10.0.0.1", "10.0.0.2"));
  for (std::size_t i = 0; i < kMostMessages && !choices.empty(); ++i) check_message(host, choices);
  const PeerStatus status = host.status(peer);
  FERRULE_CHECK(status.endpoint.is_none() && status.rx_bytes == 0);
  FERRULE_CHECK(host.delivered.empty());
  return 0;
}
