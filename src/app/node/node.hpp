// A node: one gateway with everything it needs of the machine. It puts the parts together and takes them apart again in
// the right order; it decides nothing about federation.
#pragma once
#include "base/result.hpp"
#include "config/config.hpp"

namespace ligase::node {

// What only a clock and this version can say of a configuration: credentials that expired or do not fit, names that do
// not cover the hostname (PKIX-06), anchors that could prove nothing, and parts that this version does not have. Adds to
// `findings`.
void judge(const config::Config& config, const config::Files& files, config::Parsed& findings);

// Runs until SIGTERM or SIGINT; returns when everything is closed. `warnings` go to the log. An error: it could not
// start, and why.
Result<void> run(const config::Config& config, const config::Files& files, const std::vector<config::Fault>& warnings);

}  // namespace ligase::node
