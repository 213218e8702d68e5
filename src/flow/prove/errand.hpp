// What a stream is wanted for, and what is told of the way to it.
#pragma once
#include "dns/claim_questions.hpp"
#include "prove/bench.hpp"
#include "report/explanation.hpp"

namespace ligase::prove {

struct Acquired {
  pair::StreamRef stream;
  proof::Proof proof;  // of the server, for this remote domain
  std::string host;
  bool is_encrypted;
};
enum class Purpose : std::uint8_t {
  pair,
  dial_back,
  dial_back_to_dane,  // I-04: the authority must be proven by dane, whatever the policy would take first
};

// What a stream is wanted for.
struct Errand {
  Purpose purpose = Purpose::pair;
  // For a dial-back, the stream of the claim, whose budget a new connection is charged to; for a pair, the stream it rides,
  // which is looked at first, so that a renewal moves it only where that stream proves it no more.
  pair::StreamRef other;
  bool own_certificate = false;   // only a stream that shows the sender's own certificate will do
  report::Steps* told = nullptr;  // each step and its evidence, for explain; outlives the errand
  // Of a dial-back; null: our own question, which goes to the world's resolver.
  std::shared_ptr<dns::ClaimQuestions> questions = nullptr;
  ground::Claimant by{};  // of a dial-back: whose claim it is (AB-083)
};

// Counts a procedure that is about to use a stream, so that the sweep does not take it for unused.
class Reservation {
 public:
  Reservation(Bench* bench, pair::StreamRef ref) : bench_(bench), ref_(ref) {
    if (streams::Stream* session = bench_->streams.find(ref_)) ++session->reserved;
  }
  ~Reservation() {
    if (streams::Stream* session = bench_->streams.find(ref_)) --session->reserved;
  }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  Bench* bench_;
  pair::StreamRef ref_;
};

void tell(const Errand& errand, std::string what, report::StepResult result, std::string detail, Duration took = {});
void tell_failure(const Errand& errand, std::string what, const Error& why, Duration took = {});
void tell_stream(const Errand& errand, const streams::Stream& session, std::string_view which, Duration took = {});

bool is_own(const streams::Stream& session, const pairs::PairKey& pair);  // the pair of its header
bool shows_own_certificate(const Bench& bench, const streams::Stream& session, const pairs::PairKey& pair);

}  // namespace ligase::prove
