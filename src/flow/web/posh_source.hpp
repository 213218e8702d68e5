// A domain's POSH document, fetched (RFC 7711 §3, §6; POSH-01 to POSH-04): one fetch in flight a domain whoever waits for it,
// what came of it kept as long as it says, a failure for a minute. Kept in World::store too, memos of kind "posh".
#pragma once
#include <map>
#include <memory>
#include <string>

#include "ground/gate.hpp"
#include "ground/ground.hpp"
#include "proof/posh.hpp"
#include "seams/store.hpp"

namespace ligase::web {

class PoshSource {
 public:
  explicit PoshSource(ground::Ground& ground) : ground_(ground) {}
  // What is known now, or fetched within 10 s. From 60 % of a document's life on it is fetched anew, so that what is
  // proven by it can be proven again before it ends; until its end the old one stands in where that fails.
  // `by`: at whose word; what is refused to a claimant (AB-083) is neither kept nor told to others that wait for it.
  // `failure` in the answer: posh_failed, with a sentence that names the domain, or limit_reached.
  Task<proof::PoshAnswer> ask(Domain domain, ground::Claimant by);

  bool knows(const Domain& domain) const;  // asking takes no time

  void recall(const std::vector<seams::Memo>& memos, WallTime wall, Instant now);  // at the start
  std::size_t size() const noexcept { return kept_.size(); }

 private:
  using Shared = std::shared_ptr<const proof::PoshAnswer>;
  struct Entry {
    Shared answer;
    Instant fresh_until, usable_until;
  };
  const Entry* usable(const Domain& domain, WallTime wall, Instant now) const;
  Shared settle(const Domain& domain, proof::PoshAnswer came);
  void keep(const Domain& domain, Entry entry, Instant now);
  void forget(std::map<Domain, Entry>::iterator entry);
  bool has_room_for(ground::Claimant by) const;
  // Opens when it may have room; null: it is not to wait.
  std::shared_ptr<ground::Gate<bool>> room_of(ground::Claimant by);
  std::shared_ptr<ground::Gate<Shared>> begin(const Domain& domain, ground::Claimant by);
  void is_over(const Domain& domain, ground::Claimant by, ground::Gate<Shared>& done) noexcept;
  Task<void> fetch(Domain domain, ground::Claimant by, std::shared_ptr<ground::Gate<Shared>> done);

  ground::Ground& ground_;
  std::map<Domain, Entry> kept_;      // bounded together: see keep()
  std::size_t kept_descriptors_ = 0;  // in them
  std::map<Domain, std::shared_ptr<ground::Gate<Shared>>> in_flight_;
  std::map<ground::Claimant, std::shared_ptr<ground::Gate<bool>>> room_;  // opens when one of its fetches is over
  std::map<ground::Claimant, std::size_t> fetching_;                      // for whom how many of them
};

}  // namespace ligase::web
