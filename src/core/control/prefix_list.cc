#include "control/prefix_list.h"

namespace ferrule::control {

namespace {

void append(std::string& list, std::string_view separator, const Cidr& prefix) {
  if (!list.empty()) list += separator;
  list += prefix.to_string();
}

}  // namespace

std::string prefix_list(std::span<const Cidr> prefixes, std::string_view separator) {
  std::string list;
  for (const Cidr& prefix : prefixes) append(list, separator, prefix);
  return list;
}

std::string prefix_list(const protocol::AllowedIpChanges& changes) {
  std::string list;
  for (const protocol::AllowedIpChange& change : changes) append(list, ", ", change.cidr);
  return list;
}

}  // namespace ferrule::control
