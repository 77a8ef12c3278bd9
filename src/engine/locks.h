// The exclusion that the protocol core asks for, made of mutexes.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <span>

#include "engine/mutex.h"
#include "protocol/exclusion.h"

namespace ferrule::engine {

/// Tables: each reading thread has a mutex of its own on a cache line of its own, so that readers
/// never meet; whoever changes the tables takes all of them, in order. Peers: many share a mutex,
/// by the slot of their id. Staging: one mutex. Lock order: tables, then one peer, then staging
/// (docs/architecture.md).
class Locks final : public protocol::Exclusion {
 public:
  /// `readers` is how many threads read tables; each has a number below it.
  explicit Locks(std::size_t readers)
      : readers_(std::make_unique<Padded[]>(readers)), reader_count_(readers) {}

  void lock_tables() noexcept override FERRULE_NO_ANALYSIS {
    for (std::size_t i = 0; i < reader_count_; ++i) readers_[i].mutex.lock();
  }
  void unlock_tables() noexcept override FERRULE_NO_ANALYSIS {
    for (std::size_t i = reader_count_; i > 0; --i) readers_[i - 1].mutex.unlock();
  }
  void lock_peer(PeerId peer) noexcept override FERRULE_NO_ANALYSIS { of(peer).lock(); }
  void unlock_peer(PeerId peer) noexcept override FERRULE_NO_ANALYSIS { of(peer).unlock(); }
  void lock_staging() noexcept override FERRULE_NO_ANALYSIS { staging_.mutex.lock(); }
  void unlock_staging() noexcept override FERRULE_NO_ANALYSIS { staging_.mutex.unlock(); }

  /// Holds the tables shared, for one reading thread.
  class FERRULE_SCOPED_CAPABILITY TablesShared {
   public:
    TablesShared(Locks& locks, std::size_t reader) noexcept FERRULE_NO_ANALYSIS
        : mutex_(locks.readers_[reader].mutex) {
      mutex_.lock();
    }
    ~TablesShared() FERRULE_NO_ANALYSIS { mutex_.unlock(); }
    TablesShared(const TablesShared&) = delete;
    TablesShared& operator=(const TablesShared&) = delete;

   private:
    Mutex& mutex_;
  };

 private:
  struct alignas(64) Padded {
    Mutex mutex;
  };
  static constexpr std::size_t kPeerLocks = 256;
  Mutex& of(PeerId peer) noexcept { return peers_[peer.slot % kPeerLocks].mutex; }

  std::unique_ptr<Padded[]> readers_;
  std::size_t reader_count_;
  std::array<Padded, kPeerLocks> peers_;
  Padded staging_;
};

}  // namespace ferrule::engine
