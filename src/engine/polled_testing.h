// Doors that exist in memory only and that a thread can wait on, for tests.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "io/memory/memory_poller.h"
#include "io/memory/memory_tun.h"
#include "io/memory/memory_udp.h"
#include "io/poller.h"

namespace ferrule::engine::testing {

constexpr std::uint16_t kPort = 51820;

// What a poller sees of a memory door. It is drained before a look inside, so that nothing is missed.
template <class Slots, class Look>
auto look_inside(io::MemorySignal& event, Slots slots, Look look) {
  event.clear();
  auto got = look(slots);
  if (got && *got == slots.size()) event.set();  // there may be more
  return got;
}

class PolledTun final : public io::Tun {
 public:
  explicit PolledTun(io::MemoryEvents& events) : event_(events) {
    memory.on_readable([this] { event_.set(); });
  }
  Result<std::size_t> read(std::span<io::TunRead> slots) override {
    if (const int error = read_error_) {
      return std::unexpected(make_error(error, "read from tunnel interface"));
    }
    return look_inside(event_, slots, [this](auto room) { return memory.read(room); });
  }
  Result<std::size_t> write(std::span<const io::TunWrite> batch) override {
    return memory.write(batch);
  }
  std::uint64_t take_write_failures() noexcept override { return memory.take_write_failures(); }
  packet::OffloadSupport offload_support() const noexcept override {
    return memory.offload_support();
  }
  io::Waitable waitable() const { return event_.waitable(); }
  /// Reading fails from now on; 0: no longer.
  void break_read(int error) {
    read_error_ = error;
    event_.set();
  }

  io::MemoryTun memory{{.tcp = true, .udp = true}};

 private:
  std::atomic<int> read_error_ = 0;
  io::MemorySignal event_;
};

class PolledUdp final : public io::Udp {
 public:
  PolledUdp(io::MemoryEvents& events, io::MemoryNetwork& network, const Source& address)
      : event_(std::make_shared<io::MemorySignal>(events)),
        memory_(std::move(*io::MemoryUdp::open(network, {.addresses = {address}, .port = kPort}))) {
    memory_->on_readable([event = event_] { event->set(); });
  }
  Result<std::size_t> receive(std::span<io::ReceivedDatagrams> slots) override {
    return look_inside(*event_, slots, [this](auto room) { return memory_->receive(room); });
  }
  std::size_t send(std::span<io::OutgoingDatagrams> batch) override { return memory_->send(batch); }
  std::uint16_t port() const noexcept override { return kPort; }
  Result<void> set_route_mark(std::uint32_t mark) override { return memory_->set_route_mark(mark); }
  std::uint64_t send_failures() const noexcept override { return memory_->send_failures(); }
  io::Waitable waitable() const { return event_->waitable(); }
  void break_receive(std::errc error) {
    memory_->break_receive(error);
    event_->set();
  }

 private:
  // Shared with who sends to this socket just as it goes.
  std::shared_ptr<io::MemorySignal> event_;
  std::unique_ptr<io::MemoryUdp> memory_;
};

}  // namespace ferrule::engine::testing
