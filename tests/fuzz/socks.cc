// SOCKS clients: words are understood the same whether they come at once or in pieces, what was
// understood is a target that can be asked for, and an answer is never longer than its question allows.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "proxy/socks.h"

namespace ferrule::proxy {
namespace {

constexpr std::size_t kMaxAnswerBytes = 64;

struct Talk {
  SocksServer::Step step = SocksServer::Step::more;
  std::string said;
  std::string left;
  SocksRequest request;
};

Talk talk(std::string_view words, bool wants_password, std::size_t piece) {
  SocksServer server(wants_password);
  Talk result;
  while (!words.empty() && result.step == SocksServer::Step::more) {
    const std::size_t size = std::min(piece, words.size());
    result.left += words.substr(0, size);
    words.remove_prefix(size);
    result.step = server.advance(result.left, result.said);
    if (result.step == SocksServer::Step::password) {
      server.judge(server.user() == server.password(), result.said);
      result.step = server.advance(result.left, result.said);
    }
  }
  result.left += words;
  result.request = server.request();
  return result;
}

void check_target(const Target& target) {
  FERRULE_CHECK(target.name.empty() != (target.address.family() == Family::none));
  if (!target.name.empty()) FERRULE_CHECK(is_host_name(target.name));
}

void check_stream(std::string_view words, bool wants_password) {
  const Talk whole = talk(words, wants_password, words.size());
  const Talk pieces = talk(words, wants_password, 1);
  FERRULE_CHECK(whole.step == pieces.step);
  FERRULE_CHECK(whole.said == pieces.said && whole.said.size() <= kMaxAnswerBytes);
  if (whole.step != SocksServer::Step::request) return;
  FERRULE_CHECK(whole.left == pieces.left);
  FERRULE_CHECK(words.ends_with(whole.left));
  check_target(whole.request.target);
  FERRULE_CHECK(whole.request.target == pieces.request.target);
}

void check_datagram(std::string_view text) {
  const Bytes bytes(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
  const auto datagram = parse_socks_datagram(bytes);
  if (!datagram) return;
  check_target(datagram->target);
  FERRULE_CHECK(datagram->target.port != 0);
  if (!datagram->target.name.empty()) return;
  const std::string header =
      socks_datagram_header(Endpoint(datagram->target.address, datagram->target.port));
  std::string again = header;
  again.append(reinterpret_cast<const char*>(datagram->payload.data()), datagram->payload.size());
  const auto read =
      parse_socks_datagram({reinterpret_cast<const std::uint8_t*>(again.data()), again.size()});
  FERRULE_CHECK(read && read->target == datagram->target);
}

}  // namespace
}  // namespace ferrule::proxy

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  ferrule::proxy::check_stream(text, false);
  ferrule::proxy::check_stream(text, true);
  ferrule::proxy::check_datagram(text);
  return 0;
}
