#include "dns/claim_questions.hpp"

#include <utility>

namespace ligase::dns {
namespace {

// Header, type, class and EDNS, and two octets more than the name has letters (RFC 1035 §4, RFC 6891 §6.1.2).
constexpr std::size_t kAroundName = 12 + 4 + 11 + 2;

Task<proof::Answer> refuse(std::string why) {
  proof::Answer answer;
  answer.why = std::move(why);
  co_return answer;
}

// In its turn. Meanwhile somebody else may have asked the same: then it costs nobody anything.
Task<proof::Answer> ask_in_turn(seams::Resolver* inner, ClaimPlaces* places, Address prefix, std::string name,
                                proof::RrType type) {
  Task<std::optional<ClaimPlaces::Place>> taken = places->take(prefix);
  const std::optional<ClaimPlaces::Place> place = co_await std::move(taken);
  if (!place && !inner->knows(name, type)) {
    Task<proof::Answer> refused = refuse("too many questions for claims of this address wait already");
    co_return co_await std::move(refused);
  }
  Task<proof::Answer> asked = inner->ask(std::move(name), type);
  co_return co_await std::move(asked);
}

}  // namespace

Task<proof::Answer> ClaimQuestions::ask(std::string name, proof::RrType type) {
  if (!inner_.knows(name, type)) {
    if (left_ == 0) return refuse("a claim may cost ten questions, and this would be one more");
    if (!pay_(name.size() + kAroundName)) return refuse("the claimant has not sent as much as its claims make us ask");
    --left_;
    if (share_.places != nullptr) return ask_in_turn(&inner_, share_.places, share_.prefix, std::move(name), type);
  }
  return inner_.ask(std::move(name), type);
}

bool ClaimQuestions::knows(const std::string& name, proof::RrType type) const { return inner_.knows(name, type); }

}  // namespace ligase::dns
