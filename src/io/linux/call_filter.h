// Which system calls a process may still make (seccomp).
#pragma once

#include <seccomp.h>

#include <cerrno>
#include <cstdint>
#include <memory>

#include "base/error.h"

namespace ferrule::io {

/// A list of calls and what becomes of each, for the kernel; failures add up until `load` or `write`, so that
/// what describes it reads as a list. Used by one thread. Whoever uses it links libseccomp.
class CallFilter {
 public:
  /// What is not in the list ends the process.
  CallFilter() noexcept : CallFilter(SCMP_ACT_KILL_PROCESS) {}
  /// What is not in the list has this result, such as SCMP_ACT_ERRNO(EPERM).
  explicit CallFilter(std::uint32_t otherwise) noexcept
      : context_(new_context(otherwise), ::seccomp_release) {
    if (!context_) note(-ENOMEM);
  }

  void set_machine(std::uint32_t architecture) {
    if (!context_ || architecture == ::seccomp_arch_native()) return;
    note(::seccomp_arch_remove(context_.get(), SCMP_ARCH_NATIVE));
    note(::seccomp_arch_add(context_.get(), architecture));
  }
  void set(scmp_filter_attr attribute, std::uint32_t value) {
    if (context_) note(::seccomp_attr_set(context_.get(), attribute, value));
  }
  /// The library or the kernel may not know it, and it is good enough without.
  void prefer(scmp_filter_attr attribute, std::uint32_t value) {
    if (context_) (void)::seccomp_attr_set(context_.get(), attribute, value);
  }
  /// Calls whose arguments meet all conditions have this result.
  template <class... Conditions>
  void answer(std::uint32_t action, int call, Conditions... conditions) {
    if (!context_) return;
    note(::seccomp_rule_add(context_.get(), action, call, sizeof...(conditions), conditions...));
  }
  template <class... Conditions>
  void allow(int call, Conditions... conditions) {
    answer(SCMP_ACT_ALLOW, call, conditions...);
  }

  /// From now on, for this thread and those that it starts.
  [[nodiscard]] Result<void> load() {
    if (error_ == 0) note(::seccomp_load(context_.get()));
    return result();
  }
  /// Writes the kernel's program to `fd`.
  [[nodiscard]] Result<void> write(int fd) {
    if (error_ == 0) note(::seccomp_export_bpf(context_.get(), fd));
    return result();
  }

 private:
  // Kernels before 4.14 have no way to kill all threads at once, but a signal that does.
  static scmp_filter_ctx new_context(std::uint32_t otherwise) noexcept {
    scmp_filter_ctx context = ::seccomp_init(otherwise);
    if (context != nullptr || otherwise != SCMP_ACT_KILL_PROCESS) return context;
    return ::seccomp_init(SCMP_ACT_TRAP);
  }
  void note(int result) noexcept {
    if (error_ == 0 && result < 0) error_ = result;
  }
  [[nodiscard]] Result<void> result() const {
    if (error_ == 0) return {};
    return std::unexpected(system_error(-error_, "restrict system calls (seccomp)"));
  }

  std::unique_ptr<void, void (*)(scmp_filter_ctx)> context_;
  int error_ = 0;
};

/// The condition that an argument has this value, in the bits of `mask`.
[[nodiscard]] inline scmp_arg_cmp masked(unsigned argument, std::uint64_t mask,
                                         std::uint64_t value) noexcept {
  return {argument, SCMP_CMP_MASKED_EQ, mask, value};
}

constexpr std::uint64_t kSocketTypeMask =
    0xf;  // of socket(2): without SOCK_CLOEXEC and SOCK_NONBLOCK

}  // namespace ferrule::io
