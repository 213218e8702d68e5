// `ligase ctl explain`: the judgement of a pair in both directions, step by step, by the same procedures that prove it.
#pragma once
#include "prove/bench.hpp"
#include "report/explanation.hpp"

namespace ligase::prove {

// As seams::Control::explain.
Task<Result<report::Explanation>> explain_pair(Bench* bench, Domain local, Domain remote, bool may_dial);

}  // namespace ligase::prove
