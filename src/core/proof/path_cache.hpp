// Paths that were checked before, so that every further pair on a session, and every further session of the same host,
// costs a look-up (PKIX-04): whether a chain leads to our anchors does not depend on whose name is asked for. What it
// remembers never changes an answer, but that a failure may be remembered for a minute.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <unordered_map>

#include "proof/certificate.hpp"

namespace ligase::proof {

class PathCache {
 public:
  // `most`: chains remembered; then those not asked for lately give way. Other anchors are another cache.
  explicit PathCache(std::shared_ptr<const TrustAnchors> anchors, std::size_t most = 4096);

  // As verify_path(chain, anchors, shown_by, now).
  Result<WallTime> verify(const Chain& chain, Role shown_by, WallTime now);

  bool is_of(const TrustAnchors& anchors) const noexcept { return anchors_.get() == &anchors; }
  std::size_t size() const noexcept { return fresh_.size() + old_.size(); }
  std::size_t checks() const noexcept { return checks_; }  // paths that were really built

 private:
  struct Entry {
    Result<WallTime> verdict;
    WallTime from, until;  // the verdict is the same from `from` on and before `until`
  };
  using Entries = std::unordered_map<std::string, Entry>;  // by the chain's fingerprint and the role
  Entry check(const Chain& chain, Role shown_by, WallTime now);
  const Entry* find(const std::string& key);
  void keep(std::string key, Entry entry);

  std::shared_ptr<const TrustAnchors> anchors_;
  std::size_t most_;
  Entries fresh_, old_;  // at most half of `most_` each; when `fresh_` is full it becomes `old_`
  std::size_t checks_ = 0;
};

}  // namespace ligase::proof
