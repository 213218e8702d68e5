// One line a key: "HEX FIRST LAST ISSUER", times in seconds.
#include "proof/known_keys.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ligase::proof {
namespace {

constexpr std::size_t kMostKeys = 4;  // of one name; then the one not seen for longest gives way
constexpr std::size_t kKeyDigits = 64, kMostIssuer = 256;
constexpr auto kDay = std::chrono::hours(24);
constexpr auto kStranger = 7 * kDay, kAcquaintance = 180 * kDay;

std::string_view next(std::string_view& text, char until) {
  const std::string_view piece = text.substr(0, text.find(until));
  text.remove_prefix(std::min(text.size(), piece.size() + 1));
  return piece;
}

std::optional<WallTime> read_time(std::string_view text) {
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

std::optional<KnownKey> read_key(std::string_view line, WallTime now) {
  const std::string_view key = next(line, ' ');
  const auto first = read_time(next(line, ' ')), last = read_time(next(line, ' '));
  const bool is_key = key.size() == kKeyDigits && key.find_first_not_of("0123456789abcdef") == std::string_view::npos;
  if (!is_key || !first || !last || *first > *last || *last > now) return std::nullopt;
  if (line.empty() || line.size() > kMostIssuer) return std::nullopt;
  return KnownKey{std::string(key), std::string(line), *first, *last};
}

WallTime expires_of(const std::vector<KnownKey>& keys) {
  const WallTime first = std::ranges::min(keys, {}, &KnownKey::first_seen).first_seen;
  const WallTime last = std::ranges::max(keys, {}, &KnownKey::last_seen).last_seen;
  return last + (last - first < kDay ? kStranger : kAcquaintance);
}

void make_room(std::vector<KnownKey>& keys) {
  if (keys.size() >= kMostKeys) keys.erase(std::ranges::min_element(keys, {}, &KnownKey::last_seen));
}

}  // namespace

KnownKeys::Noted KnownKeys::note(std::string_view name, std::string_view key, std::string_view issuer, WallTime now) {
  auto found = names_.find(name);
  if (found == names_.end()) {
    if (names_.size() >= most_) forget_expired(now);
    if (names_.size() >= most_) return {};
    names_.emplace(std::string(name), std::vector{KnownKey{std::string(key), std::string(issuer), now, now}});
    return {std::nullopt, true};
  }
  std::vector<KnownKey>& keys = found->second;
  const auto same =
      std::ranges::find_if(keys, [&](const KnownKey& known) { return known.key == key && known.issuer == issuer; });
  if (same != keys.end()) {
    const bool is_later = now >= same->last_seen + kDay;
    if (is_later) same->last_seen = now;
    return {std::nullopt, is_later};
  }
  const bool is_renewal =
      std::ranges::any_of(keys, [&](const KnownKey& known) { return known.key == key || known.issuer == issuer; });
  std::optional<KnownKey> before;
  if (!is_renewal) before = std::ranges::max(keys, {}, &KnownKey::last_seen);
  make_room(keys);
  keys.push_back({std::string(key), std::string(issuer), now, now});
  return {std::move(before), true};
}

std::string KnownKeys::text_of(std::string_view name) const {
  std::string text;
  if (const auto found = names_.find(name); found != names_.end())
    for (const KnownKey& known : found->second)
      text += fmt::format("{} {} {} {}\n", known.key, known.first_seen.time_since_epoch().count(),
                          known.last_seen.time_since_epoch().count(), known.issuer);
  return text;
}

WallTime KnownKeys::expires(std::string_view name) const {
  const auto found = names_.find(name);
  return found == names_.end() ? WallTime{} : expires_of(found->second);
}

void KnownKeys::recall(std::string_view name, std::string_view text, WallTime now) {
  if (names_.size() >= most_) return;
  std::vector<KnownKey> keys;
  while (!text.empty())
    if (auto key = read_key(next(text, '\n'), now)) {
      make_room(keys);
      keys.push_back(std::move(*key));
    }
  if (!keys.empty() && expires_of(keys) > now) names_.insert_or_assign(std::string(name), std::move(keys));
}

void KnownKeys::forget_expired(WallTime now) {
  std::erase_if(names_, [&](const auto& entry) { return expires_of(entry.second) <= now; });
}

}  // namespace ligase::proof
