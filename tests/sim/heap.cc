#include "sim/heap.h"

#include <cstdlib>
#include <new>
#include <utility>

namespace ferrule::sim {

namespace {

Heap* charged = nullptr;

// Stands before every allocation, and keeps it aligned.
struct alignas(std::max_align_t) Label {
  Heap* heap;
  std::size_t size;
};

void* allocate(std::size_t size) {
  auto* label = static_cast<Label*>(std::malloc(sizeof(Label) + size));
  if (label == nullptr) throw std::bad_alloc();
  *label = {charged, size};
  if (charged != nullptr) charged->bytes += size;
  return label + 1;
}

void release(void* memory) noexcept {
  if (memory == nullptr) return;
  Label* label = static_cast<Label*>(memory) - 1;
  if (label->heap != nullptr) label->heap->bytes -= label->size;
  std::free(label);
}

}  // namespace

HeapScope::HeapScope(Heap* heap) noexcept : before_(std::exchange(charged, heap)) {}

HeapScope::~HeapScope() { charged = before_; }

}  // namespace ferrule::sim

// For the whole program. Memory of types that ask for more alignment is left to the library.
void* operator new(std::size_t size) { return ferrule::sim::allocate(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  return ferrule::sim::allocate(size);  // which ends the program in place of giving null
}
void operator delete(void* memory) noexcept { ferrule::sim::release(memory); }
void operator delete(void* memory, std::size_t) noexcept { ferrule::sim::release(memory); }
