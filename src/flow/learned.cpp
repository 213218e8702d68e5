// Peers and keys as text and back.
#include "learned.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace ligase {
namespace {

constexpr std::string_view kPeer = "peer", kKey = "key";
constexpr auto kLongest = std::chrono::days(7);  // section 6: 24 h, and 7 d for what kills streams

struct Fact {
  std::string_view word;
  WallTime Peer::*until;
};
constexpr Fact kFacts[] = {
    {"no-extra-targets", &Peer::no_extra_targets_until},
    {"no-extra-senders", &Peer::no_extra_senders_until},
    {"no-external", &Peer::no_external_until},
    {"named-authzid", &Peer::named_authzid_until},
};
constexpr std::string_view kTakesTargets = "takes-targets", kTakesNoTargets = "takes-no-targets";

void append(std::string& text, std::string_view word, WallTime until) {
  text += fmt::format("{}{}={}", text.empty() ? "" : " ", word, until.time_since_epoch().count());
}

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

}  // namespace

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

bool holds_fact(const Peer& peer, WallTime now) {
  return std::ranges::any_of(kFacts, [&](const Fact& fact) { return peer.*fact.until > now; });
}

void remember(Hub& hub, const Peer& peer) {
  std::string text = learned_text(peer, hub.wall());
  std::string key = fmt::format("{}:{}", peer.host, peer.port);
  if (text.empty()) return hub.ground.world.store.erase(std::string(kPeer), std::move(key));
  hub.ground.world.store.put({std::string(kPeer), std::move(key), std::move(text), last_of(peer)});
}

void note_key(Hub& hub, const proof::Chain& chain, std::string_view name, const Domain& remote) {
  const std::string key = chain.key_fingerprint(), issuer = chain.issuer();
  const proof::KnownKeys::Noted noted = hub.keys.note(name, key, issuer, hub.wall());
  if (noted.is_worth_keeping)
    hub.ground.world.store.put({std::string(kKey), std::string(name), hub.keys.text_of(name), hub.keys.expires(name)});
  if (!noted.before) return;
  ++hub.keys_changed;
  hub.log(report::Event(report::Level::warning, "peer_key_changed")
              .with("remote", remote.text())
              .with("name", name)
              .with("key", key)
              .with("issuer", issuer)
              .with("known_key", noted.before->key)
              .with("known_issuer", noted.before->issuer)
              .with("known_since", rfc3339(noted.before->first_seen)));
}

void recall(Hub& hub) {
  for (const seams::Memo& memo : hub.settings.memos) {
    if (memo.kind == kKey) hub.keys.recall(memo.key, memo.value, hub.wall());
    if (memo.kind != kPeer || hub.peers.size() >= kMostPeers) continue;
    if (const auto place = place_of(memo.key))
      read_learned(hub.peer(place->first, place->second), memo.value, hub.wall());
  }
}

}  // namespace ligase
