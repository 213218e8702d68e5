// What one claim may ask of DNS, which is asked at a stranger's word of servers that are not his (AB-195, AB-196), and when:
// strangers have places of their own at the resolver, by their address (AB-228).
#pragma once
#include <functional>

#include "dns/claim_places.hpp"
#include "seams/resolver.hpp"

namespace ligase::dns {

constexpr std::size_t kQuestionsOfClaim = 10;

struct ClaimShare {
  ClaimPlaces* places = nullptr;  // null: it waits for nobody
  Address prefix{};               // of the claimant
};

// What the cache knows is free. Beyond the bounds an answer is indeterminate, which is never an absence.
class ClaimQuestions final : public seams::Resolver {
 public:
  using Pay =
      std::function<bool(std::size_t)>;  // takes that many bytes off what the claimant has sent, if there are as many
  ClaimQuestions(seams::Resolver& inner, Pay pay, ClaimShare share = {})
      : inner_(inner), pay_(std::move(pay)), share_(share) {}

  Task<proof::Answer> ask(std::string name, proof::RrType type) override;
  bool knows(const std::string& name, proof::RrType type) const override;

 private:
  seams::Resolver& inner_;
  Pay pay_;
  ClaimShare share_;
  std::size_t left_ = kQuestionsOfClaim;
};

}  // namespace ligase::dns
