// Evidence and judgement brought together: what DNS said and this session's certificate, then judge_server() or
// judge_client() under today's policy; and whatever else it takes to decide, asked only where it could change the answer.
#pragma once
#include "dns/claim_questions.hpp"
#include "dns/evidence.hpp"
#include "prove/bench.hpp"
#include "report/explanation.hpp"

namespace ligase::prove {

// A target of a domain, with what DNS says of it: looked up by one pair, for that pair (MUX-02).
struct Way {
  proof::Delegation delegation;
  proof::SrvTarget target;
  dns::HostFacts host;
};

// By what a far end is judged: today's policy, or dane and nothing else (I-04: the authority of a domain with TLSA).
enum class Standard : std::uint8_t { policy, dane };

// Is the far end of this stream `remote`, reached by `way`? Rows O-06 to O-26. Reason::network_closed: the stream ended.
// `by`: at whose word. `told`: where each piece of evidence is told, for explain; null: nowhere.
Task<Result<proof::Proof>> prove_server(Bench* bench, pair::StreamRef stream, Way way, Domain remote, Standard standard,
                                        ground::Claimant by, report::Steps* told = nullptr);

// Would judging `remote` at that host wait for its POSH document, if the host shows what it has shown to others?
bool would_wait_for_posh(Bench& bench, const proof::Chain& shown, const Way& way, const Domain& remote,
                         Standard standard);

// May this session speak for `sender`, by its certificate? Rows I-01 to I-09, I-12, I-13; dialback is the caller's next step.
// `questions`: what DNS may be asked for a claim; null: what it takes.
Task<tl::expected<proof::Proof, proof::ClientRefusal>> prove_client(Bench* bench, pair::StreamRef stream, Domain sender,
                                                                    std::shared_ptr<dns::ClaimQuestions> questions,
                                                                    report::Steps* told = nullptr);

}  // namespace ligase::prove
