// What the lab found, as the document `lab` of the contract and as a table for people. Both say the same figures.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lab/inspection.hpp"
#include "lab/options.hpp"
#include "lab/outcome.hpp"

namespace ligase::lab {

struct Report {
  Domains domains;
  Way way = Way::dnssec;
  std::uint64_t pairs = 0;        // directions count: 2 x N1 x N2
  std::uint64_t connections = 0;  // from the kernel's table, at the end of the run
  std::uint64_t sent = 0, delivered = 0, lost = 0, bounced = 0;
  PairCount proofs;             // entries at both gateways
  std::vector<PairEntry> live;  // of those the proven ones, where each is to be shown: `mixed`, and what is broken
  double setup = 0;             // seconds: start of the command to the last component's handshake
  double first_connect = 0;     // the first stanza of all, alone: written to arrived
  double subsequent_pair_median = 0;  // first stanzas of all other pairs, asked for at once: written to arrived
  double all_pairs = 0;               // from the first of those written to the last one's arrival
  NamingCount naming;                 // certificates that name a customer
  std::vector<std::string> faults;    // what is wrong beside the counts, a sentence each
  // Of a broken domain that must be refused: its stanzas come back, and its entries do not live.
  std::uint64_t to_be_bounced = 0, to_be_refused = 0;
  std::optional<Outcome> outcome;  // of what was broken

  std::uint64_t live_entries() const noexcept;
  // Everything sent arrived, every pair is proven at both gateways, nothing else was wrong; but for what was broken, of
  // which came what had to come.
  bool is_fine() const noexcept;
};

std::string to_json(const Report& report);  // one line with its end
std::string to_table(const Report& report);

}  // namespace ligase::lab
