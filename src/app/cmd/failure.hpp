// How a command fails: one sentence in the program's form for people, the `error` document for scripts, and the exit
// code of the contract (section 2).
#pragma once
#include <string>
#include <vector>

#include "base/reason.hpp"
#include "config/config.hpp"

namespace ligase::cmd {

enum class Exit : int { fine = 0, warnings = 1, failed = 2, could_not_tell = 3, usage = 64, configuration = 78 };

struct Failure {
  Exit code = Exit::failed;
  Reason reason = Reason::internal;
  std::string what, where, why, advice;  // where, why, advice may be empty
  // "WHAT (WHERE): WHY; WHAT TO DO"
  std::string text() const;
};

enum class Output : bool { text, json };

// Prints on stderr ("ligase: error: …"), with Output::json also the `error` document on stdout; the exit code.
int fail(const Failure& failure, Output output);

// One line each on stderr, in the same form.
void print_faults(const std::vector<config::Fault>& faults);
void print_warnings(const std::vector<config::Fault>& warnings);

}  // namespace ligase::cmd
