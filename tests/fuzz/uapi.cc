// The configuration socket: requests are the same however they are cut into reads, what was read can
// be written and read again, and answers likewise.
#include <algorithm>
#include <array>
#include <cerrno>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/check.h"
#include "control/uapi_client.h"
#include "control/uapi_parser.h"
#include "control/uapi_writer.h"
#include "tests/fuzz/choices.h"

namespace ferrule::control {
namespace {

std::uint32_t scope_of(const char* name) { return std::string_view(name) == "wg0" ? 7 : 0; }
std::string name_of(std::uint32_t index) { return index == 7 ? "wg0" : ""; }

// A request as text that can be compared.
std::string told(const UapiRequest& request) {
  if (std::holds_alternative<GetRequest>(request)) return "get";
  if (std::holds_alternative<StatsRequest>(request)) return "stats";
  if (std::holds_alternative<SettingsRequest>(request)) return "settings";
  if (const auto* error = std::get_if<Error>(&request)) {
    FERRULE_CHECK(error->code > 0);
    return std::to_string(error->code) + error->what;
  }
  return std::string(set_request(std::get<protocol::DeviceChange>(request), name_of).view());
}

std::vector<UapiRequest> requests_of(std::string_view input, std::string_view cuts) {
  UapiParser parser(scope_of);
  std::vector<UapiRequest> requests;
  std::size_t cut = 0;
  while (!input.empty()) {
    const std::size_t size =
        cuts.empty() ? input.size() : static_cast<unsigned char>(cuts[cut++ % cuts.size()]) + 1u;
    std::string_view piece = input.substr(0, size);
    input.remove_prefix(piece.size());
    while (!piece.empty()) {
      if (auto request = parser.feed(piece)) requests.push_back(std::move(*request));
    }
    FERRULE_CHECK(parser.in_request() || parser.held_bytes() == 0);
  }
  return requests;
}

void check_requests(std::string_view input, std::string_view cuts) {
  const std::vector<UapiRequest> requests = requests_of(input, {});
  const std::vector<UapiRequest> again = requests_of(input, cuts);
  FERRULE_CHECK(std::ranges::equal(requests, again, {}, told, told));
  for (const UapiRequest& request : requests) {
    if (!std::holds_alternative<protocol::DeviceChange>(request)) continue;
    const std::string written = told(request);
    const std::vector<UapiRequest> reread = requests_of(written, {});
    FERRULE_CHECK(reread.size() == 1 && told(reread[0]) == written);
  }
}

// Everything that an answer told, as the text of another answer.
std::string told(UapiAnswer& answer) {
  std::string text;
  UapiWriter writer([&](std::string_view piece) { text += piece; });
  DeviceStatus& device = answer.device();
  const PrivateKey none;
  writer.device(device.private_key ? *device.private_key : none, device.listen_port, device.fwmark);
  for (const protocol::PeerStatus& peer : device.peers) writer.peer(peer);
  const auto outcome = answer.outcome();
  writer.finish(outcome ? 0 : outcome.error().code);
  return text;
}

void feed(UapiAnswer& answer, std::string_view input, std::string_view cuts) {
  for (std::size_t cut = 0; !input.empty();) {
    const std::size_t size =
        cuts.empty() ? input.size() : static_cast<unsigned char>(cuts[cut++ % cuts.size()]) + 1u;
    const std::string_view piece = input.substr(0, size);
    (void)answer.feed(piece);
    input.remove_prefix(piece.size());
  }
}

void check_answer(std::string_view input, std::string_view cuts) {
  UapiAnswer whole(scope_of);
  UapiAnswer cut(scope_of);
  feed(whole, input, {});
  feed(cut, input, cuts);
  const std::string text = told(whole);
  FERRULE_CHECK(text == told(cut));
  FERRULE_CHECK(whole.stats() == cut.stats());
  if (!whole.outcome()) return;
  UapiAnswer reread(scope_of);
  feed(reread, text, {});
  FERRULE_CHECK(told(reread) == text);
}

}  // namespace
}  // namespace ferrule::control

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ferrule;
  // The text ends at a zero byte; behind it are the sizes of the pieces that it comes in.
  fuzz::Choices choices(data, size);
  const std::uint8_t* zero = std::find(data, data + size, 0);
  const std::string_view text = choices.text(static_cast<std::size_t>(zero - data));
  (void)choices.byte();
  const std::string_view cuts = choices.text(16);
  control::check_requests(text, cuts);
  control::check_answer(text, cuts);
  return 0;
}
