// A lane: a queue of the tunnel interface, a pair of UDP sockets, and the way of packets between them.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/time.h"
#include "crypto/aead.h"
#include "engine/inbox.h"
#include "engine/locks.h"
#include "engine/mutex.h"
#include "engine/scratch.h"
#include "engine/token_bucket.h"
#include "engine/turns.h"
#include "io/tun.h"
#include "io/udp.h"
#include "protocol/device.h"

namespace ferrule::engine {

/// A worker's identity towards a lane: its buffers and its number as a reader of the tables.
struct Worker {
  Scratch& scratch;
  std::size_t reader;
};

enum class Pumped : std::uint8_t {
  nothing,  // the source was empty
  some,     // a batch went through
  broken,   // the door is gone; the inbox knows
};

/// How a worker that reads hands the lead to another one.
class Lead {
 public:
  virtual ~Lead() = default;
  /// Called when a batch is read that is worth another worker's while: from now on one may read on.
  virtual void pass() noexcept = 0;
};

/// How many packets a lane has carried since the start. Any thread may read them.
struct LaneCounters {
  std::atomic<std::uint64_t> sent_packets{0};      // sealed, and handed to the sockets
  std::atomic<std::uint64_t> received_packets{0};  // opened, and handed to the interface
};

/// Each pump takes one batch all the way: read, plan, seal or open, deliver (run to completion). Any
/// number of workers may pump at once: batches are read one after the other, worked on in
/// parallel, and delivered in the order in which they were read (P77).
class Lane {
 public:
  struct Parts {
    protocol::Device& device;
    Locks& locks;
    const crypto::AeadBackend& aead;
    Inbox& inbox;
    io::Tun& tun;
  };
  Lane(std::uint16_t number, const Parts& parts) noexcept
      : number_(number),
        device_(parts.device),
        locks_(parts.locks),
        aead_(parts.aead),
        inbox_(parts.inbox),
        tun_(parts.tun) {}

  /// The sockets to use from now on; null for none. Only while no worker pumps.
  void set_udp(io::Udp* udp) noexcept { udp_ = udp; }

  /// Tunnel interface to network. Without memory (P35) the batch is lost, counted as no_resources; the
  /// same holds inwards.
  [[nodiscard]] Pumped pump_outbound(const Now& now, Worker worker, Lead& lead) noexcept;
  /// Network to tunnel interface; handshake messages to the inbox.
  [[nodiscard]] Pumped pump_inbound(const Now& now, Worker worker, Lead& lead) noexcept;
  /// Sends what this lane staged for peers that have a session now.
  void flush(const Now& now, std::span<const PeerId> peers, Worker worker) noexcept;

  [[nodiscard]] const LaneCounters& counters() const noexcept { return counters_; }

 private:
  // outwards (lane_outbound.cc)
  Pumped carry_outbound(const Now& now, Worker worker, Lead& lead);
  void flush_peer(const Now& now, PeerId peer, Worker worker);
  struct Batch {
    std::size_t count = 0;
    std::size_t bytes = 0;
  };
  Result<Batch> read_batch(Scratch& scratch);
  void plan_outbound(const Now& now, Worker worker, std::size_t count);
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

  // inwards (lane_inbound.cc)
  Pumped carry_inbound(const Now& now, Worker worker, Lead& lead);
  std::size_t sort_datagrams(const Now& now, Scratch& scratch, std::size_t count);
  void take_handshake(const Now& now, const io::ReceivedDatagrams& slot, Bytes message,
                      protocol::MessageType type);
  void deliver(Scratch& scratch);
  Result<std::size_t> write(std::span<const io::TunWrite> batch);
  void write_split(Scratch& scratch, const io::TunWrite& refused);

  std::uint16_t number_;
  protocol::Device& device_;
  Locks& locks_;
  const crypto::AeadBackend& aead_;
  Inbox& inbox_;
  io::Tun& tun_;
  io::Udp* udp_ = nullptr;
  LaneCounters counters_;

  Mutex outbound_lead_;  // who reads from the interface and plans
  Mutex inbound_lead_;   // who reads from the network and plans
  Turns outbound_turns_;
  Turns inbound_turns_;
  TokenBucket unreachables_ FERRULE_GUARDED_BY(unreachables_mutex_){kUnreachablesPerSecond,
                                                                    kUnreachablesBurst};
  Mutex unreachables_mutex_;
};

}  // namespace ferrule::engine
