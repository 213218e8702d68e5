// The table of stanzas whose pair is not proven on their stream.
#include "pair/arrival.hpp"

#include <gtest/gtest.h>

namespace ligase::pair {
namespace {

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
                                         Row{SenderProof::certificate, false, true, true, Verdict::drop},
                                         Row{SenderProof::none, false, true, false, Verdict::drop},
                                         Row{SenderProof::certificate, false, false, true, Verdict::close_host_unknown},
                                         Row{SenderProof::dialback, false, false, true, Verdict::close_host_unknown},
                                         Row{SenderProof::none, false, false, true, Verdict::close_host_unknown}));

}  // namespace
}  // namespace ligase::pair
