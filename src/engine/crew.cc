#include "engine/crew.h"

#include <new>
#include <system_error>
#include <utility>

#include "io/clock.h"
#include "io/thread.h"

namespace ferrule::engine {

/// Arms a door again, once.
class Crew::DoorLead final : public Lead {
 public:
  DoorLead(Crew& crew, Door door) noexcept : crew_(crew), door_(door) {}
  void pass() noexcept override {
    if (std::exchange(passed_, true)) return;
    crew_.rearm(door_);
  }

 private:
  Crew& crew_;
  Door door_;
  bool passed_ = false;
};

Crew::Crew(Lane& lane, std::size_t workers, std::size_t first_reader, io::PollerOpener open_poller)
    : lane_(lane), first_reader_(first_reader), open_poller_(std::move(open_poller)) {
  for (std::size_t i = 0; i < workers; ++i) scratches_.push_back(std::make_unique<Scratch>());
}

Result<void> Crew::start(const Doors& doors) {
  try {
    Result<void> started = start_workers(doors);
    if (!started) stop();
    return started;
  } catch (const std::system_error& error) {
    stop();
    return std::unexpected(system_error(error.code().value(), "start a worker"));
  } catch (const std::bad_alloc&) {
    stop();
    return std::unexpected(system_error(std::errc::not_enough_memory, "start a worker"));
  }
}

Result<void> Crew::start_workers(const Doors& doors) {
  Result<std::unique_ptr<io::Poller>> poller = open_poller_();
  if (!poller) return std::unexpected(poller.error());
  poller_ = std::move(*poller);
  doors_ = {doors.tun, doors.udp[0], doors.udp[1]};
  for (std::size_t door = 0; door < doors_.size(); ++door) {
    if (!doors_[door]) continue;
    if (Result<void> added = poller_->add(doors_[door], watch(), door); !added) return added;
  }
  stopping_ = false;
  poller_->wake();  // there may be mail from before
  for (std::size_t i = 0; i < scratches_.size(); ++i) {
    threads_.emplace_back([this, i] { run(i); });
  }
  return {};
}

void Crew::stop() {
  if (threads_.empty()) return;
  stopping_ = true;
  past_cpu_time_ = cpu_time();
  poller_->wake();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  poller_.reset();
}

void Crew::flush(std::span<const PeerId> peers) {
  if (threads_.empty()) return;
  {
    MutexLock lock(mutex_);
    flush_.insert(flush_.end(), peers.begin(), peers.end());
  }
  poller_->wake();
}

Duration Crew::cpu_time() const noexcept {
  Duration sum = past_cpu_time_;
  for (const std::thread& thread : threads_) sum += io::cpu_time(thread);
  return sum;
}

void Crew::rearm(Door door) noexcept {
  if (watch().once) poller_->rearm(doors_[door], watch(), door);
}

void Crew::run(std::size_t number) {
  io::name_this_thread("lane");
  const Worker worker{*scratches_[number], first_reader_ + number};
  std::array<io::Ready, kDoors + 1> room;
  while (!stopping_) {
    for (const io::Ready& ready : poller_->wait(room, std::nullopt)) {
      if (ready.tag == io::Poller::kWoken) {
        serve_mail(worker);
      } else {
        serve(static_cast<Door>(ready.tag), worker);
      }
    }
  }
  poller_->wake();  // it came to one of us, and was meant for all
}

void Crew::serve(Door door, Worker worker) {
  DoorLead lead(*this, door);
  const Now now = io::now();
  const Pumped pumped =
      door == kTun ? lane_.outbound.pump(now, worker, lead) : lane_.inbound.pump(now, worker, lead);
  if (pumped == Pumped::broken) {
    poller_->remove(doors_[door]);  // the control thread knows, and nothing spins (P75b)
    return;
  }
  lead.pass();
}

void Crew::serve_mail(Worker worker) {
  if (stopping_) return;
  std::vector<PeerId> peers;
  {
    MutexLock lock(mutex_);
    std::swap(peers, flush_);
  }
  lane_.outbound.flush(io::now(), peers, worker);
}

}  // namespace ferrule::engine
