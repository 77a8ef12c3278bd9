// The steps that an interface is brought up and down by, each as a command of iproute2 shows it.
#pragma once

#include <cstdint>
#include <string>

#include "io/linux/network.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// Makes actions on one interface. The network outlives it and its actions. Value type.
class LinkActions {
 public:
  LinkActions(io::Network& network, std::string name, std::uint32_t index)
      : network_(&network), name_(std::move(name)), index_(index) {}

  [[nodiscard]] Action delete_link() const;
  [[nodiscard]] Action set_up(std::uint32_t mtu_bytes) const;
  [[nodiscard]] Action add_address(const io::LinkAddress& address) const;
  [[nodiscard]] Action delete_address(const io::LinkAddress& address) const;
  [[nodiscard]] Action add_route(const io::LinkRoute& route) const;
  [[nodiscard]] Action delete_route(const io::LinkRoute& route) const;
  [[nodiscard]] Action add_rule(const io::RoutingRule& rule) const;
  [[nodiscard]] Action delete_rule(const io::RoutingRule& rule) const;

  [[nodiscard]] io::Network& network() const noexcept { return *network_; }
  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] std::uint32_t index() const noexcept { return index_; }

 private:
  [[nodiscard]] std::string address_command(const char* verb, const io::LinkAddress& address) const;
  [[nodiscard]] std::string route_command(const char* verb, const io::LinkRoute& route) const;

  io::Network* network_;
  std::string name_;
  std::uint32_t index_;
};

}  // namespace ferrule::quick
