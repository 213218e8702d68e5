// A stanza's way: from a component out to a peer, from a peer in to a component, and back as an error where it cannot
// go. The fast path of each direction finds its pair by the text of the addresses, asks live_proof(), and passes the
// very bytes on. Whatever else happens is in the slow path behind it.
#include <fmt/format.h>

#include "claims.hpp"
#include "hub.hpp"
#include "stream/words.hpp"
#include "xml/writer.hpp"

namespace ligase {
namespace {

constexpr std::size_t kSendHigh = 1u << 20;  // bytes a connection may have queued before pairs keep their own
constexpr std::size_t kLinkHigh = 4u << 20;
constexpr Duration kPushBack = 1s;  // how long a filling link may be made to wait (P8)

}  // namespace

std::string_view Hub::passed(std::string_view content_ns, const xml::ElementView& element, const xml::Header& header) {
  const xml::Passage passage{&header, content_ns, std::nullopt};
  if (xml::passes_unchanged(element, passage)) return element.bytes;
  scratch_.clear();
  xml::append_passed(scratch_, element, passage);
  return scratch_;
}

pair::Stanza Hub::keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                           const xml::Header& header) {
  return pair::keep(element, kind, std::string(passed(content_ns, element, header)), now());
}

// ---- out

xml::Take Hub::from_component(LinkSession& link, const xml::ElementView& element, stream::StanzaKind kind) {
  const Domain& own = *link.machine.domain();
  HostedDomain& from = *hosted(own.text());
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
  std::string_view target = split_jid(*element.to).domain;
  OutPair* pair = find_out_pair({own.text(), target});
  if (pair != nullptr) {
    ++pair->stanzas;
    if (const auto* proven = std::get_if<pair::Proven>(&pair->state)) {
      Session* out = session(proven->stream);
      if (out != nullptr && !pair->queue &&
          pair::live_proof(pair->state, out->ref, ground.rules.epoch(), wall()) != nullptr &&
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
  if (HostedDomain* internal = hosted(remote->text())) {
    if (ground.rules.is_internal_allowed()) {
      deliver_kept(*internal, keep_for(ns::kComponent, element, kind, link.machine.peer_header()));
    } else {
      bounce_to_local(from, stanza,
                      {Reason::policy_internal, std::string(describe(Reason::policy_internal).what_to_do)}, *remote);
    }
    return xml::Take::more;
  }
  const PairKey key{own, *remote};
  if (find_out_pair(key) == nullptr && out_pairs.size() >= ground.rules.limits().pairs_total) {
    bounce_to_local(from, stanza, {Reason::limit_reached, "pairs_total"}, *remote);
    return xml::Take::more;
  }
  OutPair& added = out_pair(key);
  ++added.stanzas;
  queue_out(added, std::move(stanza), &link);
  return xml::Take::more;
}

void Hub::queue_out(OutPair& pair, pair::Stanza stanza, LinkSession* link) {
  HostedDomain* from = hosted(pair.key.sender.text());
  const auto refuse = [&](const Error& why) {
    if (from != nullptr) bounce_to_local(*from, stanza, why, pair.key.target);
  };
  if (is_stopping) return refuse({Reason::shutdown, "the gateway is stopping"});
  if (const auto* refused = std::get_if<pair::Refused>(&pair.state); refused != nullptr && refused->retry_at > wall())
    return refuse(refused->why);
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  Session* out = proven != nullptr ? session(proven->stream) : nullptr;
  const bool is_live =
      out != nullptr && pair::live_proof(pair.state, out->ref, ground.rules.epoch(), wall()) != nullptr;
  if (is_live && !pair.queue && out->connection->queued() < kSendHigh) {
    out->carry(stanza.bytes);
    return;
  }
  const std::uint64_t size = stanza.size(), before = pair.queue ? pair.queue->bytes() : 0;
  const Peer* at = pair.queue ? pair.waits_at : is_live ? out->peer : nullptr;
  const bool is_full = queued_total_ + size > ground.rules.limits().queue_total ||
                       before + size > ground.rules.limits().queue_per_pair ||
                       (at != nullptr && at->queued + size > ground.rules.limits().queue_per_peer);
  if (is_full)
    return refuse(
        {Reason::queue_full, is_live ? "the peer does not read fast enough" : "too much waits for this domain"});
  if (!pair.queue) {
    pair.queue = std::make_unique<pair::Queue>();
    queued_.insert(&pair);
    if (is_live) wait_at(pair, out->peer);
    schedule_sweep();
  }
  pair.queue->push(std::move(stanza), ground.rules.limits().queue_per_pair);
  count_queued(pair, before);
  if (!is_live) {
    if (proven != nullptr && proven->proof.expires <= wall() && !pair.is_being_set_up)
      log(report::Event(report::Level::info, "pair_expired")
              .with("direction", "out")
              .with("local", pair.key.sender.text())
              .with("remote", pair.key.target.text())
              .with("proof", proof::name_of(proven->proof.type)));
    if (out != nullptr) out->riding.erase(&pair);
    set_up(pair);
    return;
  }
  // The peer takes less than the link gives: the link waits, but never for long (AB-120).
  if (link != nullptr && !out->is_stalled && pair.queue->bytes() > ground.rules.limits().queue_per_pair / 2) {
    link->pause_until(now() + kPushBack);
    ground.scope.call_at(now() + kPushBack, [this, ref = out->ref] {
      if (Session* slow = this->session(ref); slow != nullptr && slow->connection->queued() >= kSendHigh)
        slow->is_stalled = true;
    });
  }
}

void Hub::route_out_kept(const PairKey& key, pair::Stanza stanza) {
  if (find_out_pair(key) == nullptr && out_pairs.size() >= ground.rules.limits().pairs_total)
    return count_drop(Reason::limit_reached, "pairs_total", nullptr);
  queue_out(out_pair(key), std::move(stanza), nullptr);
}

void Hub::send_next(OutPair& pair, Session& session) {
  const std::uint64_t before = pair.queue->bytes();
  const pair::Stanza stanza = pair.queue->pop();
  count_queued(pair, before);
  session.carry(stanza.bytes);
  if (pair.queue->is_empty()) forget_queue(pair);
}

void Hub::forget_queue(OutPair& pair) {
  wait_at(pair, nullptr);
  pair.queue.reset();
  queued_.erase(&pair);
}

void Hub::count_queued(OutPair& pair, std::uint64_t before) {
  const std::uint64_t added = pair.queue->bytes() - before;  // modulo 2^64: it may be less
  queued_total_ += added;
  if (pair.waits_at != nullptr) pair.waits_at->queued += added;
}

void Hub::wait_at(OutPair& pair, Peer* peer) {
  if (!pair.queue) return;
  if (pair.waits_at != nullptr) pair.waits_at->queued -= pair.queue->bytes();
  pair.waits_at = peer;
  if (peer != nullptr) peer->queued += pair.queue->bytes();
}

void Hub::drain(OutPair& pair, Session& session) {
  while (pair.queue && session.connection->queued() < kSendHigh) send_next(pair, session);
}

void Hub::drain(Session& session) {
  // One stanza of each pair in turn (MUX-11).
  std::vector<OutPair*> waiting;
  for (OutPair* pair : queued_)
    if (session.riding.contains(pair) &&
        pair::live_proof(pair->state, session.ref, ground.rules.epoch(), wall()) != nullptr)
      waiting.push_back(pair);
  while (!waiting.empty() && session.connection->queued() < kSendHigh) {
    for (OutPair* pair : waiting) send_next(*pair, session);
    std::erase_if(waiting, [](const OutPair* pair) { return !pair->queue; });
  }
  if (session.connection->queued() < kSendHigh)
    for (const auto& [number, link] : links) link->unpause();
}

// ---- in

xml::Take Hub::from_peer(Session& session, const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_;
  if (session.machine.role() == Role::initiating) {  // without bidi nothing comes back on a stream of ours
    count_drop(Reason::unsolicited, "a stanza on a stream that we opened", &session);
    return xml::Take::more;
  }
  if (!element.from || !element.to) {
    session.end({StreamError::improper_addressing, "a stanza needs a from and a to"},
                {Reason::stream_protocol, "a stanza without from or to"});
    return xml::Take::stop;
  }
  const std::string_view target = split_jid(*element.to).domain;
  const auto found = session.in_pairs.find(PairView{split_jid(*element.from).domain, target});
  if (found == session.in_pairs.end() || found->second.held ||
      pair::live_proof(found->second.state, session.ref, ground.rules.epoch(), wall()) == nullptr)
    return arrival(session, element, kind);
  HostedDomain* to = hosted(target);
  if (to == nullptr) return arrival(session, element, kind);
  ++found->second.stanzas;
  deliver(*to, element, kind, session.machine.peer_header());
  return xml::Take::more;
}

bool Hub::own_pair_lives_at(const PairKey& inbound, const Session& session) {
  const OutPair* own = find_out_pair({inbound.target.text(), inbound.sender.text()});
  if (own == nullptr) return false;
  const auto* proven = std::get_if<pair::Proven>(&own->state);
  const Session* out = proven != nullptr ? this->session(proven->stream) : nullptr;
  if (out == nullptr) return false;
  const bool same_key = out->facts.peer_chain && session.facts.peer_chain &&
                        out->facts.peer_chain->fingerprint() == session.facts.peer_chain->fingerprint();
  return same_key || out->connection->remote().address == session.connection->remote().address;
}

// A stanza that the fast path did not pass: not canonical, not (or no longer) proven here, or not hosted (MUX-08).
xml::Take Hub::arrival(Session& session, const xml::ElementView& element, stream::StanzaKind kind) {
  const auto from = Domain::parse(split_jid(*element.from).domain);
  const auto to = Domain::parse(split_jid(*element.to).domain);
  if (!from || !to) {
    session.end({StreamError::improper_addressing, "a stanza's from and to need valid domains"},
                {Reason::stream_protocol, "a stanza whose from or to has no valid domain"});
    return xml::Take::stop;
  }
  const PairKey key{*from, *to};
  HostedDomain* target = hosted(to->text());
  const auto found = session.in_pairs.find(key);
  if (target != nullptr && found != session.in_pairs.end()) {
    InPair& pair = found->second;
    if (!pair.held && pair::live_proof(pair.state, session.ref, ground.rules.epoch(), wall()) != nullptr) {
      ++pair.stanzas;
      deliver(*target, element, kind, session.machine.peer_header());
      return xml::Take::more;
    }
    pair::Stanza stanza = keep_for(ns::kComponent, element, kind, session.machine.peer_header());
    if (const auto* refused = std::get_if<pair::Refused>(&pair.state);
        refused != nullptr && refused->retry_at > wall() && !pair.is_being_proven) {
      bounce_to_remote(stanza, refused->why);
      return xml::Take::more;
    }
    // Its proof ran out, or the policy is another one: proven anew before anything passes (MUX-09).
    hold(session, pair, std::move(stanza));
    prove_anew(session, found->first, pair);
    return xml::Take::more;
  }
  if (!session.machine.is_proven()) {  // AB-025, AB-071
    session.end({StreamError::not_authorized, "no domain was proven on this stream yet"},
                {Reason::sender_not_proven, fmt::format("a stanza from {} before any proof", from->text())});
    return xml::Take::stop;
  }

  pair::Arrival arrival;
  const auto sender = session.senders.find(*from);
  if (sender != session.senders.end()) {
    if (sender->second.live_proof(ground.rules.epoch(), wall()) != nullptr) {
      arrival.sender = pair::SenderProof::certificate;
    } else if (sender->second.is_proven_by_dialback) {
      arrival.sender = pair::SenderProof::dialback;
    }
  }
  arrival.target_is_hosted = target != nullptr;
  arrival.own_pair_lives = own_pair_lives_at(key, session);
  const bool is_full = session.in_pairs.size() >= ground.rules.limits().pairs_per_stream;
  switch (pair::judge_arrival(arrival)) {
    case pair::Verdict::prove_and_deliver:
      if (is_full) {
        bounce_to_remote(keep_for(ns::kComponent, element, kind, session.machine.peer_header()),
                         {Reason::limit_reached, "pairs_per_stream"});
        return xml::Take::more;
      }
      ++grant(session, key, **sender->second.verdict).stanzas;
      deliver(*target, element, kind, session.machine.peer_header());
      return xml::Take::more;
    case pair::Verdict::deliver:
      deliver(*target, element, kind, session.machine.peer_header());
      return xml::Take::more;
    case pair::Verdict::judge_certificate:
      if (is_full) {
        count_drop(Reason::limit_reached, "unproven_reply", &session);
      } else {
        const auto added = session.in_pairs.try_emplace(key).first;
        hold(session, added->second, keep_for(ns::kComponent, element, kind, session.machine.peer_header()));
        prove_anew(session, added->first, added->second);
      }
      return xml::Take::more;
    case pair::Verdict::refuse_stanza:
      bounce_to_remote(keep_for(ns::kComponent, element, kind, session.machine.peer_header()),
                       {Reason::sender_not_proven,
                        fmt::format("{} is not proven towards {} on this stream", from->text(), to->text())});
      return xml::Take::more;
    case pair::Verdict::refuse_host:
    case pair::Verdict::close_host_unknown:
      session.end({StreamError::host_unknown, fmt::format("{} is not hosted here", to->text())},
                  {Reason::host_unknown, fmt::format("a stanza to {}, which is not hosted here", to->text())});
      return xml::Take::stop;
    case pair::Verdict::close_invalid_from:
      break;
  }
  session.end(
      {StreamError::invalid_from, fmt::format("{} was not proven on this stream", from->text())},
      {Reason::sender_not_proven, fmt::format("a stanza from {}, which is not proven on this stream", from->text())});
  return xml::Take::stop;
}

void Hub::hold(Session& session, InPair& pair, pair::Stanza stanza) {
  const std::uint64_t size = stanza.size();
  if (!pair.held) pair.held = std::make_unique<pair::Queue>();
  if (queued_total_ + size <= ground.rules.limits().queue_total &&
      pair.held->bytes() + size <= ground.rules.limits().queue_per_pair) {
    pair.held->push(std::move(stanza), ground.rules.limits().queue_per_pair);
    queued_total_ += size;
  } else if (std::holds_alternative<pair::Proving>(pair.state)) {  // it was never anybody's
    count_drop(Reason::queue_full, "unproven_reply", &session);
  } else {
    bounce_to_remote(stanza, {Reason::queue_full, "this pair is being proven anew"});
  }
}

std::vector<pair::Stanza> Hub::take_held(InPair& pair) {
  if (!pair.held) return {};
  queued_total_ -= pair.held->bytes();
  std::vector<pair::Stanza> held = pair.held->take_all();
  pair.held.reset();
  return held;
}

bool Hub::takes_now(const HostedDomain& to) const {
  return to.session != nullptr && !to.waiting && to.session->connection->queued() < kLinkHigh;
}

void Hub::write_to(HostedDomain& to, std::string_view bytes) {
  ++to.stanzas_in;
  ++to.session->stanzas_out;
  to.session->write(bytes);
}

void Hub::deliver(HostedDomain& to, const xml::ElementView& element, stream::StanzaKind kind,
                  const xml::Header& header) {
  if (takes_now(to)) return write_to(to, passed(ns::kComponent, element, header));
  deliver_kept(to, keep_for(ns::kComponent, element, kind, header));
}

void Hub::deliver_kept(HostedDomain& to, pair::Stanza stanza) {
  if (takes_now(to)) return write_to(to, stanza.bytes);
  if (to.session == nullptr && (stanza.kind == stream::StanzaKind::iq || is_stopping))  // COMP-04
    return bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"});
  const std::uint64_t size = stanza.size();
  if ((to.waiting ? to.waiting->bytes() : 0) + size > ground.rules.limits().queue_per_link ||
      queued_total_ + size > ground.rules.limits().queue_total)
    return bounce_to_remote(stanza, {Reason::queue_full, "the domain's server does not take more"});
  if (!to.waiting) to.waiting = std::make_unique<pair::Queue>();
  to.waiting->push(std::move(stanza), ground.rules.limits().queue_per_link);
  queued_total_ += size;
  schedule_sweep();
}

void Hub::drain_link(LinkSession& link) {
  HostedDomain* domain = link.machine.domain() ? hosted(link.machine.domain()->text()) : nullptr;
  if (domain == nullptr || domain->session != &link || !domain->waiting) return;
  while (!domain->waiting->is_empty() && link.connection->queued() < kLinkHigh) {
    const pair::Stanza stanza = domain->waiting->pop();
    queued_total_ -= stanza.size();
    write_to(*domain, stanza.bytes);
  }
  if (domain->waiting->is_empty()) domain->waiting.reset();
}

// ---- errors

void Hub::bounce_to_local(HostedDomain& to, const pair::Stanza& stanza, const Error& why, const Domain& remote) {
  auto reply = pair::error_reply(stanza, why.reason, report::failure_text(remote, why));
  if (!reply) return count_drop(why.reason, "an error or an answer that cannot be answered", nullptr);
  if (to.session == nullptr) return count_drop(Reason::link_down, "an error whose receiver is not connected", nullptr);
  write_to(to, *reply);
}

// A stanza that came from a hosted domain is answered there: a hosted domain is never the target of an out pair (AB-210).
void Hub::bounce_to_remote(const pair::Stanza& stanza, const Error& why) {
  auto reply = pair::error_reply(stanza, why.reason, why.detail);
  const auto local = Domain::parse(split_jid(stanza.to).domain);
  const auto remote = Domain::parse(split_jid(stanza.from).domain);
  if (!reply || !local || !remote || hosted(local->text()) == nullptr || is_stopping)
    return count_drop(why.reason, "a stanza that cannot be answered", nullptr);
  if (HostedDomain* internal = hosted(remote->text())) {
    if (internal->session == nullptr)
      return count_drop(Reason::link_down, "an error whose receiver is not connected", nullptr);
    return write_to(*internal, *reply);
  }
  pair::Stanza error{stanza.kind, std::move(*reply), stanza.to, stanza.from, stanza.id, "error", {}, now()};
  route_out_kept({*local, *remote}, std::move(error));
}

void Hub::bounce_all(OutPair& pair, const Error& why) {
  if (!pair.queue) return;
  const std::uint64_t before = pair.queue->bytes();
  const std::vector<pair::Stanza> waiting = pair.queue->take_all();
  count_queued(pair, before);
  HostedDomain* from = hosted(pair.key.sender.text());
  for (const pair::Stanza& stanza : waiting)
    if (from != nullptr) bounce_to_local(*from, stanza, why, pair.key.target);
  forget_queue(pair);
}

}  // namespace ligase
