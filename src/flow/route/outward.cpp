// From a component out to a peer, and what waits on that way.
#include "route/router.hpp"

#include <fmt/format.h>

#include "stream/words.hpp"

namespace ligase::route {
namespace {

constexpr std::size_t kSendHigh = 1u << 20;  // bytes a connection may have queued before pairs keep their own
constexpr Duration kPushBack = 1s;           // how long a filling link may be made to wait (P8)

}  // namespace

std::string_view Router::passed(std::string_view content_ns, const xml::ElementView& element,
                                const xml::Header& header) {
  const xml::Passage passage{&header, content_ns, std::nullopt};
  if (xml::passes_unchanged(element, passage)) return element.bytes;
  scratch_.clear();
  xml::append_passed(scratch_, element, passage);
  return scratch_;
}

pair::Stanza Router::keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                              const xml::Header& header) {
  return pair::keep(element, kind, std::string(passed(content_ns, element, header)), ground_.now());
}

xml::Take Router::from_component(hosting::ComponentLink& link, const xml::ElementView& element,
                                 stream::StanzaKind kind) {
  const Domain& own = *link.machine.domain();
  hosting::HostedDomain& from = *hosted_.find(own.text());
  ++from.stanzas_out;
  ++stanzas_;
  if (!element.from || !element.to) {
    link.end({StreamError::improper_addressing, "a stanza needs a from and a to"},
             {Reason::link_addressing, "a stanza without from or to"});
    return xml::Take::stop;
  }
  const std::string_view sender = split_jid(*element.from).domain;
  if (sender != own.text()) {
    const auto canonical = Domain::parse(sender);
    if (!canonical || *canonical != own) {  // AB-101: sub-domains are other domains (COMP-02)
      link.end({StreamError::invalid_from, fmt::format("this component speaks for {} only", own.text())},
               {Reason::link_foreign_sender, fmt::format("a stanza from another domain than {}", own.text())});
      return xml::Take::stop;
    }
  }
  if (element.cannot_pass) {  // AB-181, AB-010: it costs itself alone, and is answered at the link it came by
    const auto what_to_do = describe(*element.cannot_pass).what_to_do;
    const auto reply =
        pair::error_reply(pair::keep(element, kind, {}, ground_.now()), *element.cannot_pass, what_to_do);
    if (reply) {
      link.write(*reply);
    } else {
      owner_.count_drop(*element.cannot_pass, "a stanza that cannot be answered", nullptr);
    }
    return xml::Take::more;
  }
  std::string_view target = split_jid(*element.to).domain;
  pairs::OutPair* pair = out_pairs_.find({own.text(), target});
  if (pair != nullptr) {
    ++pair->stanzas;
    if (const auto* proven = std::get_if<pair::Proven>(&pair->state)) {
      streams::Stream* out = streams_.find(proven->stream);
      if (out != nullptr && !pair->queue &&
          pair::live_proof(pair->state, out->ref, ground_.rules.epoch(), ground_.wall()) != nullptr &&
          out->connection->queued() < kSendHigh) {
        out->carry(passed(ns::kServer, element, link.machine.peer_header()));
        return xml::Take::more;
      }
    }
    queue_out(*pair, keep_for(ns::kServer, element, kind, link.machine.peer_header()), &link);
    return xml::Take::more;
  }

  pair::Stanza stanza = keep_for(ns::kServer, element, kind, link.machine.peer_header());
  const auto remote = Domain::parse(target);
  if (!remote) {
    const Error why{Reason::name_invalid, "the address is not valid"};
    if (const auto reply = pair::error_reply(stanza, why.reason, why.detail)) link.write(*reply);
    return xml::Take::more;
  }
  if (hosting::HostedDomain* internal = hosted_.find(remote->text())) {
    if (ground_.rules.is_internal_allowed()) {
      deliver_kept(*internal, keep_for(ns::kComponent, element, kind, link.machine.peer_header()));
    } else {
      bounce_to_local(from, stanza,
                      {Reason::policy_internal, std::string(describe(Reason::policy_internal).what_to_do)}, *remote);
    }
    return xml::Take::more;
  }
  const pairs::PairKey key{own, *remote};
  if (out_pairs_.find(key) == nullptr && out_pairs_.size() >= ground_.rules.limits().pairs_total) {
    bounce_to_local(from, stanza, {Reason::limit_reached, "pairs_total"}, *remote);
    return xml::Take::more;
  }
  pairs::OutPair& added = out_pairs_.add(key, ground_.wall());
  owner_.something_waits();
  ++added.stanzas;
  queue_out(added, std::move(stanza), &link);
  return xml::Take::more;
}

