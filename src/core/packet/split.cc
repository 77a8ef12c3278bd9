#include "packet/split.h"

#include "packet/headers.h"
#include "packet/ip.h"

namespace ferrule::packet {

namespace {

constexpr std::size_t kChecksumSize = 2;

bool checksum_fits(std::size_t packet_size, const Offload& offload) noexcept {
  return std::size_t{offload.checksum_start} + offload.checksum_offset + kChecksumSize <=
         packet_size;
}

bool is_tcp(const Offload& offload) noexcept { return offload.gso != GsoType::udp; }

bool family_fits(const Offload& offload, Family family) noexcept {
  switch (offload.gso) {
    case GsoType::tcp4:
      return family == Family::v4;
    case GsoType::tcp6:
      return family == Family::v6;
    case GsoType::udp:
      return true;
    case GsoType::none:
      break;
  }
  return false;
}

// The size of the transport header at the start of `bytes`, or 0 when it is not whole.
std::size_t transport_header_size(Bytes bytes, bool tcp) noexcept {
  if (!tcp) return bytes.size() < udp::kHeaderSize ? 0 : udp::kHeaderSize;
  if (bytes.size() < tcp::kHeaderSize) return 0;
  const std::size_t size = (bytes[tcp::kDataOffset] >> 4) * 4u;
  return size < tcp::kHeaderSize || size > bytes.size() ? 0 : size;
}

}  // namespace

Splitter::Splitter(Bytes packet, const Offload& offload) noexcept
    : packet_(packet), offload_(offload) {
  const bool fits = offload.gso == GsoType::none ? open_ordinary() : open_super();
  if (!fits) count_ = 0;
}

bool Splitter::open_ordinary() noexcept {
  count_ = 1;
  return !packet_.empty() && (!offload_.needs_checksum || checksum_fits(packet_.size(), offload_));
}

bool Splitter::open_super() noexcept {
  IpView ip;
  UpperLayer upper;
  if (parse_ip(packet_, ip) != IpFault::none || ip.length != packet_.size() ||
      !family_fits(offload_, ip.family) || !find_upper_layer(packet_, ip, upper)) {
    return false;
  }
  const bool tcp = is_tcp(offload_);
  const std::size_t header = transport_header_size(packet_.subspan(upper.offset), tcp);
  if (upper.is_fragment || upper.protocol != (tcp ? protocol::kTcp : protocol::kUdp) ||
      header == 0 || offload_.header_size != upper.offset + header) {
    return false;
  }
  if (offload_.needs_checksum &&
      (offload_.checksum_start != upper.offset ||
       offload_.checksum_offset != (tcp ? tcp::kChecksum : udp::kChecksum))) {
    return false;
  }
  family_ = ip.family;
  transport_ = upper.offset;
  count_ = segment_count(packet_.size(), offload_);
  if (count_ == 0 || count_ > kMaxSegments) return false;
  sum_headers(ip.addresses());
  return true;
}

void Splitter::sum_headers(Bytes addresses) noexcept {
  const Bytes header = packet_.subspan(transport_, offload_.header_size - transport_);
  if (offload_.needs_checksum) {
    // What stands in the field is the pseudo-header's sum with the length of the whole. It is better
    // than a sum of our own: behind a routing header, the destination in it is not that of the packet.
    const std::size_t at = is_tcp(offload_) ? tcp::kChecksum : udp::kChecksum;
    transport_sum_.add_word(load_be16(header.data() + at));
    transport_sum_.add_long(~static_cast<std::uint32_t>(packet_.size() - transport_));
  } else {
    transport_sum_ =
        pseudo_header_sum(addresses, is_tcp(offload_) ? protocol::kTcp : protocol::kUdp, 0);
  }
  if (is_tcp(offload_)) {
    transport_sum_.add(header.first(tcp::kSequence));
    transport_sum_.add(header.subspan(tcp::kAcknowledgement, 4));
    transport_sum_.add(header.subspan(tcp::kWindow, 2));
    transport_sum_.add(header.subspan(tcp::kUrgentPointer));
  } else {
    transport_sum_.add(header.first(udp::kLength));
  }
  if (family_ == Family::v4) {
    ip_sum_.add(packet_.first(ipv4::kLength));
    ip_sum_.add(packet_.subspan(ipv4::kFragment, 4));
    ip_sum_.add(packet_.subspan(ipv4::kSource, transport_ - ipv4::kSource));
  }
}

std::size_t Splitter::write(std::size_t i, MutBytes out) const noexcept {
  if (i >= count_) return 0;
  const std::size_t size = size_of(i);
  if (out.size() < size) return 0;
  const MutBytes segment = out.first(size);
  if (offload_.gso == GsoType::none) {
    copy(packet_, segment);
    complete_checksum(segment, offload_);
    return size;
  }
  const std::size_t header_size = offload_.header_size;
  const std::size_t from = header_size + i * offload_.segment_size;
  copy(packet_.first(header_size), segment);
  InternetSum payload;
  payload.add_copying(packet_.subspan(from, size - header_size), segment.subspan(header_size));
  write_headers(i, segment, payload);
  return size;
}

void Splitter::write_headers(std::size_t i, MutBytes segment, InternetSum payload) const noexcept {
  write_ip(i, segment);
  std::uint8_t* header = segment.data() + transport_;
  const auto length = static_cast<std::uint32_t>(segment.size() - transport_);
  InternetSum sum = transport_sum_;
  sum.add(payload);
  sum.add_long(length);  // in the pseudo-header
  if (!is_tcp(offload_)) {
    store_be16(header + udp::kLength, static_cast<std::uint16_t>(length));
    sum.add_word(static_cast<std::uint16_t>(length));
    store_be16(header + udp::kChecksum, never_zero(sum.checksum()));
    return;
  }
  const std::uint32_t sequence =
      load_be32(header + tcp::kSequence) + static_cast<std::uint32_t>(i * offload_.segment_size);
  store_be32(header + tcp::kSequence, sequence);
  unsigned flags = header[tcp::kFlags];
  if (i != 0) flags &= ~unsigned{tcp::kCwr};
  if (i + 1 != count_) flags &= ~(unsigned{tcp::kFin} | tcp::kPsh);
  header[tcp::kFlags] = static_cast<std::uint8_t>(flags);
  sum.add_long(sequence);
  sum.add_word(load_be16(header + tcp::kDataOffset));  // with the flags behind it
  store_be16(header + tcp::kChecksum, sum.checksum());
}

void Splitter::write_ip(std::size_t i, MutBytes segment) const noexcept {
  std::uint8_t* header = segment.data();
  if (family_ == Family::v6) {
    store_be16(header + ipv6::kPayloadLength,
               static_cast<std::uint16_t>(segment.size() - ipv6::kHeaderSize));
    return;
  }
  const auto length = static_cast<std::uint16_t>(segment.size());
  const std::size_t rise = offload_.same_ids ? 0 : i;
  const auto id = static_cast<std::uint16_t>(load_be16(header + ipv4::kId) + rise);
  InternetSum sum = ip_sum_;
  sum.add_word(length);
  sum.add_word(id);
  store_be16(header + ipv4::kLength, length);
  store_be16(header + ipv4::kId, id);
  store_be16(header + ipv4::kChecksum, sum.checksum());
}

void complete_checksum(MutBytes packet, const Offload& offload) noexcept {
  if (!offload.needs_checksum || !checksum_fits(packet.size(), offload)) return;
  // The field takes part in the sum: it holds the pseudo-header's.
  InternetSum sum;
  sum.add(packet.subspan(offload.checksum_start));
  // The kernel, too, never leaves a zero here, whatever the protocol.
  store_be16(packet.data() + offload.checksum_start + offload.checksum_offset,
             never_zero(sum.checksum()));
}

}  // namespace ferrule::packet
