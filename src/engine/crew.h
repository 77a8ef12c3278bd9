// The threads of one lane.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <thread>
#include <vector>

#include "engine/lane.h"
#include "io/poller.h"

namespace ferrule::engine {

/// Workers take turns to wait on the lane's doors; whoever is woken pumps. With one worker the doors
/// are level-triggered; with several each event goes to one of them, who arms the door again once it
/// has read (leader and followers). Start and stop from one thread.
class Crew {
 public:
  struct Doors {
    io::Waitable tun;
    std::array<io::Waitable, 2> udp;  // those that there are
  };

  /// `first_reader`: the workers' numbers as readers of the tables start there.
  Crew(Lane& lane, std::size_t workers, std::size_t first_reader, io::PollerOpener open_poller);
  ~Crew() { stop(); }
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  /// All of the workers run, or none.
  [[nodiscard]] Result<void> start(const Doors& doors);
  /// Returns when no worker runs any more.
  void stop();
  /// Has the lane send what it staged for these peers. Any thread.
  void flush(std::span<const PeerId> peers);
  /// CPU time that all workers have used since the beginning.
  [[nodiscard]] Duration cpu_time() const noexcept;

 private:
  enum Door : std::uint64_t { kTun, kUdpV4, kUdpV6, kDoors };
  class DoorLead;

  Result<void> start_workers(const Doors& doors);
  void run(std::size_t number);
  void serve(Door door, Worker worker);
  void serve_mail(Worker worker);
  void rearm(Door door) noexcept;
  [[nodiscard]] io::Watch watch() const noexcept { return {.once = scratches_.size() > 1}; }

  Lane& lane_;
  std::size_t first_reader_;
  io::PollerOpener open_poller_;
  std::vector<std::unique_ptr<Scratch>> scratches_;
  std::unique_ptr<io::Poller> poller_;  // while it runs; woken for mail, and to stop
  std::array<io::Waitable, kDoors> doors_;
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::vector<PeerId> flush_ FERRULE_GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
  Duration past_cpu_time_{0};  // of workers that have ended
};

}  // namespace ferrule::engine
