#include "memory/failing_memory.h"

#include <atomic>
#include <cstddef>
#include <cstdlib>
#include <new>

namespace ferrule::memory {

namespace {

constinit thread_local bool short_of_memory = false;
constinit thread_local bool felt = false;
constinit thread_local std::size_t left = 0;  // allocations that still succeed
constinit thread_local Failing how = Failing::one;
constinit std::atomic<std::size_t> live = 0;
constinit std::atomic<std::size_t> reserved = 0;

bool fails() noexcept {
  if (!short_of_memory) return false;
  if (left > 0) {
    --left;
    return false;
  }
  if (felt && how == Failing::one) return false;
  felt = true;
  return true;
}

// Stands before every allocation, and keeps it aligned.
struct alignas(std::max_align_t) Label {
  std::size_t size;
};

void* allocate(std::size_t size) {
  void* const room = fails() ? nullptr : std::malloc(sizeof(Label) + size);
  if (room == nullptr) throw std::bad_alloc();
  live += size;
  return new (room) Label{size} + 1;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  Label* label = static_cast<Label*>(memory) - 1;
  live -= label->size;
  std::free(label);
}

// These have no label, and are not counted.
void* allocate(std::size_t size, std::align_val_t alignment) {
  const auto align = static_cast<std::size_t>(alignment);
  void* const room =
      fails() ? nullptr : std::aligned_alloc(align, (size + align - 1) / align * align);
  if (room == nullptr) throw std::bad_alloc();
  return room;
}

}  // namespace

Shortage::Shortage(std::size_t number, Failing failing) noexcept {
  left = number;
  how = failing;
  felt = false;
  short_of_memory = true;
}

Shortage::~Shortage() { short_of_memory = false; }

bool Shortage::was_felt() const noexcept { return felt; }

std::size_t live_bytes() noexcept { return live; }

std::size_t reserved_bytes() noexcept { return reserved; }

std::size_t size_of(const void* memory) noexcept {
  return (static_cast<const Label*>(memory) - 1)->size;
}

}  // namespace ferrule::memory

// For the whole program. All forms, since a sanitizer has its own.
void* operator new(std::size_t size) { return ferrule::memory::allocate(size); }
void* operator new[](std::size_t size) { return ferrule::memory::allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  try {
    return ferrule::memory::allocate(size);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new[](std::size_t size, const std::nothrow_t& nothrow) noexcept {
  return operator new(size, nothrow);
}
void operator delete[](void* memory) noexcept { ferrule::memory::release(memory); }
void operator delete[](void* memory, std::size_t) noexcept { ferrule::memory::release(memory); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  return ferrule::memory::allocate(size, alignment);
}
void operator delete(void* memory) noexcept { ferrule::memory::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { ferrule::memory::release(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }

// Calls of realloc are linked to this one (CMakeLists.txt).
extern "C" void* __real_realloc(void* memory, std::size_t size);
extern "C" void* __wrap_realloc(void* memory, std::size_t size) {
  if (ferrule::memory::fails()) return nullptr;
  ferrule::memory::reserved += size;
  return __real_realloc(memory, size);
}
