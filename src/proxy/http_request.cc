#include "proxy/http_request.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace ferrule::proxy {

namespace {

constexpr std::string_view kTokenSigns = "!#$%&'*+-.^_`|~";
constexpr std::uint16_t kHttpPort = 80;
constexpr std::string_view kScheme = "http://";

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kTokenSigns.find(c) != kTokenSigns.npos;
  });
}

// A value may hold anything but control characters; of those, a tab.
bool is_value(std::string_view text) noexcept {
  return std::ranges::none_of(text, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

bool is_target_text(std::string_view text) noexcept {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    const auto byte = static_cast<std::uint8_t>(c);
    return byte > 0x20 && byte < 0x7f;
  });
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

bool equals(std::string_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// The next line without its end, which is CR LF or LF; a CR within is for is_value to find.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text.remove_prefix(end + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

// Where the empty line that ends a head itself ends; npos: not yet.
std::size_t end_of_head(std::string_view text) noexcept {
  for (std::size_t at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1)) {
    std::size_t next = at + 1;
    if (next < text.size() && text[next] == '\r') ++next;
    if (next < text.size() && text[next] == '\n') return next + 1;
  }
  return text.npos;
}

HttpHead bad(int status) { return {HttpHead::Outcome::bad, status, {}}; }

struct RequestLine {
  std::string_view method;
  std::string_view target;
  std::string_view version;
};

std::optional<RequestLine> split(std::string_view line) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == line.npos || first == last) return std::nullopt;
  RequestLine parts{line.substr(0, first), line.substr(first + 1, last - first - 1),
                    line.substr(last + 1)};
  if (!is_token(parts.method) || !is_target_text(parts.target)) return std::nullopt;
  return parts;
}

// What stands for one hop only, or is for the proxy itself.
bool is_ours(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 5> kOurs{"connection", "proxy-connection",
                                                         "keep-alive", "proxy-authorization", "te"};
  return std::ranges::any_of(kOurs, [&](std::string_view ours) { return equals(name, ours); });
}

// "http://user@host:port/path" as the server is to see it; false: it is no such URL.
bool read_url(std::string_view url, HttpRequest& request, std::string& path) {
  if (url.size() < kScheme.size() || !equals(url.substr(0, kScheme.size()), kScheme)) return false;
  url.remove_prefix(kScheme.size());
  const std::size_t end = std::min(url.find_first_of("/?#"), url.size());
  std::string_view authority = url.substr(0, end);
  if (const std::size_t at = authority.rfind('@'); at != authority.npos) {
    authority.remove_prefix(at + 1);
  }
  const auto target = parse_target(authority, kHttpPort);
  if (!target) return false;
  request.target = *target;
  path = url.substr(end, url.find('#') - end);
  if (!path.starts_with('/')) path.insert(0, 1, '/');
  return true;
}

}  // namespace

HttpHead parse_http_head(std::string_view text) {
  // Empty lines before a request are passed over (RFC 9112, section 2.2).
  const std::size_t start = std::min(text.find_first_not_of("\r\n"), text.size());
  const std::size_t size = end_of_head(text.substr(start));
  if (size == text.npos) return {};
  std::string_view rest = text.substr(start, size);
  const auto line = split(take_line(rest));
  if (!line) return bad(400);
  if (line->version != "HTTP/1.1" && line->version != "HTTP/1.0") return bad(505);
  HttpHead head{HttpHead::Outcome::good, 0, {}};
  HttpRequest& request = head.request;
  request.size = start + size;
  request.is_connect = line->method == "CONNECT";
  std::string path;
  if (request.is_connect) {
    const auto target = parse_target(line->target);
    if (!target) return bad(400);
    request.target = *target;
  } else if (!read_url(line->target, request, path)) {
    return bad(400);
  }
  std::string fields;
  while (true) {
    const std::string_view field = take_line(rest);
    if (field.empty()) break;
    const std::size_t colon = field.find(':');
    if (colon == field.npos || !is_token(field.substr(0, colon)) ||
        !is_value(field.substr(colon + 1))) {
      return bad(400);  // also a line that goes on, which begins with white space
    }
    const std::string_view name = field.substr(0, colon);
    if (equals(name, "proxy-authorization"))
      request.authorization = trimmed(field.substr(colon + 1));
    if (!is_ours(name)) fields += fmt::format("{}\r\n", field);
  }
  if (!request.is_connect) {
    request.passed_on = fmt::format("{} {} {}\r\n{}Connection: close\r\n\r\n", line->method, path,
                                    line->version, fields);
  }
  return head;
}

namespace {

// The six bits of a sign of base64; -1 for what is none.
int bits_of(char c) noexcept {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::optional<std::string> from_base64(std::string_view text) {
  while (text.ends_with('=')) text.remove_suffix(1);
  std::string bytes;
  unsigned held = 0;
  unsigned count = 0;
  for (const char c : text) {
    const int bits = bits_of(c);
    if (bits < 0) return std::nullopt;
    held = (held << 6) | static_cast<unsigned>(bits);
    count += 6;
    if (count < 8) continue;
    count -= 8;
    bytes += static_cast<char>((held >> count) & 0xff);
  }
  return bytes;
}

std::string_view reason_of(int status) noexcept {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 407:
      return "Proxy Authentication Required";
    case 431:
      return "Request Header Fields Too Large";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 505:
      return "HTTP Version Not Supported";
    default:
      return "Error";
  }
}

}  // namespace

std::optional<BasicCredentials> parse_basic(std::string_view authorization) {
  constexpr std::string_view kBasic = "basic ";
  if (authorization.size() < kBasic.size() ||
      !equals(authorization.substr(0, kBasic.size()), kBasic)) {
    return std::nullopt;
  }
  const auto text = from_base64(trimmed(authorization.substr(kBasic.size())));
  const std::size_t colon = text ? text->find(':') : std::string::npos;
  if (colon == std::string::npos) return std::nullopt;
  return BasicCredentials{text->substr(0, colon), text->substr(colon + 1)};
}

std::string http_answer(int status, std::string_view text) {
  const std::string_view challenge =
      status == 407 ? "Proxy-Authenticate: Basic realm=\"ferrule\"\r\n" : "";
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\n{}"
      "Connection: close\r\n\r\n{}",
      status, reason_of(status), text.size(), challenge, text);
}

int http_status_of(int error) noexcept { return error == ETIMEDOUT ? 504 : 502; }

}  // namespace ferrule::proxy
