// The heart, and the table of stanzas whose pair is not proven on their stream.
#include "pair/standing.hpp"

#include <gtest/gtest.h>

namespace ligase::pair {
namespace {

constexpr StreamRef kStream{7};
constexpr PolicyEpoch kEpoch{3};
const WallTime kNow = std::chrono::sys_days(std::chrono::year(2026) / 11 / 24);

PairState proven() {
  return Proven{{proof::ProofType::dane, kNow + std::chrono::hours(1), "evidence"}, kStream, kEpoch, kNow};
}

// P1, P2, MUX-09: a proof holds on its stream, in its time, under its policy; nowhere else.
TEST(LiveProof, HoldsOnItsStreamInItsTimeUnderItsPolicy) {
  EXPECT_NE(live_proof(proven(), kStream, kEpoch, kNow), nullptr);
  EXPECT_NE(live_proof(proven(), kStream, kEpoch, kNow + std::chrono::minutes(59)), nullptr);
}
TEST(LiveProof, OtherStream_IsNone) { EXPECT_EQ(live_proof(proven(), StreamRef{8}, kEpoch, kNow), nullptr); }
// AB-179
TEST(LiveProof, OtherPolicy_IsNone) { EXPECT_EQ(live_proof(proven(), kStream, PolicyEpoch{4}, kNow), nullptr); }
// PKIX-05
TEST(LiveProof, AtItsExpiry_IsNone) {
  EXPECT_EQ(live_proof(proven(), kStream, kEpoch, kNow + std::chrono::hours(1)), nullptr);
  EXPECT_EQ(live_proof(proven(), kStream, kEpoch, kNow + std::chrono::hours(2)), nullptr);
}
// P3
TEST(LiveProof, AnyOtherState_IsNone) {
  for (const PairState& state :
       {PairState(Proving{kNow}), PairState(Refused{{Reason::pkix_name, ""}, kNow, Instant{}, 1}),
        PairState(Expired{kNow})})
    EXPECT_EQ(live_proof(state, kStream, kEpoch, kNow), nullptr);
}

// MUX-08, every row and column.
struct Row {
  SenderProof sender;
  bool hosted, was_hosted, own_pair;
  Verdict verdict;
};
class ArrivalTable : public testing::TestWithParam<Row> {};
TEST_P(ArrivalTable, GivesTheRowsVerdict) {
  const Row& row = GetParam();
  EXPECT_EQ(judge_arrival({row.sender, row.hosted, row.was_hosted, row.own_pair}), row.verdict);
}
INSTANTIATE_TEST_SUITE_P(Mux08, ArrivalTable,
                         testing::Values(Row{SenderProof::certificate, true, false, false, Verdict::prove_and_deliver},
                                         Row{SenderProof::certificate, true, false, true, Verdict::prove_and_deliver},
                                         Row{SenderProof::dialback, true, false, true, Verdict::deliver},
                                         Row{SenderProof::dialback, true, false, false, Verdict::refuse_stanza},
                                         Row{SenderProof::none, true, false, true, Verdict::judge_certificate},
                                         Row{SenderProof::none, true, false, false, Verdict::close_invalid_from},
                                         Row{SenderProof::certificate, false, true, true, Verdict::refuse_host},
                                         Row{SenderProof::none, false, true, false, Verdict::refuse_host},
                                         Row{SenderProof::certificate, false, false, true, Verdict::close_host_unknown},
                                         Row{SenderProof::dialback, false, false, true, Verdict::close_host_unknown},
                                         Row{SenderProof::none, false, false, true, Verdict::close_host_unknown}));

}  // namespace
}  // namespace ligase::pair
