// Packets with the headers that come with them from the tunnel interface: whatever both say, nothing
// outside them is touched, and what is cut is what the kernel's own segmentation would make.
#include <cstring>
#include <vector>

#include "base/check.h"
#include "io/linux/vnet_header.h"
#include "packet/packets_testing.h"
#include "packet/split.h"
#include "tests/fuzz/choices.h"
#include "tests/fuzz/specs.h"

namespace ferrule::packet {
namespace {

using testing::Packet;

struct Super {
  Packet packet;
  Offload offload;
};

// As a kernel gone mad would hand it over.
bool read_raw(fuzz::Choices& choices, Super& super) {
  io::VnetHeader header;
  const Bytes bytes = choices.bytes(sizeof header);
  std::memcpy(&header, bytes.data(), bytes.size());
  const Bytes packet = choices.rest();
  super.packet.assign(packet.begin(), packet.end());
  return io::from_vnet(header, super.packet, super.offload);
}

// As the kernel hands it over, but for a few bytes.
bool make_sound(fuzz::Choices& choices, Super& super) {
  testing::Spec spec = fuzz::choose_spec(choices);
  const auto segment_size = static_cast<std::uint16_t>(choices.number(1, 2000));
  spec.payload = fuzz::filled(choices, choices.number(0, choices.flag() ? 9000 : 300));
  super.packet = testing::build_super(spec);
  super.offload = testing::super_offload(spec, segment_size);
  io::VnetHeader header = io::to_vnet(super.offload);
  for (std::size_t damages = choices.byte() % 4; damages > 0; --damages) {
    const std::size_t at = choices.number(0, sizeof header + 120);
    const std::uint8_t value = choices.byte();
    if (at < sizeof header) {
      reinterpret_cast<std::uint8_t*>(&header)[at] = value;
    } else if (at - sizeof header < super.packet.size()) {
      super.packet[at - sizeof header] = value;
    }
  }
  return io::from_vnet(header, super.packet, super.offload);
}

// Whether the model has an opinion: it knows no extension headers, and computes the sum of the
// pseudo-header where we trust what the kernel has put into the checksum.
bool model_applies(const Super& super) {
  const Packet& packet = super.packet;
  const Offload& offload = super.offload;
  if (offload.gso == GsoType::none) return false;
  const bool v6 = packet[0] >> 4 == 6;
  const std::size_t transport = v6 ? 40 : (packet[0] & 15) * 4u;
  const std::uint8_t protocol = offload.gso == GsoType::udp ? 17 : 6;
  if (packet[v6 ? 6 : 9] != protocol || offload.checksum_start != transport) return false;
  const std::size_t at = transport + offload.checksum_offset;
  return packet[at] * 256u + packet[at + 1] ==
         testing::naive_pseudo_sum(packet, protocol, packet.size() - transport);
}

void check(const Super& super) {
  const Splitter splitter(super.packet, super.offload);
  const bool fits = splitter.count() != 0;
  FERRULE_CHECK(valid_offload(super.packet, super.offload) == fits);
  if (!fits) return;
  FERRULE_CHECK(splitter.count() <= kMaxSegments);
  FERRULE_CHECK(splitter.count() == segment_count(super.packet.size(), super.offload));

  constexpr std::size_t kMostCompared = 512;  // the model is slow
  std::vector<Packet> segments;
  for (std::size_t i = 0; i < std::min(splitter.count(), kMostCompared); ++i) {
    Packet out(splitter.size_of(i));  // just enough: AddressSanitizer sees a step outside
    FERRULE_CHECK(splitter.write(i, out) == out.size());
    if (!out.empty()) FERRULE_CHECK(splitter.write(i, MutBytes(out).first(out.size() - 1)) == 0);
    segments.push_back(std::move(out));
  }
  FERRULE_CHECK(splitter.write(splitter.count(), {}) == 0);
  if (segments.size() == splitter.count() && model_applies(super)) {
    FERRULE_CHECK(segments == testing::naive_split(super.packet, super.offload));
  }
}

}  // namespace
}  // namespace ferrule::packet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  fuzz::Choices choices(data, size);
  packet::Super super;
  const bool makes_sense =
      choices.flag() ? packet::make_sound(choices, super) : packet::read_raw(choices, super);
  if (makes_sense) packet::check(super);
  return 0;
}
