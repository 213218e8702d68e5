// A node: one gateway with everything it needs of the machine. It puts the parts together and takes them apart again in
// the right order; it decides nothing about federation.
#pragma once
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/config.hpp"

namespace ligase::node {

// What only a clock and this version can say of a configuration: credentials that expired or do not fit, names that do
// not cover the hostname (PKIX-06), anchors that could prove nothing, and parts that this version does not have. Adds to
// `findings`.
void judge(const config::Config& config, const config::Files& files, config::Parsed& findings);

// What `serve` will do on this machine, tried: its folders, its control socket, each listener; as root also whether what
// is read again at a reload is readable for the account that it becomes. `read`: the files that parse() and judge() read.
// What another run of the same gateway explains is a warning. Call it before there is a thread.
void try_out(const config::Config& config, const std::vector<std::string>& read, config::Parsed& findings);

// Whether the resolver can be used, asked of it now: the last step of `--check`. A gateway starts without it, too: a warning.
void try_resolver(const config::Config& config, const config::Files& files, config::Parsed& findings);

// The same question where root was given up already: those of `read` that cannot be read any more.
std::vector<std::string> unreadable(const config::Files& files, const std::vector<std::string>& read);

// What is to be said where the account may not pass through a folder above state_dir.
std::string closed_state(const std::string& user, const std::string& folder);
inline constexpr std::string_view kStateAdvice = "choose a folder that this user can reach, as /var/lib/ligase";

// The libraries that this process runs with, as faults and warnings of no file.
void judge_libraries(config::Parsed& findings);

// Runs until SIGTERM or SIGINT; returns when everything is closed. `warnings` go to the log. An error: it could not
// start, and why; it is in the log as well. `read`: as for try_out().
Result<void> run(const config::Config& config, const config::Files& files, const std::vector<config::Fault>& warnings,
                 const std::vector<std::string>& read);

// Faults of a configuration as records of the log, in its format.
void log_faults(config::LogFormat format, const std::vector<config::Fault>& faults);

}  // namespace ligase::node
