// The head of a request to an HTTP proxy (RFC 9112): what it asks for, and what is passed on of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "proxy/target.h"

namespace ferrule::proxy {

/// Value type.
struct HttpRequest {
  Target target;
  bool is_connect = false;
  std::string passed_on;      // the head for the server; "" for CONNECT
  std::string authorization;  // of Proxy-Authorization; "" without
  std::size_t size = 0;       // of the head: the rest belongs to the stream
};

struct HttpHead {
  enum class Outcome { more, good, bad } outcome = Outcome::more;
  int status = 0;  // of the answer to what is bad
  HttpRequest request;
};

/// Reads a head from the start of `text`: CONNECT, or another method with an absolute URL of http. The
/// server is told to close when it has answered, so that each connection carries one request.
[[nodiscard]] HttpHead parse_http_head(std::string_view text);

/// User and password of "Basic ...".
struct BasicCredentials {
  std::string user;
  std::string password;
};
[[nodiscard]] std::optional<BasicCredentials> parse_basic(std::string_view authorization);

/// A whole answer of the proxy's own.
[[nodiscard]] std::string http_answer(int status, std::string_view text);
/// The status that tells the system's error.
[[nodiscard]] int http_status_of(int error) noexcept;

}  // namespace ferrule::proxy
