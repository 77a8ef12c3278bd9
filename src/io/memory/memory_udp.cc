#include "io/memory/memory_udp.h"

#include <algorithm>
#include <optional>
#include <system_error>
#include <utility>

#include "base/check.h"

namespace ferrule::io {
namespace {

constexpr std::uint16_t kFirstFreePort = 49152;

const Source* find_address(const std::vector<Source>& addresses, const IpAddress& address) {
  const auto at = std::ranges::find(addresses, address, &Source::address);
  return at != addresses.end() ? &*at : nullptr;
}

void call_all(const std::vector<std::function<void()>>& wake) {
  for (const auto& call : wake) call();
}

std::vector<std::uint8_t> gather(std::span<const Bytes> parts) {
  std::vector<std::uint8_t> bytes;
  for (Bytes part : parts) bytes.insert(bytes.end(), part.begin(), part.end());
  return bytes;
}

}  // namespace

void MemoryNetwork::set_hook(Hook hook) {
  const std::lock_guard lock(mutex_);
  hook_ = std::move(hook);
}

void MemoryNetwork::release_held() {
  std::vector<std::function<void()>> wake;
  {
    const std::lock_guard lock(mutex_);
    for (auto& datagram : std::exchange(held_, {})) put(std::move(datagram), wake);
  }
  call_all(wake);
}

bool MemoryNetwork::deliver(MemoryDatagram datagram) {
  std::vector<std::function<void()>> wake;
  bool taken;
  {
    const std::lock_guard lock(mutex_);
    taken = put(std::move(datagram), wake);
  }
  call_all(wake);
  return taken;
}

std::vector<MemoryDatagram> MemoryNetwork::sent() const {
  const std::lock_guard lock(mutex_);
  return sent_;
}

void MemoryNetwork::forget_sent() {
  const std::lock_guard lock(mutex_);
  sent_.clear();
}

// Locked. Notes whom to wake once the lock is gone.
bool MemoryNetwork::put(MemoryDatagram datagram, std::vector<std::function<void()>>& wake) {
  for (MemoryUdp* socket : sockets_) {
    if (socket->port_ != datagram.to.port) continue;
    const Source* to = find_address(socket->addresses_, datagram.to.address);
    if (to == nullptr) continue;
    if (socket->inbox_.size() >= MemoryUdp::kQueueBound) return false;
    datagram.from.scope_id = datagram.from.address.is_link_local() ? to->interface_index : 0;
    socket->inbox_.push_back({std::move(datagram), *to});
    if (socket->wake_) wake.push_back(socket->wake_);
    return true;
  }
  return false;
}

// Locked. Does with a datagram just sent what the hook says.
void MemoryNetwork::pass(MemoryDatagram datagram, std::vector<std::function<void()>>& wake) {
  switch (hook_ ? hook_(datagram) : Fate::deliver) {
    case Fate::deliver:
      put(std::move(datagram), wake);
      break;
    case Fate::hold:
      held_.push_back(std::move(datagram));
      break;
    case Fate::drop:
      break;
  }
}

MemoryUdp::MemoryUdp(MemoryNetwork& network, MemoryUdpOptions options) noexcept
    : network_(network),
      addresses_(std::move(options.addresses)),
      port_(options.port),
      offload_(options.offload) {}

Result<std::unique_ptr<MemoryUdp>> MemoryUdp::open(MemoryNetwork& network,
                                                   MemoryUdpOptions options) {
  const std::lock_guard lock(network.mutex_);
  const auto is_free = [&](std::uint16_t port) {
    return std::ranges::none_of(network.sockets_, [&](const MemoryUdp* other) {
      return other->port_ == port && std::ranges::any_of(options.addresses, [&](const Source& own) {
               return find_address(other->addresses_, own.address) != nullptr;
             });
    });
  };
  if (options.port == 0) {
    std::uint32_t port = kFirstFreePort;
    while (port <= UINT16_MAX && !is_free(static_cast<std::uint16_t>(port))) ++port;
    if (port > UINT16_MAX)
      return std::unexpected(system_error(std::errc::address_in_use, "bind any memory port"));
    options.port = static_cast<std::uint16_t>(port);
  }
  if (!is_free(options.port)) {
    return std::unexpected(system_error(std::errc::address_in_use,
                                        "bind memory port " + std::to_string(options.port)));
  }
  std::unique_ptr<MemoryUdp> udp(new MemoryUdp(network, std::move(options)));
  network.sockets_.push_back(udp.get());
  return udp;
}

MemoryUdp::~MemoryUdp() {
  const std::lock_guard lock(network_.mutex_);
  std::erase(network_.sockets_, this);
}

// Fills a slot with the oldest datagram and, with offload, those behind it that the kernel would have
// coalesced with it: same way, same size but the last, room for all.
void MemoryUdp::take(ReceivedDatagrams& slot) {
  const Arrived first = std::move(inbox_.front());
  inbox_.pop_front();
  slot.from = first.datagram.from;
  slot.to = first.to;
  slot.ecn = first.datagram.traffic_class & 3;
  const bool fits = first.datagram.bytes.size() <= slot.room.size();
  slot.size = fits ? first.datagram.bytes.size() : 0;
  slot.segment_size = slot.size;
  if (!fits) return;
  copy(first.datagram.bytes, slot.room);
  std::size_t count = 1;
  while (offload_ && slot.segment_size > 0 && !inbox_.empty() && count < kMaxSegments) {
    const Arrived& next = inbox_.front();
    const std::size_t size = next.datagram.bytes.size();
    const bool alike = next.datagram.from == first.datagram.from && next.to == first.to &&
                       next.datagram.traffic_class == first.datagram.traffic_class;
    if (!alike || size == 0 || size > slot.segment_size) break;
    if (slot.size + size > std::min(slot.room.size(), kMaxSendSize)) break;
    copy(next.datagram.bytes, slot.room.subspan(slot.size));
    slot.size += size;
    ++count;
    const bool ends = size < slot.segment_size;
    inbox_.pop_front();
    if (ends) break;
  }
}

Result<std::size_t> MemoryUdp::receive(std::span<ReceivedDatagrams> slots) {
  const std::lock_guard lock(network_.mutex_);
  if (broken_) return std::unexpected(system_error(*broken_, "receive from memory"));
  std::size_t filled = 0;
  while (filled < slots.size() && !inbox_.empty()) take(slots[filled++]);
  return filled;
}

// Null when the machine has no address of the destination's family.
const Source* MemoryUdp::address_for(const OutgoingDatagrams& entry, bool& refused) const {
  refused = false;
  if (!entry.from.is_none() && entry.from.address.family() == entry.to.address.family()) {
    if (const Source* wanted = find_address(addresses_, entry.from.address)) return wanted;
    refused = true;
  }
  const auto any = std::ranges::find_if(addresses_, [&](const Source& own) {
    return own.address.family() == entry.to.address.family();
  });
  return any != addresses_.end() ? &*any : nullptr;
}

bool MemoryUdp::send_one(OutgoingDatagrams& entry, std::vector<std::function<void()>>& wake) {
  const std::vector<std::uint8_t> bytes = gather(entry.parts);
  const std::size_t step = entry.segment_size != 0 ? entry.segment_size : bytes.size();
  bool refused;
  const Source* from = entry.to.is_none() ? nullptr : address_for(entry, refused);
  const bool went_without = from != nullptr && refused;
  entry.refused = went_without ? SourceRefusal::source : SourceRefusal::none;
  entry.lost_bytes = 0;
  entry.error = 0;
  bool all_sent = true;
  std::size_t at = 0;
  do {
    const std::size_t size = std::min(step, bytes.size() - at);
    const Bytes piece = Bytes(bytes).subspan(at, size);
    at += size;
    if (from == nullptr || refuse_ > 0 || size > kMaxSendSize) {
      if (from != nullptr && refuse_ > 0) --refuse_;
      ++failures_;
      entry.lost_bytes += size;
      entry.error = static_cast<int>(from == nullptr ? std::errc::address_family_not_supported
                                                     : std::errc::operation_not_permitted);
      all_sent = false;
      continue;
    }
    MemoryDatagram datagram{
        {from->address, port_, 0}, entry.to, entry.traffic_class, {piece.begin(), piece.end()}};
    network_.sent_.push_back(datagram);
    network_.pass(std::move(datagram), wake);
  } while (at < bytes.size());
  return all_sent;
}

std::size_t MemoryUdp::send(std::span<OutgoingDatagrams> batch) {
  std::vector<std::function<void()>> wake;
  std::size_t sent = 0;
  {
    const std::lock_guard lock(network_.mutex_);
    for (auto& entry : batch) sent += send_one(entry, wake) ? 1 : 0;
  }
  call_all(wake);
  return sent;
}

Result<void> MemoryUdp::set_route_mark(std::uint32_t mark) {
  const std::lock_guard lock(network_.mutex_);
  mark_ = mark;
  return {};
}

std::uint64_t MemoryUdp::send_failures() const noexcept {
  const std::lock_guard lock(network_.mutex_);
  return failures_;
}

std::uint32_t MemoryUdp::mark() const {
  const std::lock_guard lock(network_.mutex_);
  return mark_;
}

void MemoryUdp::set_addresses(std::vector<Source> addresses) {
  const std::lock_guard lock(network_.mutex_);
  addresses_ = std::move(addresses);
}

void MemoryUdp::refuse_sends(std::size_t count) {
  const std::lock_guard lock(network_.mutex_);
  refuse_ = count;
}

void MemoryUdp::break_receive(std::optional<std::errc> error) {
  const std::lock_guard lock(network_.mutex_);
  broken_ = error;
}

void MemoryUdp::on_readable(std::function<void()> wake) {
  const std::lock_guard lock(network_.mutex_);
  wake_ = std::move(wake);
}

}  // namespace ferrule::io
