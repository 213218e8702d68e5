// The log on a file descriptor, stderr as a rule. The loop never waits for it: lines go into a bounded queue that a thread
// of its own writes out. What did not fit is counted and said; one reason that repeats is cut short and counted (AB-111).
#pragma once
#include <memory>

#include "config/config.hpp"
#include "report/event.hpp"

namespace ligase::os {

struct LogLimits {
  std::size_t queued_lines = 8192;
  std::size_t same_reason = 200;  // records of one event and reason in a `window`; the rest is counted
  Duration window = 10s;
  Duration patience = 2s;  // for a reader that does not read, when the process ends
};

class LogSink final : public report::Log {
 public:
  // `fd` is borrowed and stays open as long as this. journald: text with a "<N>" priority before it (sd-daemon(3)).
  LogSink(int fd, config::LogFormat format, report::Level level, LogLimits limits = {});
  ~LogSink() override;  // writes what is queued, within `patience`

  bool wants(report::Level level) const noexcept override { return level >= level_; }
  void write(report::Event event) override;  // from any thread

 private:
  class Writer;
  class Repeats;
  void put(const report::Event& event);

  report::Level level_;
  config::LogFormat format_;
  std::unique_ptr<Repeats> repeats_;
  std::unique_ptr<Writer> writer_;
};

}  // namespace ligase::os
