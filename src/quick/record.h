// What `up` has done, kept while the interface is there: `down` takes that back, and not what today's
// file says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/keys.h"
#include "control/values.h"
#include "control/wiped_text.h"
#include "io/linux/network.h"

namespace ferrule::quick {

/// Move-only: the file's text has keys.
struct UpRecord {
  std::uint32_t link_index = 0;
  std::uint32_t mark = 0;  // of the tunnel's own packets; 0: none
  std::uint16_t port = 0;  // that the device chose, where the file has none; 0: the file has one
  std::vector<io::RoutingRule> rules;
  std::vector<Family> forwarded;                 // whose packets the kernel forwards since then
  std::string path;                              // of the file
  std::map<PublicKey, control::HostPort> saved;  // where peers were when the file was saved since
  control::WipedText conf;                       // the file as it was applied
};

/// As text, and from it; none when it is no record.
[[nodiscard]] control::WipedText record_text(const UpRecord& record);
[[nodiscard]] std::optional<UpRecord> parse_record(std::string_view text);

/// In a file that root alone can read.
[[nodiscard]] Result<void> write_record(const std::string& interface, const UpRecord& record);
/// None where there is none.
[[nodiscard]] std::optional<UpRecord> read_record(const std::string& interface);
void forget_record(const std::string& interface);
/// The interfaces of this network namespace that have one.
[[nodiscard]] std::vector<std::string> recorded_interfaces();

/// What a file said of where its peers are, when it was applied and when it was saved.
[[nodiscard]] std::multimap<PublicKey, control::HostPort> known_endpoints(const UpRecord& record);

}  // namespace ferrule::quick
