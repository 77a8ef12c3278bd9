// Heads of HTTP requests: no part of one is taken for a whole, and what is passed on is one head, for one
// server, that says it is the last.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "proxy/http_request.h"
#include "proxy/settings.h"
#include "proxy/wireproxy_file.h"

namespace ferrule::proxy {
namespace {

using Outcome = HttpHead::Outcome;

void check_head(std::string_view text) {
  const HttpHead head = parse_http_head(text);
  if (head.outcome == Outcome::bad) FERRULE_CHECK(head.status >= 400 && head.status < 600);
  if (head.outcome != Outcome::good) return;
  const HttpRequest& request = head.request;
  FERRULE_CHECK(request.size <= text.size() && request.target.port != 0);
  FERRULE_CHECK(parse_http_head(text.substr(0, request.size)).outcome == Outcome::good);
  FERRULE_CHECK(parse_http_head(text.substr(0, request.size - 1)).outcome == Outcome::more);
  if (request.is_connect) return FERRULE_CHECK(request.passed_on.empty());
  const std::string_view passed_on = request.passed_on;
  FERRULE_CHECK(passed_on.ends_with("\r\nConnection: close\r\n\r\n"));
  FERRULE_CHECK(passed_on.find("\r\n\r\n") == passed_on.size() - 4);
  for (std::size_t at = 0; at < passed_on.size(); ++at) {
    const char c = passed_on[at];
    if (c == '\n') FERRULE_CHECK(at > 0 && passed_on[at - 1] == '\r');
    if (c == '\r') FERRULE_CHECK(at + 1 < passed_on.size() && passed_on[at + 1] == '\n');
    FERRULE_CHECK(c != '\0');
  }
}

void check_texts(const std::string& text) {
  (void)parse_basic(text);
  if (const auto forward = parse_local_forward(text)) FERRULE_CHECK(forward->to.port != 0);
  if (const auto target = parse_target(text)) {
    FERRULE_CHECK(parse_target(target->to_string()) == *target);
  }
  const auto file = read_wireproxy_file("f", text, [](const std::string& name) {
    return name.size() % 2 != 0 ? std::optional<std::string>(name) : std::nullopt;
  });
  if (!file) FERRULE_CHECK(!file.error().empty());
}

}  // namespace
}  // namespace ferrule::proxy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  ferrule::proxy::check_head(text);
  ferrule::proxy::check_texts(text);
  return 0;
}
