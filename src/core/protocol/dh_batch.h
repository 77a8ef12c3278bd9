// The Diffie-Hellman of many handshakes at once: nearly all that a handshake costs.
#pragma once

#include <cstddef>

#include "base/fixed_vector.h"
#include "base/keys.h"
#include "base/secret.h"
#include "crypto/x25519.h"
#include "protocol/constants.h"

namespace ferrule::protocol {

/// What a DH gave. Not accepted (P1): the step that it is for fails.
struct Dh {
  Secret<32> shared;
  bool accepted = false;
};

/// Collects what is to be computed for up to kHandshakesTogether handshakes, then computes all of it.
/// What was handed over stays the caller's, and stays where it is until `run` has returned.
class DhBatch {
 public:
  void dh(const PrivateKey& own, const PublicKey& other, Dh& out) noexcept {
    jobs_.push_back(crypto::X25519Job::dh(own, other, out.shared));
    results_.push_back(&out);
  }
  void public_key(const PrivateKey& own, PublicKey& out) noexcept {
    jobs_.push_back(crypto::X25519Job::public_key(own, out));
    results_.push_back(nullptr);
  }
  void run() noexcept {
    crypto::x25519_batch({jobs_.data(), jobs_.size()});
    for (std::size_t i = 0; i < jobs_.size(); ++i) {
      if (results_[i] != nullptr) results_[i]->accepted = jobs_[i].accepted;
    }
    jobs_.clear();
    results_.clear();
  }

 private:
  static constexpr std::size_t kJobs = 4 * kHandshakesTogether;
  FixedVector<crypto::X25519Job, kJobs> jobs_;
  FixedVector<Dh*, kJobs> results_;  // by job; null for a public key, which is always accepted
};

}  // namespace ferrule::protocol
