// What one claim may ask of DNS, which is asked at a stranger's word of servers that are not his (AB-195, AB-196).
#pragma once
#include <functional>

#include "seams/resolver.hpp"

namespace ligase::dns {

constexpr std::size_t kQuestionsOfClaim = 10;

// What the cache knows is free. Beyond the bounds an answer is indeterminate, which is never an absence.
class ClaimQuestions final : public seams::Resolver {
 public:
  using Pay =
      std::function<bool(std::size_t)>;  // takes that many bytes off what the claimant has sent, if there are as many
  ClaimQuestions(seams::Resolver& inner, Pay pay) : inner_(inner), pay_(std::move(pay)) {}

  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  bool knows(const std::string& name, proof::RrType type) const override;

 private:
  seams::Resolver& inner_;
  Pay pay_;
  std::size_t left_ = kQuestionsOfClaim;
};

}  // namespace ligase::dns
