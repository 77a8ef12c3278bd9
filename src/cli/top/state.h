// What somebody at `ferrule top` has chosen to see, and how keys change it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "monitor/history.h"
#include "monitor/snapshot.h"

namespace ferrule::cli {

enum class TopSort : std::uint8_t { rate, handshake, total, endpoint, key, name, loss };
constexpr std::size_t kTopSorts = 7;
[[nodiscard]] std::string_view name_of(TopSort sort) noexcept;

/// Keys without a letter; letters come as their code.
enum class TopKey : std::int32_t {
  escape = 27,
  enter = '\n',
  tab = '\t',
  backspace = 127,
  up = 0x110000,  // behind the last code point
  down,
  page_up,
  page_down,
  home,
  end,
};

/// Value type.
struct TopState {
  enum class Page : std::uint8_t { peers, peer, help };

  Page page = Page::peers;
  TopSort sort = TopSort::rate;
  bool is_reversed = false;
  std::string filter;  // text in a peer's name, key, endpoint or allowed IPs
  bool is_typing_filter = false;
  std::size_t device = 0;    // index into the snapshot's devices
  std::size_t selected = 0;  // index into peers_shown
  // The same, for when these come to stand elsewhere.
  std::string device_name;
  std::optional<PublicKey> selected_key;  // none: nobody was chosen, and the first one is selected
  bool quits = false;
};

/// The peers to list: of the chosen device, as filtered and sorted. Points into `snapshot`.
[[nodiscard]] std::vector<const protocol::PeerStatus*> peers_shown(
    const TopState& state, const monitor::Snapshot& snapshot, const monitor::History& history);

/// What a key does. `key` is a code point or a TopKey; others do nothing.
void press(TopState& state, std::int32_t key, const monitor::Snapshot& snapshot,
           const monitor::History& history);

/// Keeps to the device and the peer that were chosen, after a new snapshot, as long as they are there.
void settle(TopState& state, const monitor::Snapshot& snapshot, const monitor::History& history);

}  // namespace ferrule::cli
