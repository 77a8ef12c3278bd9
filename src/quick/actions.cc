#include "quick/actions.h"

#include <fmt/format.h>
#include <linux/rtnetlink.h>

namespace ferrule::quick {

namespace {

int ip_option(Family family) { return family == Family::v4 ? 4 : 6; }

std::string rule_command(const char* verb, const io::RoutingRule& rule) {
  std::string text = fmt::format("ip -{} rule {}", ip_option(rule.family), verb);
  if (rule.priority) text += fmt::format(" priority {}", *rule.priority);
  if (rule.is_inverted) text += " not";
  if (rule.mark) text += fmt::format(" fwmark {}", *rule.mark);
  text += rule.table == RT_TABLE_MAIN ? " table main" : fmt::format(" table {}", rule.table);
  if (rule.suppressed_prefix_length) {
    text += fmt::format(" suppress_prefixlength {}", *rule.suppressed_prefix_length);
  }
  return text;
}

}  // namespace

Action LinkActions::delete_link() const {
  return {"ip link delete dev " + name_,
          [network = network_, index = index_] { return network->delete_link(index); }};
}

Action LinkActions::set_up(std::uint32_t mtu_bytes) const {
  return {fmt::format("ip link set mtu {} up dev {}", mtu_bytes, name_),
          [network = network_, index = index_, mtu_bytes] {
            return network->set_up(index, mtu_bytes);
          }};
}

std::string LinkActions::address_command(const char* verb, const io::LinkAddress& address) const {
  return fmt::format("ip -{} address {} {} dev {}", ip_option(address.address.family()), verb,
                     address.to_string(), name_);
}

Action LinkActions::add_address(const io::LinkAddress& address) const {
  return {address_command("add", address), [network = network_, index = index_, address] {
            return network->add_address(index, address);
          }};
}

Action LinkActions::delete_address(const io::LinkAddress& address) const {
  return {address_command("delete", address), [network = network_, index = index_, address] {
            return network->delete_address(index, address);
          }};
}

std::string LinkActions::route_command(const char* verb, const io::LinkRoute& route) const {
  std::string text =
      fmt::format("ip -{} route {} {} dev {}", ip_option(route.destination.address().family()),
                  verb, route.destination.to_string(), name_);
  if (route.table != RT_TABLE_MAIN) text += fmt::format(" table {}", route.table);
  return text;
}

Action LinkActions::add_route(const io::LinkRoute& route) const {
  return {route_command("add", route),
          [network = network_, route] { return network->add_route(route); }};
}

Action LinkActions::delete_route(const io::LinkRoute& route) const {
  return {route_command("delete", route),
          [network = network_, route] { return network->delete_route(route); }};
}

Action LinkActions::add_rule(const io::RoutingRule& rule) const {
  return {rule_command("add", rule),
          [network = network_, rule] { return network->add_rule(rule); }};
}

Action LinkActions::delete_rule(const io::RoutingRule& rule) const {
  return {rule_command("delete", rule),
          [network = network_, rule] { return network->delete_rule(rule); }};
}

}  // namespace ferrule::quick
