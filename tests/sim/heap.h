// How much memory each device holds: every allocation remembers on whose behalf it was made.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace ferrule::sim {

/// Bytes that were allocated while this heap was charged, and are not yet freed, by whomever.
struct Heap {
  std::size_t bytes = 0;
};

/// Charges a heap with everything that is allocated in a scope.
class HeapScope {
 public:
  /// Null charges nobody.
  explicit HeapScope(Heap* heap) noexcept;
  ~HeapScope();
  HeapScope(const HeapScope&) = delete;
  HeapScope& operator=(const HeapScope&) = delete;

 private:
  Heap* before_;
};

/// Owns an object, and charges `heap` with what is allocated in each call made through ->.
template <class Object>
class Metered {
 public:
  class Call {
   public:
    Call(Object* object, Heap& heap) noexcept : object_(object), scope_(&heap) {}
    Object* operator->() const noexcept { return object_; }

   private:
    Object* object_;
    HeapScope scope_;
  };

  explicit Metered(Heap& heap) noexcept : heap_(heap) {}
  template <class... Arguments>
  void make(Arguments&&... arguments) {
    object_.reset();
    const HeapScope scope(&heap_);
    object_ = std::make_unique<Object>(std::forward<Arguments>(arguments)...);
  }
  Call operator->() const noexcept { return Call(object_.get(), heap_); }

 private:
  Heap& heap_;
  std::unique_ptr<Object> object_;
};

}  // namespace ferrule::sim
