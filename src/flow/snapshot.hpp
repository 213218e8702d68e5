// The hub's state as the rows of `ligase ctl` (contract, section 5).
#pragma once
#include <vector>

#include "report/snapshot.hpp"

namespace ligase {

class Hub;
std::size_t live_pairs(const Hub& hub);  // both directions; one that is proven on two streams counts once
std::vector<report::StreamRow> stream_rows(const Hub& hub);
std::vector<report::PairRow> pair_rows(const Hub& hub);
std::vector<report::LinkRow> link_rows(const Hub& hub);

}  // namespace ligase
