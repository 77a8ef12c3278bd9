#include "engine/crew.h"

#include <pthread.h>
#include <sys/epoll.h>

#include <array>
#include <cerrno>
#include <new>
#include <system_error>

#include "io/linux/clock.h"

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

Crew::Crew(Lane& lane, std::size_t workers, std::size_t first_reader)
    : lane_(lane), first_reader_(first_reader) {
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
    return std::unexpected(system_error(ENOMEM, "start a worker"));
  }
}

Result<void> Crew::start_workers(const Doors& doors) {
  Result<io::Epoll> epoll = io::Epoll::open();
  if (!epoll) return std::unexpected(epoll.error());
  Result<io::EventFd> mail = io::EventFd::open();
  if (!mail) return std::unexpected(mail.error());
  epoll_ = std::move(*epoll);
  mail_ = std::move(*mail);
  fds_ = {doors.tun, doors.udp_v4, doors.udp_v6, mail_->poll_fd()};
  for (std::size_t door = 0; door < fds_.size(); ++door) {
    if (fds_[door] < 0) continue;
    if (Result<void> added = add(static_cast<Door>(door), fds_[door]); !added) return added;
  }
  stopping_ = false;
  mail_->signal();  // there may be mail from before
  for (std::size_t i = 0; i < scratches_.size(); ++i) {
    threads_.emplace_back([this, i] { run(i); });
  }
  return {};
}

void Crew::stop() {
  if (threads_.empty()) return;
  stopping_ = true;
  past_cpu_time_ = cpu_time();
  mail_->signal();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  epoll_.reset();
}

void Crew::flush(std::span<const PeerId> peers) {
  if (threads_.empty()) return;
  {
    MutexLock lock(mutex_);
    flush_.insert(flush_.end(), peers.begin(), peers.end());
  }
  mail_->signal();
}

Duration Crew::cpu_time() const noexcept {
  Duration sum = past_cpu_time_;
  for (const std::thread& thread : threads_) {
    sum += io::cpu_time(const_cast<std::thread&>(thread).native_handle());
  }
  return sum;
}

Result<void> Crew::add(Door door, int fd) {
  const bool shared = scratches_.size() > 1;
  return epoll_->add(fd, EPOLLIN | (shared ? EPOLLONESHOT : 0u), door);
}

void Crew::rearm(Door door) noexcept {
  if (scratches_.size() > 1) (void)epoll_->modify(fds_[door], EPOLLIN | EPOLLONESHOT, door);
}

void Crew::run(std::size_t number) {
  pthread_setname_np(pthread_self(), "lane");
  const Worker worker{*scratches_[number], first_reader_ + number};
  std::array<epoll_event, 4> room;
  while (!stopping_) {
    for (const epoll_event& event : epoll_->wait(room, std::nullopt)) {
      serve(static_cast<Door>(event.data.u64), worker);
    }
  }
  // One of us may have taken the signal that was for all: pass it on.
  mail_->signal();
  rearm(kMail);
}

void Crew::serve(Door door, Worker worker) {
  if (door == kMail) {
    serve_mail(worker);
    return;
  }
  DoorLead lead(*this, door);
  const Now now = io::now();
  const Pumped pumped =
      door == kTun ? lane_.pump_outbound(now, worker, lead) : lane_.pump_inbound(now, worker, lead);
  if (pumped == Pumped::broken) {
    epoll_->remove(fds_[door]);  // the control thread knows, and nothing spins (P75b)
    return;
  }
  lead.pass();
}

void Crew::serve_mail(Worker worker) {
  if (stopping_) return;
  mail_->drain();
  std::vector<PeerId> peers;
  {
    MutexLock lock(mutex_);
    std::swap(peers, flush_);
  }
  rearm(kMail);
  lane_.flush(io::now(), peers, worker);
}

}  // namespace ferrule::engine
