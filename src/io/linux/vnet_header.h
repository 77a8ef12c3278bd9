// The header that IFF_VNET_HDR puts before each packet of a tunnel interface, and its plain words.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "packet/offload.h"

namespace ferrule::io {

/// virtio_net_hdr, ten bytes in native byte order: <linux/virtio_net.h> is no C++.
struct VnetHeader {
  std::uint8_t flags = 0;
  std::uint8_t gso_type = 0;
  std::uint16_t header_size = 0;
  std::uint16_t gso_size = 0;
  std::uint16_t checksum_start = 0;
  std::uint16_t checksum_offset = 0;
};
static_assert(sizeof(VnetHeader) == 10);

/// What the kernel says about `packet`, which it gave with `header`. False when that can't be true;
/// `out` is then untouched. The header size is read from the packet: the kernel's own `header_size`
/// is that of whatever it keeps linear, often more than the headers.
[[nodiscard]] bool from_vnet(const VnetHeader& header, Bytes packet, packet::Offload& out) noexcept;

[[nodiscard]] VnetHeader to_vnet(const packet::Offload& offload) noexcept;

}  // namespace ferrule::io
