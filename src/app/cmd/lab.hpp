// `ligase lab` (contract, section 7): starts two real gateways, sends stanzas for every pair in both directions, and
// reports what it measured.
#pragma once
#include "lab/options.hpp"

namespace ligase::cmd {

// The whole command: prints the report on stdout (`json`: the document `lab` of the contract, or `error`), progress and
// errors on stderr. Returns the exit code: 0 every stanza arrived and every pair is proven, or, where something was broken,
// the gateway did what the truth tables say; 2 not so or not possible, 3 interrupted or out of time before there was
// anything to report, 64 options out of range.
int run_lab(const lab::Options& options);

}  // namespace ligase::cmd
