// A path holds as long as each of its certificates does: neither signatures nor usages nor constraints change with time.
#include "proof/path_cache.hpp"

#include <algorithm>
#include <utility>

#include "proof/native.hpp"

namespace ligase::proof {
namespace {

constexpr std::chrono::seconds kFailureKept = std::chrono::minutes(1);

}  // namespace

PathCache::PathCache(std::shared_ptr<const TrustAnchors> anchors, std::size_t most)
    : anchors_(std::move(anchors)), most_(std::max<std::size_t>(most, 2)) {}

Result<WallTime> PathCache::verify(const Chain& chain, Role shown_by, WallTime now) {
  std::string key = chain.chain_fingerprint() + (shown_by == Role::initiating ? 'i' : 'r');
  if (const Entry* known = find(key); known != nullptr && known->from <= now && now < known->until)
    return known->verdict;
  Entry entry = check(chain, shown_by, now);
  Result<WallTime> verdict = entry.verdict;
  keep(std::move(key), std::move(entry));
  return verdict;
}

PathCache::Entry PathCache::check(const Chain& chain, Role shown_by, WallTime now) {
  ++checks_;
  const Result<Path> path = find_path(chain, anchors_->native(), now);
  if (!path) return {fail(path.error()), now, now + kFailureKept};
  if (const Result<void> checked = check_role(*path, shown_by); !checked)
    return {fail(checked.error()), now, now + kFailureKept};
  return {path->expires, path->begins, path->expires};
}

const PathCache::Entry* PathCache::find(const std::string& key) {
  if (const auto found = fresh_.find(key); found != fresh_.end()) return &found->second;
  auto found = old_.extract(key);
  if (!found) return nullptr;
  Entry entry = std::move(found.mapped());
  keep(key, std::move(entry));
  return &fresh_.find(key)->second;
}

void PathCache::keep(std::string key, Entry entry) {
  if (fresh_.size() >= most_ / 2 && !fresh_.contains(key)) old_ = std::exchange(fresh_, {});
  old_.erase(key);
  fresh_.insert_or_assign(std::move(key), std::move(entry));
}

}  // namespace ligase::proof
