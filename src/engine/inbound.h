// From the network to the tunnel interface.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/time.h"
#include "engine/mutex.h"
#include "engine/pump.h"
#include "engine/turns.h"
#include "io/tun.h"
#include "io/udp.h"
#include "protocol/data_path.h"

namespace ferrule::engine {

/// Each pump takes one batch all the way: receive, plan, open, write. Any number of workers may pump at
/// once: batches are received one after the other, opened in parallel, and written in the order in which
/// they were received.
class Inbound {
 public:
  explicit Inbound(const LaneParts& parts) noexcept : parts_(parts) {}

  /// The sockets to receive from; null for none. Only while no worker pumps.
  void set_udp(io::Udp* udp) noexcept { udp_ = udp; }
  /// Handshake messages go to the intake. Without memory (P35) the batch is lost, counted as no_resources.
  [[nodiscard]] Pumped pump(const Now& now, Worker worker, Lead& lead) noexcept;
  /// Opened, and handed to the interface. Any thread.
  [[nodiscard]] std::uint64_t packets() const noexcept {
    return packets_.load(std::memory_order_relaxed);
  }

 private:
  Pumped carry(const Now& now, Worker worker, Lead& lead);
  std::size_t sort_datagrams(const Now& now, Scratch& scratch, std::size_t count);
  void take_handshake(const Now& now, const io::ReceivedDatagrams& slot, Bytes message,
                      protocol::MessageType type);
  void deliver(Scratch& scratch);
  void write_split(Scratch& scratch, const io::TunWrite& refused);

  LaneParts parts_;
  io::Udp* udp_ = nullptr;
  std::atomic<std::uint64_t> packets_{0};
  Mutex lead_;  // who receives and plans
  Turns turns_;
};

}  // namespace ferrule::engine
