// Answers of name servers: whatever they hold, no more than a bounded number of addresses of the family that
// was asked for, and only where the question was ours.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "proxy/dns_message.h"
#include "proxy/limits.h"

namespace ferrule::proxy {
namespace {

constexpr std::uint16_t kId = 0x1234;
constexpr std::string_view kName = "web.example";

void check(Bytes message, DnsType type) {
  const auto answer = parse_dns_answer(message, kId, kName, type);
  if (!answer) return;
  FERRULE_CHECK(answer->addresses.size() <= kMaxAddresses);
  FERRULE_CHECK((answer->outcome == DnsOutcome::found) == !answer->addresses.empty());
  const Family family = type == DnsType::a ? Family::v4 : Family::v6;
  FERRULE_CHECK(std::ranges::all_of(
      answer->addresses, [&](const IpAddress& address) { return address.family() == family; }));
  FERRULE_CHECK(answer->ttl_s <= 0x7fffffff);
}

}  // namespace
}  // namespace ferrule::proxy

// The header and the question are ours, so that the rest is looked at; and once they are what came.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace proxy = ferrule::proxy;
  for (const proxy::DnsType type : {proxy::DnsType::a, proxy::DnsType::aaaa}) {
    proxy::check({data, size}, type);
    if (size < 10) continue;
    std::string message = proxy::dns_question(proxy::kId, proxy::kName, type);
    message[2] = static_cast<char>(data[0] | 0x80);
    message[3] = static_cast<char>(data[1]);
    std::copy_n(reinterpret_cast<const char*>(data) + 2, 6, message.begin() + 6);
    message.resize(12 + proxy::kName.size() + 2 + 4);  // without EDNS
    message.append(reinterpret_cast<const char*>(data) + 8, size - 8);
    proxy::check({reinterpret_cast<const std::uint8_t*>(message.data()), message.size()}, type);
  }
  return 0;
}
