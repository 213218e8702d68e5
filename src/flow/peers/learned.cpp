// Peers and keys as text and back.
#include "peers/learned.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ligase::peers {
namespace {

constexpr auto kLongest = std::chrono::days(7);  // section 6: 24 h, and 7 d for what kills streams

struct Fact {
  std::string_view word;
  WallTime Peer::*until;
};
constexpr Fact kFacts[] = {
    {"no-extra-targets", &Peer::no_extra_targets_until}, {"no-extra-senders", &Peer::no_extra_senders_until},
    {"no-external", &Peer::no_external_until},           {"no-certificate", &Peer::no_certificate_until},
    {"named-authzid", &Peer::named_authzid_until},       {"no-bidi", &Peer::no_bidi_until},
};
constexpr std::string_view kTakesTargets = "takes-targets", kTakesNoTargets = "takes-no-targets";

void append(std::string& text, std::string_view word, WallTime until) {
  text += fmt::format("{}{}={}", text.empty() ? "" : " ", word, until.time_since_epoch().count());
}

}  // namespace

WallTime last_of(const Peer& peer) {
  WallTime last = peer.takes_targets ? peer.takes_targets_until : WallTime{};
  for (const Fact& fact : kFacts) last = std::max(last, peer.*fact.until);
  return last;
}

// "host:port"; nullopt: it is neither.
std::optional<std::pair<std::string, std::uint16_t>> place_of(std::string_view key) {
  const std::size_t colon = key.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto host = HostName::parse(key.substr(0, colon));
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(key.data() + colon + 1, key.data() + key.size(), port);
  if (!host || error != std::errc() || end != key.data() + key.size() || port == 0) return std::nullopt;
  return std::pair(std::string(host->text()), port);
}

std::string learned_text(const Peer& peer, WallTime now) {
  std::string text;
  if (peer.takes_targets && peer.takes_targets_until > now)
    append(text, *peer.takes_targets ? kTakesTargets : kTakesNoTargets, peer.takes_targets_until);
  for (const Fact& fact : kFacts)
    if (peer.*fact.until > now) append(text, fact.word, peer.*fact.until);
  return text;
}

void read_learned(Peer& peer, std::string_view text, WallTime now) {
  while (!text.empty()) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) continue;
    std::int64_t seconds = 0;
    const auto [end, error] = std::from_chars(word.data() + equals + 1, word.data() + word.size(), seconds);
    if (error != std::errc() || end != word.data() + word.size()) continue;
    if (seconds <= now.time_since_epoch().count()) continue;
    const WallTime until = std::min(WallTime(std::chrono::seconds(seconds)), WallTime(now + kLongest));
    const std::string_view name = word.substr(0, equals);
    if (name == kTakesTargets || name == kTakesNoTargets) {
      peer.takes_targets = name == kTakesTargets;
      peer.takes_targets_until = until;
    }
    for (const Fact& fact : kFacts)
      if (name == fact.word) peer.*fact.until = until;
  }
}

void shift(Peer& peer, std::chrono::seconds by) {
  peer.takes_targets_until += by;
  for (const Fact& fact : kFacts)
    if (peer.*fact.until != WallTime{}) peer.*fact.until += by;
}

bool holds_fact(const Peer& peer, WallTime now) {
  return std::ranges::any_of(kFacts, [&](const Fact& fact) { return peer.*fact.until > now; });
}

}  // namespace ligase::peers
