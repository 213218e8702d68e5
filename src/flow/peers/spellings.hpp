// Which remote domains are named in A-labels, since they were not known by their U-labels where they live (AB-215). Kept in
// World::store too, memos of kind "labels".
#pragma once
#include <map>
#include <vector>

#include "ground/ground.hpp"
#include "name/domain.hpp"
#include "seams/store.hpp"

namespace ligase::peers {

class Spellings {
 public:
  Spellings(ground::Ground& ground, const std::vector<seams::Memo>& memos);

  Labels labels_of(const Domain& domain) const;
  // Its peer does not know it as `used`: the other spelling from now on, for a week. Both at once is nothing: who fails with the one that
  // was tried second is back at the first.
  void is_unknown_as(const Domain& domain, Labels used);
  void clock_was_set_back(std::chrono::seconds by);
  std::size_t size() const noexcept { return in_ascii_.size(); }

 private:
  void keep(const Domain& domain, WallTime until);

  ground::Ground& ground_;
  std::map<Domain, WallTime> in_ascii_;  // bounded; until when
};

// Whether there are two.
inline bool has_two_spellings(const Domain& domain) noexcept { return domain.unicode() != domain.text(); }

}  // namespace ligase::peers
