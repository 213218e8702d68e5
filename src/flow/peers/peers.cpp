#include "peers/peers.hpp"

#include <fmt/format.h>

#include "peers/learned.hpp"

namespace ligase::peers {
namespace {

constexpr std::string_view kPeer = "peer", kKey = "key";

}  // namespace

Peers::Peers(ground::Ground& ground, pair::Budget& waiting, const std::vector<seams::Memo>& memos)
    : spellings(ground, memos), ground_(ground), waiting_(waiting) {
  for (const seams::Memo& memo : memos) {
    if (memo.kind == kKey) keys_.recall(memo.key, memo.value, ground_.wall());
    if (memo.kind != kPeer || peers_.size() >= kMostPeers) continue;
    if (const auto place = place_of(memo.key))
      read_learned(at(place->first, place->second), memo.value, ground_.wall());
  }
}

Peer& Peers::at(std::string_view host, std::uint16_t port) {
  return peers_
      .try_emplace({std::string(host), port}, std::string(host), port, ground_.rules.limits().queue_per_peer, waiting_)
      .first->second;
}

void Peers::remember(const Peer& peer) {
  std::string text = learned_text(peer, ground_.wall());
  std::string key = fmt::format("{}:{}", peer.host, peer.port);
  if (text.empty()) return ground_.world.store.erase(std::string(kPeer), std::move(key));
  ground_.world.store.put({std::string(kPeer), std::move(key), std::move(text), last_of(peer)});
}

void Peers::clock_was_set_back(std::chrono::seconds by) {
  for (auto& [place, peer] : peers_) shift(peer, -by);
  spellings.clock_was_set_back(by);
}

void Peers::note_key(const proof::Chain& chain, std::string_view name, const Domain& remote) {
  const std::string key = chain.key_fingerprint(), issuer = chain.issuer();
  const proof::KnownKeys::Noted noted = keys_.note(name, key, issuer, ground_.wall());
  if (noted.is_worth_keeping)
    ground_.world.store.put({std::string(kKey), std::string(name), keys_.text_of(name), keys_.expires(name)});
  if (!noted.before) return;
  ground_.log(report::Event(report::Level::warning, "peer_key_changed")
                  .with("remote", remote.text())
                  .with("name", name)
                  .with("key", key)
                  .with("issuer", issuer)
                  .with("known_key", noted.before->key)
                  .with("known_issuer", noted.before->issuer)
                  .with("known_since", rfc3339(noted.before->first_seen)));
}

void Peers::forget(const std::set<const Peer*>& in_use) {
  std::erase_if(peers_, [&](const auto& entry) {
    const Peer& peer = entry.second;
    return !in_use.contains(&peer) && peer.kept_by == 0 && peer.connecting.empty() && peer.waiting.used() == 0 &&
           peer.retry_at <= ground_.now() && (peers_.size() > kMostPeers || !holds_fact(peer, ground_.wall()));
  });
}

}  // namespace ligase::peers
