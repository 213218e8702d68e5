// The queue, the thread that empties it, and the counting of what repeats.
#include "os/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

namespace ligase::os {
namespace {

using Steady = std::chrono::steady_clock;
using report::Event;
using report::Level;

report::LogTime wall_now() { return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()); }

std::string line_of(const Event& event, config::LogFormat format) {
  constexpr const char* priorities[] = {"<7>", "<6>", "<4>", "<3>"};
  switch (format) {
    case config::LogFormat::text:
      return report::as_text(event, wall_now()) + '\n';
    case config::LogFormat::json:
      return report::as_json(event, wall_now()) + '\n';
    case config::LogFormat::journald:
      return priorities[static_cast<std::size_t>(event.level)] + report::as_text(event, wall_now()) + '\n';
  }
  return {};
}

}  // namespace

class LogSink::Writer {
 public:
  Writer(int fd, config::LogFormat format, LogLimits limits)
      : fd_(fd), format_(format), limits_(limits), thread_([this] { run(); }) {}

  ~Writer() {
    {
      const std::lock_guard lock(mutex_);
      is_ending_ = true;
      deadline_ = Steady::now() + limits_.patience;
    }
    wake_.notify_one();
    thread_.join();
  }

  void put(std::string line) {
    bool is_waiting = false;
    {
      const std::lock_guard lock(mutex_);
      if (lines_.size() >= limits_.queued_lines) {
        ++dropped_;
        return;
      }
      is_waiting = lines_.empty();
      lines_.push_back(std::move(line));
    }
    if (is_waiting) wake_.notify_one();  // else it has been woken, or is at work and looks again
  }

 private:
  void run() {
    while (true) {
      std::deque<std::string> batch;
      std::uint64_t dropped = 0;
      {
        std::unique_lock lock(mutex_);
        wake_.wait(lock, [this] { return is_ending_ || !lines_.empty(); });
        if (lines_.empty() && dropped_ == 0) return;
        batch.swap(lines_);
        std::swap(dropped, dropped_);
      }
      std::string piece;  // many lines, one system call
      for (const std::string& line : batch) {
        if (!piece.empty() && piece.size() + line.size() > kPiece && !write_out(std::exchange(piece, {}))) return;
        piece += line;
      }
      if (!write_out(piece)) return;
      if (dropped == 0) continue;
      const Event event = Event(Level::warning, "log_dropped").with("count", std::to_string(dropped));
      if (!write_out(line_of(event, format_))) return;
    }
  }

  // What a pipe takes without blocking once it is writable, so that the end of the process is never held up.
  static constexpr std::size_t kPiece = 4096;
  bool write_out(std::string_view bytes) {
    while (!bytes.empty()) {
      pollfd waiting{fd_, POLLOUT, 0};
      const int ready = ::poll(&waiting, 1, 100);
      if (ready <= 0) {
        if (is_over()) return false;
        continue;
      }
      const ssize_t count = ::write(fd_, bytes.data(), std::min(bytes.size(), kPiece));
      if (count > 0) {
        bytes.remove_prefix(static_cast<std::size_t>(count));
      } else if (errno != EAGAIN && errno != EINTR) {
        return true;  // nobody reads any more: this line is lost, the next may find a reader
      }
    }
    return true;
  }

  bool is_over() {
    const std::lock_guard lock(mutex_);
    return is_ending_ && Steady::now() >= deadline_;
  }

  int fd_;
  config::LogFormat format_;
  LogLimits limits_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::string> lines_;  // at most queued_lines
  std::uint64_t dropped_ = 0;
  bool is_ending_ = false;
  Steady::time_point deadline_{};
  std::thread thread_;  // last: it starts when all else stands
};

// Counts records of one event and reason. Should a reason ever hold a stranger's words, the table still stays small.
class LogSink::Repeats {
 public:
  explicit Repeats(LogLimits limits) : limits_(limits) {}

  struct Verdict {
    bool is_written;
    std::uint64_t suppressed_before;  // to be said first
  };
  Verdict count(const std::string& key) {
    const std::lock_guard lock(mutex_);
    const Steady::time_point now = Steady::now();
    const bool fits = windows_.size() < kMostKeys || windows_.contains(key);
    Window& window = windows_[fits ? key : std::string("other other")];
    std::uint64_t suppressed = 0;
    if (now >= window.ends) {
      suppressed = window.count > limits_.same_reason ? window.count - limits_.same_reason : 0;
      window = {now + limits_.window, 0};
    }
    ++window.count;
    return {window.count <= limits_.same_reason, suppressed};
  }

  template <class Say>
  void say_all(Say&& say) {
    for (const auto& [key, window] : windows_)
      if (window.count > limits_.same_reason) say(key, window.count - limits_.same_reason);
  }

 private:
  struct Window {
    Steady::time_point ends{};
    std::uint64_t count = 0;
  };
  static constexpr std::size_t kMostKeys = 1024;
  LogLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;  // at most kMostKeys + 1
};

namespace {

// "pair_refused dane.mismatch"; empty: no reason, never cut short.
std::string repeat_key(const Event& event) {
  for (const auto& [key, value] : event.fields)
    if (key == "reason") return std::string(event.name) + ' ' + value;
  return {};
}

Event suppressed_event(const std::string& key, std::uint64_t count) {
  const std::size_t blank = key.find(' ');
  return Event(Level::warning, "log_suppressed")
      .with("of", key.substr(0, blank))
      .with("reason", key.substr(blank + 1))
      .with("count", std::to_string(count));
}

}  // namespace

LogSink::LogSink(int fd, config::LogFormat format, Level level, LogLimits limits)
    : level_(level),
      format_(format),
      repeats_(std::make_unique<Repeats>(limits)),
      writer_(std::make_unique<Writer>(fd, format, limits)) {}

LogSink::~LogSink() {
  repeats_->say_all([this](const std::string& key, std::uint64_t count) { put(suppressed_event(key, count)); });
}

void LogSink::put(const Event& event) { writer_->put(line_of(event, format_)); }

void LogSink::write(Event event) {
  if (!wants(event.level)) return;
  if (const std::string key = repeat_key(event); !key.empty()) {
    const Repeats::Verdict verdict = repeats_->count(key);
    if (verdict.suppressed_before > 0) put(suppressed_event(key, verdict.suppressed_before));
    if (!verdict.is_written) return;
  }
  put(event);
}

}  // namespace ligase::os
