// An interface brought up as its file says.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "files/listener.h"
#include "io/linux/ending_signals.h"
#include "io/linux/network.h"
#include "protocol/configuration.h"
#include "quick/actions.h"
#include "quick/failure.h"
#include "quick/opening.h"
#include "quick/quick_file.h"
#include "quick/transaction.h"

namespace ferrule::quick {

enum class Implementation { daemon, kernel };
/// Who is to run the interface, as the file says.
[[nodiscard]] Attempt<Implementation> choose_implementation(const QuickFile& file);

/// One run of `up`: begin, then finish; a dry one tells of all steps and takes none. Where one of them fails, why is to be said, and then what was
/// done to be taken back, at the latest at the end of its life, until which signals wait. What it is
/// given outlives it. Used by one thread.
class Up {
 public:
  Up(client::DeviceClient& devices, QuickFile& file, io::Network& network,
     Implementation implementation, files::Listener& listener, Run run = Run::real)
      : devices_(devices),
        file_(file),
        conf_(file.configuration.interface),
        network_(network),
        implementation_(implementation),
        listener_(listener),
        transaction_(listener, run) {}

  /// Runs PreUp, if the interface may come.
  [[nodiscard]] Attempt<void> begin();
  /// All the rest. Keys and allowed IPs move out of the file's configuration.
  [[nodiscard]] Attempt<void> finish(Opening opening);
  /// Takes back what was done, and tells what of it can't be.
  void take_back();

 private:
  // Each step leaves in `failure_` what is wrong, if anything is, and then returns false.
  [[nodiscard]] bool is_free();
  [[nodiscard]] bool can_run(std::string_view key, const std::vector<std::string>& hooks);
  [[nodiscard]] bool make_link();
  [[nodiscard]] bool configure();
  void choose_mtu();
  [[nodiscard]] std::vector<io::LinkAddress> wanted_addresses() const;
  [[nodiscard]] bool add_addresses();
  [[nodiscard]] bool set_up();
  [[nodiscard]] bool set_dns();
  [[nodiscard]] Result<std::vector<io::LinkAddress>> present_addresses();
  [[nodiscard]] Result<std::vector<io::LinkRoute>> present_routes();
  [[nodiscard]] bool add_routes();
  [[nodiscard]] bool add_defaults(const std::vector<Family>& families);
  [[nodiscard]] bool mark_packets();
  [[nodiscard]] bool close_other_ways();
  [[nodiscard]] bool forward();
  [[nodiscard]] bool run_post_up();
  void remember();
  void tell_of_hooks();

  [[nodiscard]] Action link_action() const;
  [[nodiscard]] bool can_have(Family family) const { return family == Family::v4 || has_v6_; }

  // Makes a step that comes from a value in the file.
  [[nodiscard]] bool perform(std::string_view key, std::string_view value, const Action& action,
                             std::optional<Action> undo = {});
  [[nodiscard]] bool refuse(const Error& error);
  [[nodiscard]] bool refuse_at(std::string_view key, std::string_view value, std::string what);

  client::DeviceClient& devices_;
  QuickFile& file_;
  control::InterfaceConf& conf_;
  io::Network& network_;
  Implementation implementation_;
  files::Listener& listener_;
  std::optional<io::SignalsWait> wait_;  // before the transaction, which may take back at its end
  Transaction transaction_;
  Failure failure_;
  TableChoice table_;
  KillSwitch kill_switch_ = KillSwitch::off;
  bool is_forwarding_ = false;
  std::vector<Family> forwarded_;  // since we are at it
  std::vector<Family> defaults_;   // families that go through it whole
  protocol::DeviceChange change_;
  control::DeviceStatus device_;
  std::uint32_t mtu_ = 0;
  std::uint32_t mark_ = 0;  // of the tunnel's own packets, where all traffic goes through it
  bool has_v6_ = true;
  bool has_begun_pre_up_ = false;
  bool has_begun_post_up_ = false;
  std::optional<LinkActions> link_;
};

}  // namespace ferrule::quick
