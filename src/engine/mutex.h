// std::mutex with clang's thread-safety annotations.
#pragma once

#include <mutex>

#if defined(__clang__)
#define FERRULE_CAPABILITY __attribute__((capability("mutex")))
#define FERRULE_SCOPED_CAPABILITY __attribute__((scoped_lockable))
#define FERRULE_GUARDED_BY(x) __attribute__((guarded_by(x)))
#define FERRULE_ACQUIRE(...) __attribute__((acquire_capability(__VA_ARGS__)))
#define FERRULE_TRY_ACQUIRE(...) __attribute__((try_acquire_capability(__VA_ARGS__)))
#define FERRULE_RELEASE(...) __attribute__((release_capability(__VA_ARGS__)))
#define FERRULE_NO_ANALYSIS __attribute__((no_thread_safety_analysis))
#else
#define FERRULE_CAPABILITY
#define FERRULE_SCOPED_CAPABILITY
#define FERRULE_GUARDED_BY(x)
#define FERRULE_ACQUIRE(...)
#define FERRULE_TRY_ACQUIRE(...)
#define FERRULE_RELEASE(...)
#define FERRULE_NO_ANALYSIS
#endif

namespace ferrule::engine {

class FERRULE_CAPABILITY Mutex {
 public:
  void lock() noexcept FERRULE_ACQUIRE() { mutex_.lock(); }
  void unlock() noexcept FERRULE_RELEASE() { mutex_.unlock(); }
  bool try_lock() noexcept FERRULE_TRY_ACQUIRE(true) { return mutex_.try_lock(); }

 private:
  std::mutex mutex_;
};

class FERRULE_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) noexcept FERRULE_ACQUIRE(mutex) : mutex_(mutex) {
    mutex_.lock();
  }
  ~MutexLock() FERRULE_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

}  // namespace ferrule::engine
