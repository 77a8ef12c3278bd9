// From the tunnel interface to the network.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "engine/mutex.h"
#include "engine/pump.h"
#include "engine/token_bucket.h"
#include "engine/turns.h"
#include "io/udp.h"
#include "protocol/data_path.h"

namespace ferrule::engine {

/// Each pump takes one batch all the way: read, plan, seal, send. Any number of workers may pump at once:
/// batches are read one after the other, sealed in parallel, and sent in the order in which they were
/// read (P77).
class Outbound {
 public:
  /// `lane`: whose packets those are that it stages.
  Outbound(std::uint16_t lane, const LaneParts& parts) noexcept : lane_(lane), parts_(parts) {}

  /// The sockets to send by; null for none. Only while no worker pumps.
  void set_udp(io::Udp* udp) noexcept { udp_ = udp; }
  /// Without memory (P35) the batch is lost, counted as no_resources.
  [[nodiscard]] Pumped pump(const Now& now, Worker worker, Lead& lead) noexcept;
  /// Sends what this lane staged for peers that have a session now.
  void flush(const Now& now, std::span<const PeerId> peers, Worker worker) noexcept;
  /// Sealed, and handed to the sockets. Any thread.
  [[nodiscard]] std::uint64_t packets() const noexcept {
    return packets_.load(std::memory_order_relaxed);
  }

 private:
  Pumped carry(const Now& now, Worker worker, Lead& lead);
  void flush_peer(const Now& now, PeerId peer, Worker worker);
  struct Batch {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };
  Result<Batch> read_batch(Scratch& scratch);
  void plan(const Now& now, Worker worker, std::size_t count);
  struct Cut {  // how far a batch has been made into messages
    std::size_t packet = 0;
    std::size_t segment = 0;
  };
  struct NewMessage {
    std::uint8_t* data;  // header, inner packet, room for padding and tag
    std::size_t size;    // of the inner packet
    std::size_t padded;
    std::uint64_t counter;
    std::uint32_t run;  // its place in SendPlan::runs
    std::uint8_t ecn;
  };
  static void make_messages(Scratch& scratch, std::size_t count, Cut& cut);
  static bool cut_segments(Scratch& scratch, Cut& cut, std::size_t& used);
  static void add_message(Scratch& scratch, const NewMessage& made);
  static void make_trains(Scratch& scratch);
  void send_trains(Worker worker);
  void answer_unreachable(const Now& now, Scratch& scratch, std::size_t count);

  std::uint16_t lane_;
  LaneParts parts_;
  io::Udp* udp_ = nullptr;
  std::atomic<std::uint64_t> packets_{0};
  Mutex lead_;  // who reads and plans
  Turns turns_;
  TokenBucket unreachables_ FERRULE_GUARDED_BY(unreachables_mutex_){kUnreachablesPerSecond,
                                                                    kUnreachablesBurst};
  Mutex unreachables_mutex_;
};

}  // namespace ferrule::engine