void Router::queue_out(pairs::OutPair& pair, pair::Stanza stanza, hosting::ComponentLink* link) {
  hosting::HostedDomain* from = hosted_.find(pair.key.sender.text());
  const auto refuse = [&](const Error& why) {
    if (from != nullptr) bounce_to_local(*from, stanza, why, pair.key.target);
  };
  if (is_stopping_) return refuse({Reason::shutdown, "the gateway is stopping"});
  if (const auto* refused = std::get_if<pair::Refused>(&pair.state);
      refused != nullptr && refused->retry_at > ground_.wall())
    return refuse(refused->why);
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  streams::Stream* out = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  const bool is_live =
      out != nullptr && pair::live_proof(pair.state, out->ref, ground_.rules.epoch(), ground_.wall()) != nullptr;
  if (is_live && !pair.queue && out->connection->queued() < kSendHigh) {
    out->carry(stanza.bytes);
    return;
  }
  const std::uint64_t size = stanza.size(), before = pair.queue ? pair.queue->bytes() : 0;
  const peers::Peer* at = pair.queue ? pair.waits_at : is_live ? out->peer : nullptr;
  const bool is_full = queued_total_ + size > ground_.rules.limits().queue_total ||
                       before + size > ground_.rules.limits().queue_per_pair ||
                       (at != nullptr && at->queued + size > ground_.rules.limits().queue_per_peer);
  if (is_full)
    return refuse(
        {Reason::queue_full, is_live ? "the peer does not read fast enough" : "too much waits for this domain"});
  if (!pair.queue) {
    pair.queue = std::make_unique<pair::Queue>();
    queued_.insert(&pair);
    if (is_live) wait_at(pair, out->peer);
    owner_.something_waits();
  }
  pair.queue->push(std::move(stanza), ground_.rules.limits().queue_per_pair);
  count_queued(pair, before);
  if (!is_live) {
    if (proven != nullptr && proven->proof.expires <= ground_.wall() && !pair.is_being_set_up)
      ground_.log(report::Event(report::Level::info, "pair_expired")
                      .with("direction", "out")
                      .with("local", pair.key.sender.text())
                      .with("remote", pair.key.target.text())
                      .with("proof", proof::name_of(proven->proof.type)));
    if (out != nullptr) out->riding.erase(&pair);
    owner_.set_up(pair);
    return;
  }
  // The peer takes less than the link gives: the link waits, but never for long (AB-120).
  if (link != nullptr && !out->is_stalled && pair.queue->bytes() > ground_.rules.limits().queue_per_pair / 2) {
    link->pause_until(ground_.now() + kPushBack);
    ground_.scope.call_at(ground_.now() + kPushBack, [this, ref = out->ref] {
      if (streams::Stream* slow = streams_.find(ref); slow != nullptr && slow->connection->queued() >= kSendHigh)
        slow->is_stalled = true;
    });
  }
}

void Router::route_out_kept(const pairs::PairKey& key, pair::Stanza stanza) {
  if (out_pairs_.find(key) == nullptr && out_pairs_.size() >= ground_.rules.limits().pairs_total)
    return owner_.count_drop(Reason::limit_reached, "pairs_total", nullptr);
  queue_out(out_pairs_.add(key, ground_.wall()), std::move(stanza), nullptr);
}

void Router::send_next(pairs::OutPair& pair, streams::Stream& session) {
  const std::uint64_t before = pair.queue->bytes();
  const pair::Stanza stanza = pair.queue->pop();
  count_queued(pair, before);
  session.carry(stanza.bytes);
  if (pair.queue->is_empty()) forget_queue(pair);
}

void Router::forget_queue(pairs::OutPair& pair) {
  wait_at(pair, nullptr);
  pair.queue.reset();
  queued_.erase(&pair);
}

void Router::count_queued(pairs::OutPair& pair, std::uint64_t before) {
  const std::uint64_t added = pair.queue->bytes() - before;  // modulo 2^64: it may be less
  queued_total_ += added;
  if (pair.waits_at != nullptr) pair.waits_at->queued += added;
}

void Router::wait_at(pairs::OutPair& pair, peers::Peer* peer) {
  if (!pair.queue) return;
  if (pair.waits_at != nullptr) pair.waits_at->queued -= pair.queue->bytes();
  pair.waits_at = peer;
  if (peer != nullptr) peer->queued += pair.queue->bytes();
}

void Router::drain(pairs::OutPair& pair, streams::Stream& session) {
  while (pair.queue && session.connection->queued() < kSendHigh) send_next(pair, session);
}

void Router::drain(streams::Stream& session) {
  // One stanza of each pair in turn (MUX-11).
  std::vector<pairs::OutPair*> waiting;
  for (pairs::OutPair* pair : queued_)
    if (session.riding.contains(pair) &&
        pair::live_proof(pair->state, session.ref, ground_.rules.epoch(), ground_.wall()) != nullptr)
      waiting.push_back(pair);
  while (!waiting.empty() && session.connection->queued() < kSendHigh) {
    for (pairs::OutPair* pair : waiting) send_next(*pair, session);
    std::erase_if(waiting, [](const pairs::OutPair* pair) { return !pair->queue; });
  }
  if (session.connection->queued() < kSendHigh)
    for (const auto& [number, link] : links_) link->unpause();
}

}  // namespace ligase::route
