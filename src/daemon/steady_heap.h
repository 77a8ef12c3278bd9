// An allocator that takes no long breaks.
#pragma once

namespace ferrule::daemon {

/// Has the allocator give large pieces back to the system one by one, and the rest in small steps: as it comes,
/// it gathers what is freed, and then gives hundreds of megabytes back within one call. First thing in the
/// program.
void steady_heap() noexcept;

}  // namespace ferrule::daemon
