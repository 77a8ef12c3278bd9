// Answers of the cross-platform configuration protocol (P101a).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/keys.h"
#include "base/local_place.h"
#include "control/wiped_text.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// Writes an answer piece by piece, so that the text of a million peers is never held at once:
///   get:    device, peer..., finish(0)
///   set:    finish(0 or the errno)
///   stats:  stat..., peer_stats..., finish(0)
///   settings: place, finish(0)
/// Pieces go to the sink when they have grown to kPieceBytes, with `flush` and with `finish`. They hold
/// keys: who keeps one wipes it. The writer wipes its own. Not thread-safe; can be used for one answer
/// after the other.
class UapiWriter {
 public:
  using Sink = std::function<void(std::string_view piece)>;
  static constexpr std::size_t kPieceBytes = 16384;

  explicit UapiWriter(Sink sink) : sink_(std::move(sink)) {}

  void device(const PrivateKey& private_key, std::uint16_t listen_port, std::uint32_t fwmark);
  void peer(const protocol::PeerStatus& status);
  /// `name` and `value` of a counter; names have neither '=' nor line breaks.
  void stat(std::string_view name, std::uint64_t value);
  /// What is counted of a peer beyond what get tells (P101a has no keys for it).
  void peer_stats(const protocol::PeerStatus& status);
  /// `missing`: what of it is not there now.
  void place(const LocalPlace& place, std::span<const std::string> missing);
  /// Hands over what there is, so that `finish` gives the end alone: for who wipes all else before that.
  void flush();
  /// Ends the answer. `code` is a positive errno of this system, or 0 for success; on the wire it is
  /// negative, and Linux's number (control/uapi_errno.h).
  void finish(int code);

 private:
  void append(std::string_view text);
  void hex_line(std::string_view key, std::span<const std::uint8_t, kKeySize> bytes);
  void number_line(std::string_view key, std::uint64_t value);

  Sink sink_;
  WipedText piece_;
};

}  // namespace ferrule::control
