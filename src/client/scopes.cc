#include "client/scopes.h"

#include <net/if.h>

#include <array>

#include "control/endpoint_text.h"

namespace ferrule::client {

std::uint32_t scope_of(const char* interface_name) { return if_nametoindex(interface_name); }

std::string scope_name(std::uint32_t interface_index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(interface_index, name.data()) == nullptr ? "" : name.data();
}

std::string text_of(const Endpoint& endpoint) {
  return control::endpoint_text(endpoint, scope_name);
}

}  // namespace ferrule::client
