// Who is told what happens on the way.
#pragma once

#include <string_view>

namespace ferrule::files {

/// Rooms below the command line print nothing: what they have found they return, and what they do in
/// between they tell a Listener, which has said it before it returns. Used by one thread.
class Listener {
 public:
  virtual ~Listener() = default;
  /// A step is taken now; as a person would type it.
  virtual void step(std::string_view command) = 0;
  /// Something is not as it should be, and it goes on.
  virtual void warn(std::string_view what) = 0;
  /// Something went wrong, and the rest is done all the same.
  virtual void fail(std::string_view what) = 0;
  /// Anything else, in a line.
  virtual void say(std::string_view line) = 0;
};

}  // namespace ferrule::files
