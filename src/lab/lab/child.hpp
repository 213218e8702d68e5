// A gateway as a child process: `ligase serve --config …`. It cannot outlive us: the kernel ends it when we die, this
// object ends it otherwise. Its log is a file, so that a person can read along.
#pragma once
#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace ligase::lab {

class Child {
 public:
  // Runs `arguments` (the first is the program's path) with standard error and output into `log_file`, in a process
  // group of its own: a Ctrl-C on the terminal is ours to pass on. Error: not found, not executable.
  static Result<Child> start(const std::vector<std::string>& arguments, const std::string& log_file);
  Child(Child&& other) noexcept;
  Child& operator=(Child&&) = delete;
  ~Child();  // kill and wait

  pid_t pid() const noexcept { return pid_; }
  const std::string& log_file() const noexcept { return log_file_; }
  // How it ended ("exit code 78", "signal 11"), once it has; never waits.
  std::optional<std::string> ended();
  void ask_to_end() const noexcept;  // SIGTERM

  bool has_logged(std::string_view words);          // anywhere in its log so far
  std::string last_lines(std::size_t count) const;  // of its log, without the last line end

 private:
  Child(pid_t pid, std::string log_file) : pid_(pid), log_file_(std::move(log_file)) {}
  pid_t pid_;  // 0: moved from, or waited for
  std::string log_file_;
  std::optional<std::string> end_;
};

}  // namespace ligase::lab
