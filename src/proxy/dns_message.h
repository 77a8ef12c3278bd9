// Questions to name servers, and what of their answers counts (RFC 1035, RFC 6891): bytes in, bytes out.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/net.h"

namespace ferrule::proxy {

enum class DnsType : std::uint16_t { a = 1, aaaa = 28 };

/// "Is there such a name?" as an answer sees it.
enum class DnsOutcome : std::uint8_t { found, no_such_name, no_address, server_failed };

struct DnsAnswer {
  DnsOutcome outcome = DnsOutcome::server_failed;
  bool is_truncated = false;  // to be asked for again by TCP
  std::vector<IpAddress> addresses;
  std::uint32_t ttl_s = 0;  // the shortest on the way to the addresses, or that of their absence
  bool has_ttl = false;
};

/// A question for addresses of a name (is_host_name), with recursion and EDNS. Empty: it is no name.
[[nodiscard]] std::string dns_question(std::uint16_t id, std::string_view name, DnsType type);

/// Reads the answer to that question. Addresses count where their names follow, by aliases, from the one
/// that was asked for. None: it is no answer to it.
[[nodiscard]] std::optional<DnsAnswer> parse_dns_answer(Bytes message, std::uint16_t id,
                                                        std::string_view name, DnsType type);

}  // namespace ferrule::proxy
