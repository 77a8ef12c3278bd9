// What the outer door made of messages, in the protocol's words.
#pragma once

#include <cstddef>

#include "base/wire.h"
#include "io/udp.h"
#include "protocol/data_path.h"

namespace ferrule::engine {

/// Gathers, and then tells the data path, what became of messages to one peer: of one batch, in order.
class Outcome {
 public:
  explicit Outcome(PeerId peer) noexcept : peer_(peer) {}

  [[nodiscard]] PeerId peer() const noexcept { return peer_; }

  void add(const io::OutgoingDatagrams& sent) noexcept {
    std::size_t size = 0;
    for (const Bytes part : sent.parts) size += part.size();
    const std::size_t step = sent.segment_size != 0 ? sent.segment_size : size;
    const auto datagrams = [step](std::size_t bytes) {
      return bytes != 0 ? (bytes + step - 1) / step : 0;
    };
    const std::size_t went = size - sent.lost_bytes;
    bytes_ += went - kWirePrefix * datagrams(went);
    lost_ += datagrams(sent.lost_bytes);
    error_ = sent.error;
    if (sent.refused == io::SourceRefusal::none) return;
    refused_ = sent.refused;
    from_ = sent.from;
  }

  /// With the tables held shared, or on the control side.
  void tell(protocol::DataPath& data_path, protocol::Attention& attention) const noexcept {
    if (refused_ != io::SourceRefusal::none) {
      const bool address_stays = refused_ == io::SourceRefusal::interface;
      data_path.source_refused(
          peer_, from_,
          address_stays ? protocol::SourceUse::address : protocol::SourceUse::nothing);  // P75
    }
    data_path.sent(peer_, bytes_, error_, attention);  // P78
    if (lost_ != 0) data_path.drops().count(protocol::Drop::send_failed, lost_);
  }

 private:
  PeerId peer_;
  std::uint64_t bytes_ = 0;  // of messages that went
  std::uint64_t lost_ = 0;   // messages
  int error_ = 0;
  io::SourceRefusal refused_ = io::SourceRefusal::none;
  Source from_;
};

}  // namespace ferrule::engine
