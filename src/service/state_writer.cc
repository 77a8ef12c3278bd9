#include "service/state_writer.h"

#include <cerrno>
#include <chrono>
#include <system_error>
#include <thread>
#include <utility>

namespace ferrule::service {

struct StateWriter::Shared {
  Shared(CheckedFile to, std::function<void()> call) : file(std::move(to)), wake(std::move(call)) {}

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by the mutex.
  std::optional<std::vector<std::uint8_t>> chunk;
  bool last = false;
  bool ended = false;
  std::optional<Result<void>> outcome;

  CheckedFile file;  // the thread's
  std::function<void()> wake;

  // False when there is no more to do.
  bool take(std::vector<std::uint8_t>& taken, bool& is_last) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [this] { return chunk || ended; });
    if (!chunk) return false;
    taken = std::move(*chunk);
    is_last = last;
    chunk.reset();
    return true;
  }

  void tell() {
    std::unique_lock lock(mutex);
    changed.notify_all();
    if (!ended) wake();
  }

  void run() {
    std::vector<std::uint8_t> bytes;
    bool is_last = true;
    Result<void> result;
    bool begun = false;
    while (take(bytes, is_last)) {
      tell();
      if (!begun) result = file.begin();
      begun = !is_last;
      if (result) result = file.append(bytes);
      if (!is_last) continue;
      if (result) result = file.finish();
      {
        const std::unique_lock lock(mutex);
        outcome = std::move(result);
      }
      result = {};
      tell();
    }
  }
};

StateWriter::~StateWriter() {
  if (!shared_) return;
  const std::unique_lock lock(shared_->mutex);
  shared_->ended = true;
  shared_->changed.notify_all();
}

Result<void> StateWriter::start(CheckedFile file, std::function<void()> wake) {
  shared_ = std::make_shared<Shared>(std::move(file), std::move(wake));
  try {
    std::thread([shared = shared_] { shared->run(); }).detach();
  } catch (const std::system_error& error) {
    shared_.reset();
    return std::unexpected(system_error(error.code().value(), "start a thread"));
  }
  return {};
}

bool StateWriter::takes_more() {
  if (!shared_) return false;
  const std::unique_lock lock(shared_->mutex);
  return !shared_->chunk;
}

void StateWriter::give(std::vector<std::uint8_t> chunk, bool last) {
  const std::unique_lock lock(shared_->mutex);
  shared_->chunk = std::move(chunk);
  shared_->last = last;
  shared_->changed.notify_all();
}

std::optional<Result<void>> StateWriter::outcome() {
  if (!shared_) return std::nullopt;
  const std::unique_lock lock(shared_->mutex);
  return std::exchange(shared_->outcome, std::nullopt);
}

void StateWriter::wait(Duration at_most) {
  std::unique_lock lock(shared_->mutex);
  shared_->changed.wait_for(lock, at_most, [this] {
    return shared_->last ? shared_->outcome.has_value() : !shared_->chunk;
  });
}

}  // namespace ferrule::service
