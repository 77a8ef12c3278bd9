// What a system knows of threads besides running them.
#pragma once

#include <thread>

#include "base/time.h"

namespace ferrule::io {

/// Names the calling thread for whoever looks at the process from outside; at most 15 characters.
void name_this_thread(const char* name) noexcept;

/// The CPU time that a thread, which has not been joined, has used. Thread-safe.
[[nodiscard]] Duration cpu_time(const std::thread& thread) noexcept;
[[nodiscard]] Duration cpu_time_of_this_thread() noexcept;

}  // namespace ferrule::io
