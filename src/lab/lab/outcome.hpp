// What came of a broken thing: what gateway one says of the domain it happened to, in one sentence with what to do, and
// whether that is what the truth tables say. What it says is its own: from `ctl pairs` and its log, advice from the table
// of reasons.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lab/breakage.hpp"
#include "lab/inspection.hpp"
#include "lab/ledger.hpp"
#include "lab/plan.hpp"

namespace ligase::lab {

struct Outcome {
  std::string what = {}, meaning = {}, domain = {};
  std::string expected = {};
  std::string says = {};
  std::string reason = {};              // a Reason's name; "": by what proves it always
  std::string proof = {};               // "": refused
  std::vector<std::string> wrong = {};  // what is not as expected, a sentence each
  bool is_right() const noexcept { return wrong.empty(); }
};

// The values of one record of the log in its text form; empty: no such key.
std::string value_in_record(std::string_view record, std::string_view key);

struct Seen {
  const Ledger& ledger;
  std::vector<PairEntry> entries;  // of gateway one
  std::string log;                 // of gateway one
  // Of a customer that is slow: when all else had arrived, and how much was under way to it then.
  std::optional<Seconds> others_took{};
  std::uint64_t under_way_to_slow = 0;
};
// `plan.breakage` is not null. `seen.entries` that are not of the domain are left to the report.
Outcome judge_outcome(const Plan& plan, const Seen& seen);

// What must prove the far end of this entry, whichever gateway's it is: what the customer published, or what is left of it.
Way proof_due(const Plan& plan, const PairEntry& entry);

// Does what is broken bear on this pair, so that it may be refused? `local` and `remote` as gateway one or two has them.
bool may_be_refused(const Plan& plan, std::string_view local, std::string_view remote);

}  // namespace ligase::lab
