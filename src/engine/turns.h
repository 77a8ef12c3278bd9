// Order without queues: workers draw tickets when they read and deliver in the order of the tickets.
#pragma once

#include <atomic>
#include <cstdint>

namespace ferrule::engine {

/// Draw under the lock that reading is done under; then each ticket must be awaited and passed on,
/// once, by whoever drew it. Awaiting a turn that has come costs a load.
class Turns {
 public:
  using Ticket = std::uint32_t;

  [[nodiscard]] Ticket draw() noexcept { return next_++; }

  void await(Ticket ticket) const noexcept {
    // A short spin: whoever is before us is sealing a batch, or writing it.
    for (int i = 0; i < kSpins; ++i) {
      if (serving_.load(std::memory_order_acquire) == ticket) return;
      relax();
    }
    for (Ticket serving = serving_.load(std::memory_order_acquire); serving != ticket;
         serving = serving_.load(std::memory_order_acquire)) {
      serving_.wait(serving, std::memory_order_acquire);
    }
  }

  void pass(Ticket ticket) noexcept {
    // Not a mere release: notify_all() looks whether anybody sleeps (libstdc++ does so with a load),
    // and must not look before the store is seen, or a worker that is just lying down sleeps on.
    serving_.store(ticket + 1, std::memory_order_seq_cst);
    serving_.notify_all();
  }

 private:
  static constexpr int kSpins = 200;
  static void relax() noexcept {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("yield");
#endif
  }

  Ticket next_ = 0;  // guarded by the reading lock
  std::atomic<Ticket> serving_{0};
};

/// A ticket that is passed on whatever happens. Make it under the lock that reading is done under.
class Turn {
 public:
  explicit Turn(Turns& turns) noexcept : turns_(turns), ticket_(turns.draw()) {}
  ~Turn() {
    turns_.await(ticket_);
    turns_.pass(ticket_);
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;

  void await() const noexcept { turns_.await(ticket_); }

 private:
  Turns& turns_;
  const Turns::Ticket ticket_;
};

}  // namespace ferrule::engine
