// An interface taken down, and all that came with it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "client/device_client.h"
#include "control/uapi_client.h"
#include "files/listener.h"
#include "io/linux/network.h"
#include "quick/actions.h"
#include "quick/failure.h"
#include "quick/quick_file.h"
#include "quick/record.h"

namespace ferrule::quick {

/// What is to be taken down: by the record of what `up` did, or else by the file.
struct Doomed {
  QuickFile file;
  std::optional<UpRecord> record;
  std::optional<LinkActions> link;              // none: it is gone already
  std::optional<control::DeviceStatus> device;  // none: nobody answers
  // Today's file, which may have been edited since; none where it can't be read.
  std::optional<control::Configuration> today = {};
};

/// What goes by the name of an interface, or the path of its file. A file that names another one than
/// `up` had is read anew, since whoever says so wants its commands.
[[nodiscard]] Attempt<Doomed> find_doomed(client::DeviceClient& devices, io::Network& network,
                                          const std::string& argument, files::Listener& listener);

/// A record counts while its interface is the one that is there, or none is.
[[nodiscard]] std::optional<UpRecord> record_of_what_is_there(const std::string& interface,
                                                              std::optional<std::uint32_t> index);

/// The file as it was when it was applied; its hooks are told of the one that was named. None where the
/// record can't be read any more.
[[nodiscard]] std::optional<QuickFile> file_of(const UpRecord& record, const std::string& interface,
                                               const std::string& argument);

/// Peers that were added by hand and are in no file: they go with the interface.
[[nodiscard]] std::vector<const protocol::PeerStatus*> peers_of_no_file(const Doomed& doomed);

/// Takes it down. What can't be taken down is told, and the rest goes all the same. What it is given
/// outlives it. Used by one thread.
class Down {
 public:
  Down(client::DeviceClient& devices, io::Network& network, const Doomed& doomed,
       files::Listener& listener)
      : devices_(devices),
        file_(doomed.file),
        doomed_(doomed),
        listener_(listener),
        link_(doomed.link.value_or(LinkActions(network, doomed.file.interface, 0))) {}

  /// True when nothing went wrong.
  [[nodiscard]] bool run();

 private:
  void perform(const Action& action);
  void refuse(const Error& error);
  void delete_recorded_rules();
  void delete_rules();
  void unset_dns();
  void stop_forwarding();

  client::DeviceClient& devices_;
  const QuickFile& file_;
  const Doomed& doomed_;
  files::Listener& listener_;
  LinkActions link_;
  bool is_good_ = true;
};

}  // namespace ferrule::quick
