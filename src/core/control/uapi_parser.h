// Requests of the cross-platform configuration protocol, from the bytes of a connection (P100-P103).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/error.h"
#include "control/endpoint_text.h"
#include "control/wiped_text.h"
#include "protocol/configuration.h"

namespace ferrule::control {

/// A line of a request, without its line break. The longest meaningful one is under 100.
constexpr std::size_t kMaxUapiLineBytes = 4096;
/// A whole request: a million peers, each with two keys, an endpoint and a few allowed IPs, come to
/// about 350 MB; a million allowed IPs to at most 62 MB. What a request is parsed into takes at most
/// about four times its text.
constexpr std::size_t kMaxUapiRequestBytes = std::size_t{512} << 20;

struct GetRequest {};
/// Ours (`stats=1`): counters, in an answer like get's. Other programs refuse it.
struct StatsRequest {};
/// Ours (`settings=1`): what was set with keys of ours, for which get has none.
struct SettingsRequest {};

/// A request, or why there is none: an errno for the answer and a text that names line, key and what was
/// expected, fit for the log (it never holds a key). Either way exactly one answer is due.
using UapiRequest =
    std::variant<GetRequest, StatsRequest, SettingsRequest, protocol::DeviceChange, Error>;

/// Turns the bytes of one connection into requests. Lines are parsed as they arrive, so that a
/// request costs what it is parsed into and one unfinished line; between requests a parser holds no
/// memory (P103). Nothing of a request with a bad line is carried out (P102): the rest of it, up to
/// its empty line, is read past, and then the error of its first bad line is returned. The same becomes
/// of a request that there is no memory for: its error is not_enough_memory.
///
/// Not thread-safe. The caller wipes what it read from the socket: it may hold keys.
class UapiParser {
 public:
  /// The daemon passes if_nametoindex: `wg` writes the scope of an endpoint as a name.
  explicit UapiParser(ScopeLookup scope_of) noexcept : scope_of_(scope_of) {}

  /// Takes bytes from the front of `input`, up to the end of a request or of the input. Call it
  /// again while it returns a request: several may follow each other in one read.
  [[nodiscard]] std::optional<UapiRequest> feed(std::string_view& input) noexcept;

  /// To be called when nothing more comes: the error of a request that was begun and not ended.
  [[nodiscard]] std::optional<UapiRequest> cut_off() noexcept;

  /// True within a request: a connection that ends now ends in the middle of it.
  [[nodiscard]] bool in_request() const noexcept { return state_ != State::idle || !line_.empty(); }
  /// About how much memory the unfinished request holds.
  [[nodiscard]] std::size_t held_bytes() const noexcept;
  /// The request is refused for want of memory, once the rest of it has been read past. For who bounds what
  /// many parsers hold together: what this one held is to be taken, with take_remains.
  void give_up_request() noexcept;
  /// What the last refused request held, for who frees it in steps, since it may be very large. Else it goes
  /// with the parser, or with the next one.
  [[nodiscard]] protocol::DeviceChange take_remains() noexcept {
    return std::exchange(remains_, {});
  }

 private:
  enum class State { idle, get, stats, settings, set, refused };

  void keep_start_of_line(std::string_view start);
  std::optional<UapiRequest> end_line(std::string_view rest);
  std::optional<UapiRequest> take_line(std::string_view line);
  UapiRequest finish_request();

  void take_operation(std::string_view line);
  void take_set_line(std::string_view line);
  void take_device_key(std::string_view key, std::string_view value);
  void take_peer_key(std::string_view key, std::string_view value);
  void take_allowed_ip(protocol::PeerChange& peer, std::string_view value);
  void begin_peer(std::string_view value);

  // Only the first refusal of a request counts.
  void refuse(std::errc kind, std::string_view why) noexcept;
  void refuse_key(std::string_view key, std::string_view why_not);
  void refuse_value(std::string_view key, std::string_view value, std::string_view expected);
  void refuse_secret(std::string_view key, std::string_view expected);

  // Sets `to` when the value is literally "true".
  void take_flag(std::string_view key, std::string_view value, bool& to);
  template <class T>
  void take_number(std::string_view key, std::string_view value, std::optional<T>& to);

  ScopeLookup scope_of_;
  State state_ = State::idle;
  std::size_t line_number_ = 0;    // of the line being read, from 1 within its request
  std::size_t request_bytes_ = 0;  // of lines that have ended
  std::size_t allowed_ips_ = 0;    // in change_
  bool skips_line_ = false;        // what is left of the line is read past
  WipedText line_;                 // the start of a line whose end is still to come
  protocol::DeviceChange change_;
  protocol::DeviceChange remains_;  // of a refused request
  Error error_;
};

}  // namespace ferrule::control
