// The log never holds up its writer, and says what it left out.
#include "os/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ligase::os {
namespace {

using report::Event;
using report::Level;
using testing::HasSubstr;
using testing::Not;

class Pipe {
 public:
  Pipe() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Pipe() {
    close_writer();
    ::close(ends_[0]);
  }
  int writer() const { return ends_[1]; }
  std::string read_all() {
    close_writer();
    std::string all;
    char chunk[4096];
    for (ssize_t count = 0; (count = ::read(ends_[0], chunk, sizeof chunk)) > 0;)
      all.append(chunk, static_cast<std::size_t>(count));
    return all;
  }

 private:
  void close_writer() {
    if (ends_[1] >= 0) ::close(ends_[1]);
    ends_[1] = -1;
  }
  int ends_[2]{};
};

std::size_t lines_in(const std::string& text) { return static_cast<std::size_t>(std::ranges::count(text, '\n')); }

TEST(LogSink, Events_ComeOutInOrderAboveTheLevel) {
  Pipe pipe;
  {
    LogSink log(pipe.writer(), config::LogFormat::text, Level::info);
    EXPECT_FALSE(log.wants(Level::debug));
    log.write(Event(Level::info, "start").with("version", "0.1.0"));
    log.write(Event(Level::debug, "unseen"));
    log.write(Event(Level::error, "stop"));
  }
  const std::string text = pipe.read_all();
  EXPECT_EQ(lines_in(text), 2u);
  EXPECT_THAT(text, HasSubstr(" info event=start version=0.1.0\n"));
  EXPECT_THAT(text, HasSubstr(" error event=stop\n"));
  EXPECT_LT(text.find("event=start"), text.find("event=stop"));
}

TEST(LogSink, JournaldFormat_HasThePriorityFirst) {
  Pipe pipe;
  { LogSink(pipe.writer(), config::LogFormat::journald, Level::debug).write(Event(Level::warning, "start")); }
  EXPECT_THAT(pipe.read_all(), testing::StartsWith("<4>20"));
}

TEST(LogSink, JsonFormat_IsOneObjectALine) {
  Pipe pipe;
  {
    LogSink(pipe.writer(), config::LogFormat::json, Level::debug).write(Event(Level::info, "start").with("a", "b\nc"));
  }
  const std::string text = pipe.read_all();
  EXPECT_EQ(lines_in(text), 1u);
  EXPECT_THAT(text, HasSubstr(R"("level":"info","event":"start","a":"b\u000ac"})"));
}

// AB-111
TEST(LogSink, ReaderThatDoesNotRead_HoldsUpNobodyAndTheLossIsCounted) {
  Pipe pipe;
  LogLimits limits;
  limits.queued_lines = 100;
  limits.patience = 1ms;
  {
    LogSink log(pipe.writer(), config::LogFormat::text, Level::info, limits);
    for (int i = 0; i < 20000; ++i) log.write(Event(Level::info, "flood").with("text", std::string(200, 'x')));
  }                                             // the end is not held up either
  EXPECT_LT(lines_in(pipe.read_all()), 2000u);  // what the pipe and the queue hold, and not more
}

// AB-111
TEST(LogSink, OneReasonRepeating_IsCutShortAndCounted) {
  Pipe pipe;
  LogLimits limits;
  limits.same_reason = 3;
  {
    LogSink log(pipe.writer(), config::LogFormat::text, Level::info, limits);
    for (int i = 0; i < 10; ++i) log.write(Event(Level::info, "pair_refused").with("reason", "dane.mismatch"));
    for (int i = 0; i < 10; ++i) log.write(Event(Level::info, "pair_proven").with("proof", "dane"));
    log.write(Event(Level::info, "pair_refused").with("reason", "pkix.name"));
  }
  const std::string text = pipe.read_all();
  EXPECT_EQ(lines_in(text), 3u + 10u + 1u + 1u);
  EXPECT_THAT(text, HasSubstr("event=log_suppressed of=pair_refused reason=dane.mismatch count=7\n"));
  EXPECT_THAT(text, HasSubstr("event=pair_refused reason=pkix.name\n"));
}

// AB-111
TEST(LogSink, AStrangersWordsAsReason_DoNotEscapeTheLimit) {
  Pipe pipe;
  LogLimits limits;
  limits.same_reason = 3;
  limits.queued_lines = 100'000;
  ::fcntl(pipe.writer(), F_SETPIPE_SZ, 1 << 20);
  {
    LogSink log(pipe.writer(), config::LogFormat::text, Level::info, limits);
    for (int i = 0; i < 5000; ++i)
      log.write(Event(Level::info, "external_refused").with("reason", "text " + std::to_string(i)));
  }
  const std::string text = pipe.read_all();
  EXPECT_EQ(lines_in(text), 1024u + 3u + 1u);
  EXPECT_THAT(text, HasSubstr("event=log_suppressed of=other reason=other count=3973\n"));
}

}  // namespace
}  // namespace ligase::os
