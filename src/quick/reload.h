// A running interface made what its file says now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "files/listener.h"
#include "io/linux/ending_signals.h"
#include "io/linux/network.h"
#include "protocol/configuration.h"
#include "quick/actions.h"
#include "quick/difference.h"
#include "quick/failure.h"
#include "quick/ipv6.h"
#include "quick/opening.h"
#include "quick/quick_file.h"
#include "quick/record.h"
#include "quick/transaction.h"

namespace ferrule::quick {

/// What a reload has changed.
struct Reloaded {
  std::vector<Difference> changes;  // of the device
  std::vector<std::string> steps;   // of the machine, as they were shown
};

/// One run of `reload`; a dry one tells of all steps and takes none. The machine comes first, what the device is last, since that can't fail half-way.
/// Where it fails, why is to be said, and then what was done to be taken back, at the latest at the end
/// of its life, until which signals wait. What it is given outlives it. Used by one thread.
class Reload {
 public:
  Reload(client::DeviceClient& devices, QuickFile& file, const LinkActions& link,
         const control::DeviceStatus& device, files::Listener& listener, Run run = Run::real);

  /// Keys and allowed IPs move out of the file's configuration.
  [[nodiscard]] Result<Reloaded> run(const Opening& opening);
  void take_back() { transaction_.take_back(); }

 private:
  void read_file(const Opening& opening);
  [[nodiscard]] std::vector<bool> compare_endpoints() const;
  void keep_endpoints(const std::vector<files::PeerEndpoint>& endpoints,
                      const std::vector<bool>& is_as_applied);
  void remember();
  [[nodiscard]] Result<void> apply();
  [[nodiscard]] Result<void> change_addresses();
  [[nodiscard]] Result<std::vector<io::LinkAddress>> present_addresses();
  [[nodiscard]] Result<void> add_address(const io::LinkAddress& address);
  [[nodiscard]] Result<void> delete_addresses(const std::vector<io::LinkAddress>& addresses,
                                              Family family);
  [[nodiscard]] Result<void> change_mtu();
  [[nodiscard]] Result<void> change_dns();
  [[nodiscard]] Result<void> plan();
  [[nodiscard]] Result<void> change_mark();
  [[nodiscard]] Result<void> change_kill_switch();
  [[nodiscard]] Result<void> change_forwarding();
  [[nodiscard]] Result<void> change_defaults();
  [[nodiscard]] Result<void> add_default(Family family, bool is_protected);
  [[nodiscard]] Result<void> remove_default(Family family);
  [[nodiscard]] Result<void> change_routes();
  [[nodiscard]] Result<void> change_device();

  // Makes a change that has its opposite.
  [[nodiscard]] Result<void> perform(const Action& action, Action undo) {
    return transaction_.perform(action, std::move(undo));
  }
  [[nodiscard]] bool has_default_route(Family family) const;
  // As `up` leaves out what an interface without IPv6 can't have.
  [[nodiscard]] bool can_have(Family family) const {
    return family == Family::v4 ||
           (has_v6_ && conf_.mtu_bytes.value_or(kLeastMtuOfIPv6) >= kLeastMtuOfIPv6);
  }

  client::DeviceClient& devices_;
  QuickFile& file_;
  control::InterfaceConf& conf_;
  io::Network& network_;
  const LinkActions& link_;
  const control::DeviceStatus& device_;
  std::optional<UpRecord> record_;  // of what `up` or the last reload did
  files::Listener& listener_;
  std::optional<io::SignalsWait> wait_;  // before the transaction, which may take back at its end
  Transaction transaction_;
  TableChoice table_;
  KillSwitch kill_switch_ = KillSwitch::off;
  bool is_forwarding_ = false;
  KillSwitch kill_switch_before_ = KillSwitch::off;
  bool was_forwarding_ = false;
  std::vector<Family> forwarded_;  // since `up' or this reload
  protocol::DeviceChange change_;
  std::vector<io::LinkAddress> addresses_before_;
  std::vector<io::LinkAddress> addresses_;
  std::vector<io::LinkAddress> expected_addresses_;  // that the steps leave
  std::vector<std::uint32_t> deleted_priorities_;    // of rules that a dry run only tells of
  std::vector<io::LinkRoute> routes_;                // into the interface, before any is changed
  RoutePlan plan_;
  bool has_v6_;
  std::uint32_t mark_ = 0;           // that the device is to have
  std::vector<Difference> changes_;  // of the device
};

}  // namespace ferrule::quick
