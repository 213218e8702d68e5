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

}  // namespace

Task<proof::Answer> ClaimQuestions::ask(std::string name, proof::RrType type) {
  if (!inner_.knows(name, type)) {
    if (left_ == 0) return refuse("a claim may cost ten questions, and this would be one more");
    if (!pay_(name.size() + kAroundName)) return refuse("the claimant has not sent as much as its claims make us ask");
    --left_;
  }
  return inner_.ask(std::move(name), type);
}

bool ClaimQuestions::knows(const std::string& name, proof::RrType type) const { return inner_.knows(name, type); }

}  // namespace ligase::dns
