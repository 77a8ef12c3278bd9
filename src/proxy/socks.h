// SOCKS 5 (RFC 1928, RFC 1929), 4 and 4a as a server reads and writes them: bytes in, bytes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "proxy/target.h"

namespace ferrule::proxy {

enum class SocksCommand : std::uint8_t { connect = 1, bind, associate };

/// Value type.
struct SocksRequest {
  int version = 5;
  SocksCommand command = SocksCommand::connect;
  Target target;  // its address may be zeros, and its port 0
};

/// RFC 1928, section 6.
enum class SocksReply : std::uint8_t {
  granted,
  failed,
  not_allowed,
  network_unreachable,
  host_unreachable,
  refused,
  expired,
  no_such_command,
  no_such_address_type,
};

/// One client's words up to the end of its request. What is wrong ends it.
class SocksServer {
 public:
  enum class Step { more, password, request, failed };

  explicit SocksServer(bool wants_password) noexcept : wants_password_(wants_password) {}

  /// Takes what it can from the start of `input`, and adds answers to `output`. `more`: it needs more bytes
  /// than there are. `password`: `user()` and `password()` are to be judged. What is left of
  /// `input` after a request belongs to the stream.
  [[nodiscard]] Step advance(std::string& input, std::string& output);
  /// The judgement. When it is bad, all that is left is to send the answer.
  void judge(bool is_good, std::string& output);

  [[nodiscard]] const std::string& user() const noexcept { return user_; }
  [[nodiscard]] const std::string& password() const noexcept { return password_; }
  [[nodiscard]] const SocksRequest& request() const noexcept { return request_; }

 private:
  enum class State { greeting, credentials, judging, request, done };
  Step read_greeting(std::string& input, std::string& output);
  Step read_credentials(std::string& input);
  Step read_request(std::string& input, std::string& output);
  Step read_version_4(std::string& input);

  bool wants_password_;
  State state_ = State::greeting;
  std::string user_;
  std::string password_;
  SocksRequest request_;
};

/// The answer to a request; `at` is the local end of what was made, or none.
[[nodiscard]] std::string socks_answer(const SocksRequest& request, SocksReply reply,
                                       const Endpoint& at);
/// What the system's words mean to a client.
[[nodiscard]] SocksReply socks_reply_of(int error) noexcept;

/// A datagram of an association, from the client: where it is to go, and what.
struct SocksDatagram {
  Target target;
  Bytes payload;
};
/// None: it is no such datagram, or a fragment, which are dropped (RFC 1928, section 7).
[[nodiscard]] std::optional<SocksDatagram> parse_socks_datagram(Bytes datagram);
/// The header of one to the client.
[[nodiscard]] std::string socks_datagram_header(const Endpoint& from);

}  // namespace ferrule::proxy
