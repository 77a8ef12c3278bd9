// How the core asks for exclusion, without knowing locks.
#pragma once

#include "base/ids.h"

namespace ferrule::protocol {

/// Given by whoever runs a device in several threads (the engine); a single-threaded embedder and
/// the tests give `NoExclusion`. Two things are guarded:
///  - *tables*: peers, allowed IPs, indices, identity. Callers of the data path hold them shared
///    around each of its calls; the core takes them exclusively, for microseconds, to change them.
///  - *a peer*: what is marked "guarded by the peer's lock" in peer.h. The core takes one at a time.
///  - *staging*: which peers have most packets waiting, for some nanoseconds (staging.h).
/// Order: tables, peer, staging. Implementations may map many peers to one lock.
class Exclusion {
 public:
  virtual ~Exclusion() = default;
  virtual void lock_tables() noexcept = 0;
  virtual void unlock_tables() noexcept = 0;
  virtual void lock_peer(PeerId peer) noexcept = 0;
  virtual void unlock_peer(PeerId peer) noexcept = 0;
  virtual void lock_staging() noexcept = 0;
  virtual void unlock_staging() noexcept = 0;
};

class NoExclusion final : public Exclusion {
 public:
  void lock_tables() noexcept override {}
  void unlock_tables() noexcept override {}
  void lock_peer(PeerId) noexcept override {}
  void unlock_peer(PeerId) noexcept override {}
  void lock_staging() noexcept override {}
  void unlock_staging() noexcept override {}
};

class TablesGuard {
 public:
  explicit TablesGuard(Exclusion& exclusion) noexcept : exclusion_(exclusion) {
    exclusion_.lock_tables();
  }
  ~TablesGuard() { exclusion_.unlock_tables(); }
  TablesGuard(const TablesGuard&) = delete;
  TablesGuard& operator=(const TablesGuard&) = delete;

 private:
  Exclusion& exclusion_;
};

class PeerGuard {
 public:
  PeerGuard(Exclusion& exclusion, PeerId peer) noexcept : exclusion_(exclusion), peer_(peer) {
    exclusion_.lock_peer(peer_);
  }
  ~PeerGuard() { exclusion_.unlock_peer(peer_); }
  PeerGuard(const PeerGuard&) = delete;
  PeerGuard& operator=(const PeerGuard&) = delete;

 private:
  Exclusion& exclusion_;
  PeerId peer_;
};

class StagingGuard {
 public:
  explicit StagingGuard(Exclusion& exclusion) noexcept : exclusion_(exclusion) {
    exclusion_.lock_staging();
  }
  ~StagingGuard() { exclusion_.unlock_staging(); }
  StagingGuard(const StagingGuard&) = delete;
  StagingGuard& operator=(const StagingGuard&) = delete;

 private:
  Exclusion& exclusion_;
};

}  // namespace ferrule::protocol
