// What cannot go on: answered where an answer may be sent, counted where not; and whatever waited too long.
#include "route/router.hpp"

#include "base/ensure.hpp"
#include "base/told.hpp"
#include "report/failure.hpp"

namespace ligase::route {
namespace {

constexpr Duration kLinkPatience = 30s;  // COMP-04

}  // namespace

void Router::bounce_to_local(hosting::HostedDomain& to, const pair::Stanza& stanza, const Error& why,
                             const Domain& remote) {
  auto reply = pair::error_reply(stanza, why.reason, report::failure_text(remote, why.reason));
  if (!reply) return owner_.count_drop(why.reason, "an error or an answer that cannot be answered", nullptr);
  if (to.session == nullptr)
    return owner_.count_drop(Reason::link_down, "an error whose receiver is not connected", nullptr);
  write_to(to, *reply, stanza.from);
}

// A stanza that came from a hosted domain is answered there: a hosted domain is never the target of an out pair (AB-210).
void Router::bounce_to_remote(const pair::Stanza& stanza, const Error& why) {
  auto reply = pair::error_reply(stanza, why.reason, told(why.reason));
  const auto local = Domain::parse(split_jid(stanza.to).domain);
  const auto remote = Domain::parse(split_jid(stanza.from).domain);
  if (!reply || !local || !remote || hosted_.find(*local) == nullptr || is_stopping_)
    return owner_.count_drop(why.reason, "a stanza that cannot be answered", nullptr);
  if (hosting::HostedDomain* internal = hosted_.find(*remote)) {
    if (internal->session == nullptr)
      return owner_.count_drop(Reason::link_down, "an error whose receiver is not connected", nullptr);
    return write_to(*internal, *reply, stanza.from);
  }
  pair::Stanza error{stanza.kind, std::move(*reply), stanza.to, stanza.from, stanza.id, "error", {}, ground_.now()};
  route_out_kept({*local, *remote}, std::move(error));
}

void Router::bounce_all(pairs::OutPair& pair, const Error& why) {
  if (!pair.queue) return;
  const std::uint64_t before = pair.queue->bytes();
  const std::vector<pair::Stanza> waiting = pair.queue->take_all();
  count_queued(pair, before);
  hosting::HostedDomain* from = hosted_.find(pair.key.sender);
  for (const pair::Stanza& stanza : waiting)
    if (from != nullptr) bounce_to_local(*from, stanza, why, pair.key.target);
  forget_queue(pair);
}

void Router::bounce_old() {
  for (pairs::OutPair* pair : std::vector<pairs::OutPair*>(queued_.begin(), queued_.end())) {
    const std::uint64_t before = pair->queue->bytes();
    const std::vector<pair::Stanza> old =
        pair->queue->take_older_than(ground_.now() - ground_.rules.limits().queue_age);
    count_queued(*pair, before);
    for (const pair::Stanza& stanza : old)
      if (hosting::HostedDomain* from = hosted_.find(pair->key.sender))
        bounce_to_local(*from, stanza, pair->last_error.value_or(Error{Reason::queue_age, "it waited too long"}),
                        pair->key.target);
    if (pair->queue->is_empty()) forget_queue(*pair);
  }
  for (auto& [name, domain] : hosted_.all()) {
    if (!domain->waiting || domain->session != nullptr) continue;
    const std::uint64_t before = domain->waiting->bytes();
    const std::vector<pair::Stanza> old = domain->waiting->take_older_than(ground_.now() - kLinkPatience);
    queued_total_ -= before - domain->waiting->bytes();
    for (const pair::Stanza& stanza : old)
      bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"});
    if (domain->waiting->is_empty()) domain->waiting.reset();
  }
}

void Router::stop(const Error& why) {
  is_stopping_ = true;
  for (pairs::OutPair* pair : std::vector<pairs::OutPair*>(queued_.begin(), queued_.end())) bounce_all(*pair, why);
}

bool Router::keeps_for_links() const {
  return std::ranges::any_of(hosted_.all(), [](const auto& entry) { return entry.second->waiting != nullptr; });
}

void Router::check() const {
  std::uint64_t total = 0;
  std::map<const peers::Peer*, std::uint64_t> at_peers;
  for (const auto& [key, pair] : out_pairs_.all()) {
    ensure(!hosted_.is_hosted(key.target), "no out pair leads to a hosted domain");
    ensure((pair->queue != nullptr) == queued_.contains(pair.get()),
           "a pair is among the queued as long as it has a queue");
    if (!pair->queue) continue;
    total += pair->queue->bytes();
    if (pair->waits_at != nullptr) at_peers[pair->waits_at] += pair->queue->bytes();
  }
  for (const auto& [peer, bytes] : at_peers) ensure(peer->queued == bytes, "a peer's bytes are the sum of its pairs'");
  for (const auto& [ref, stream] : streams_.all())
    for (const auto& [key, pair] : stream->in_pairs)
      if (pair.held) total += pair.held->bytes();
  for (const auto& [name, domain] : hosted_.all())
    if (domain->waiting) total += domain->waiting->bytes();
  ensure(queued_total_ == total, "the bytes of all queues are their sum");
}

}  // namespace ligase::route
