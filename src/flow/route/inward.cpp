// From a peer in to a component: at once where the pair lives on this stream, else as MUX-08 and MUX-09 say.
#include "route/router.hpp"

#include <fmt/format.h>

#include "base/on_leaving.hpp"
#include "pair/arrival.hpp"
#include "stream/words.hpp"

namespace ligase::route {
namespace {

pair::Source source_of(const streams::Stream& stream) { return pair::Source{stream.ref.number}; }
xml::Take taken_from(const streams::Stream& stream) { return stream.is_held() ? xml::Take::stop : xml::Take::more; }

}  // namespace

xml::Take Router::from_peer(streams::Stream& session, const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_;
  if (session.is_ours() && !session.machine.is_bidi()) {  // then nothing comes back on it
    owner_.count_drop(Reason::unsolicited, "a stanza on a stream that we opened", &session);
    return xml::Take::more;
  }
  if (!element.from || !element.to) return misaddressed(session, element, kind);
  const std::string_view sender = split_jid(*element.from).domain, target = split_jid(*element.to).domain;
  if (!session.machine.flow()) return pass_in(session, element, kind, {sender, target});
  if (!receive(session, {sender, target}, element.bytes.size())) {
    session.end(
        {StreamError::policy_violation, "there was no credit for a stanza of this pair"},
        {Reason::stream_protocol, fmt::format("a stanza from {} to {} that there was no credit for", sender, target)});
    return xml::Take::stop;
  }
  xml::Take take = xml::Take::stop;
  {
    const OnLeaving passed_on([this] { receipt_ = {}; });  // by what is thrown too
    take = pass_in(session, element, kind, {sender, target});
  }
  give_credit();
  return take;
}

xml::Take Router::pass_in(streams::Stream& session, const xml::ElementView& element, stream::StanzaKind kind,
                          const pairs::PairView& pair) {
  const auto& [sender, target] = pair;
  if (session.is_ours()) {  // the usual case there; one that was claimed in reverse is among the in_pairs
    pairs::OutPair* own = out_pairs_.find({target, sender});
    if (own != nullptr && is_live_in_reverse(*own, session)) return in_reverse(session, *own, element, kind, nullptr);
  }
  const auto found = session.in_pairs.find(pair);
  if (found == session.in_pairs.end() || found->second.held ||
      ground_.live_proof(found->second.life, session.ref) == nullptr)
    return arrival(session, element, kind);
  hosting::HostedDomain* to = hosted_.find(target);
  if (to == nullptr) return arrival(session, element, kind);
  ++found->second.stanzas;
  deliver(*to, element, kind, session.machine.peer_header(), source_of(session));
  return taken_from(session);
}

// D-11: the sender's dialback towards some target of this stream holds now, under today's policy.
bool Router::lives_by_dialback(const streams::Stream& session, const Domain& sender,
                               const streams::SenderRecord& record) const {
  if (!record.dialback_target) return false;
  const auto found = session.in_pairs.find(pairs::PairKey{sender, *record.dialback_target});
  return found != session.in_pairs.end() && ground_.live_proof(found->second.life, session.ref) != nullptr;
}

// D-11: nothing but a proof that holds now counts; an address is no identity.
bool Router::own_pair_lives(const pairs::PairKey& inbound) {
  const pairs::OutPair* own = out_pairs_.find(pairs::PairKey{inbound.target, inbound.sender});
  if (own == nullptr) return false;
  const auto* proven = own->life.as<pair::Life::Proven>();
  const streams::Stream* out = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  return out != nullptr && ground_.live_proof(own->life, out->ref) != nullptr;
}

bool Router::lives_here(const streams::Stream& session, const pairs::PairKey& in) {
  const auto pair = session.in_pairs.find(in);
  if (pair != session.in_pairs.end() && ground_.live_proof(pair->second.life, session.ref) != nullptr) return true;
  const pairs::OutPair* own = session.machine.is_bidi() ? out_pairs_.find(in.reversed()) : nullptr;
  return own != nullptr && is_live_in_reverse(*own, session);
}

// RFC 6120 §4.9.3.7 allows to end the stream; one that thousands of pairs share lives on, and a peer that could name no sender
// or no receiver is no danger to them (P8, AB-186). Its sender is told where he may speak to who seems to be meant.
xml::Take Router::misaddressed(streams::Stream& session, const xml::ElementView& element, stream::StanzaKind kind) {
  if (!session.machine.is_proven()) {
    session.end({StreamError::improper_addressing, "a stanza needs a valid from and to"},
                {Reason::stream_protocol, "a stanza whose from or to is missing or no address"});
    return xml::Take::stop;
  }
  const auto from = Domain::parse(split_jid(element.from.value_or(std::string_view{})).domain);
  const auto to = element.to ? Domain::parse(domain_meant(*element.to)) : Result<Domain>(*session.machine.local());
  if (from && to) {
    const pairs::PairKey key{*from, *to};
    if (lives_here(session, key)) {
      pair::Stanza stanza = pair::keep(element, kind, {}, ground_.now());
      stanza.to = to->unicode();  // an error's own addresses must be some
      bounce_to_remote(stanza, {Reason::name_invalid, "the address is not valid"}, source_of(session));
      return taken_from(session);
    }
  }
  owner_.count_drop(Reason::name_invalid, "a stanza whose from or to is missing or no address", &session);
  return xml::Take::more;
}

// A stanza that the fast path did not pass: not canonical, not (or no longer) proven here, or not hosted (MUX-08).
xml::Take Router::arrival(streams::Stream& session, const xml::ElementView& element, stream::StanzaKind kind) {
  const auto from = Domain::parse(split_jid(*element.from).domain);
  const auto to = Domain::parse(split_jid(*element.to).domain);
  if (!from || !to) return misaddressed(session, element, kind);
  const pairs::PairKey key{*from, *to};
  hosting::HostedDomain* target = hosted_.find(*to);
  const auto found = session.in_pairs.find(key);
  if (target != nullptr && found != session.in_pairs.end()) {
    pairs::InPair& pair = found->second;
    if (!pair.held && ground_.live_proof(pair.life, session.ref) != nullptr) {
      ++pair.stanzas;
      deliver(*target, element, kind, session.machine.peer_header(), source_of(session), &key);
      return taken_from(session);
    }
    if (element.cannot_pass) {  // whether its sender may be answered is not known now
      owner_.count_drop(*element.cannot_pass, "of a pair that is being proven", &session);
      return xml::Take::more;
    }
    pair::Stanza stanza = keep_for(ns::kComponent, element, kind, session.machine.peer_header(), &key);
    if (const auto* refused = pair.life.resting(ground_.now())) {
      bounce_to_remote(stanza, refused->why, source_of(session));
      return taken_from(session);
    }
    // Its proof ran out, or the policy is another one: proven anew before anything passes (MUX-09).
    hold(session, found->first, pair, std::move(stanza));
    owner_.prove_anew(session, found->first, pair);
    return taken_from(session);
  }
  if (session.machine.is_bidi() && found == session.in_pairs.end()) {
    pairs::OutPair* own = out_pairs_.find(key.reversed());
    if (own != nullptr && is_live_in_reverse(*own, session)) return in_reverse(session, *own, element, kind, &key);
    if (waits_in_reverse(session, element, kind, key)) return taken_from(session);
  }
  // On a stream that we opened what is not proven costs itself: no error goes to whom it might not come from, and what lives
  // there is ours.
  const auto drop = [&](std::string_view what) {
    owner_.count_drop(Reason::sender_not_proven, what, &session);
    return xml::Take::more;
  };
  if (!session.machine.is_proven()) {  // AB-025, AB-071
    if (session.is_ours()) return drop("a stanza before any proof");
    session.end({StreamError::not_authorized, "no domain was proven on this stream yet"},
                {Reason::sender_not_proven, fmt::format("a stanza from {} before any proof", from->text())});
    return xml::Take::stop;
  }

  pair::Arrival arrival;
  const auto sender = session.senders.find(*from);
  if (sender != session.senders.end()) {
    if (sender->second.live_proof(ground_.rules.epoch(), ground_.wall()) != nullptr) {
      arrival.sender = pair::SenderProof::certificate;
    } else if (lives_by_dialback(session, sender->first, sender->second)) {
      arrival.sender = pair::SenderProof::dialback;
    }
  }
  arrival.target_is_hosted = target != nullptr;
  arrival.target_was_hosted = hosted_.was_hosted(*to);
  arrival.own_pair_lives = own_pair_lives(key);
  const bool is_full =
      session.in_pairs.size() >= ground_.rules.limits().pairs_per_stream || !streams_.may_remember(session);
  switch (pair::judge_arrival(arrival)) {
    case pair::Verdict::prove_and_deliver:
      if (is_full) {
        bounce_to_remote(keep_for(ns::kComponent, element, kind, session.machine.peer_header(), &key),
                         {Reason::limit_reached, "pairs_per_stream"}, source_of(session));
        return taken_from(session);
      }
      ++owner_.grant(session, key, **sender->second.verdict).stanzas;
      deliver(*target, element, kind, session.machine.peer_header(), source_of(session), &key);
      return taken_from(session);
    case pair::Verdict::deliver:
      deliver(*target, element, kind, session.machine.peer_header(), source_of(session), &key);
      return taken_from(session);
    case pair::Verdict::judge_certificate:
      if (is_full || element.cannot_pass) {
        owner_.count_drop(element.cannot_pass.value_or(Reason::limit_reached), "unproven_reply", &session);
      } else {
        const auto added = session.in_pairs.try_emplace(key).first;
        added->second.counted = streams_.remembered.count(session.site());
        hold(session, added->first, added->second,
             keep_for(ns::kComponent, element, kind, session.machine.peer_header(), &key));
        owner_.prove_anew(session, added->first, added->second);
      }
      return taken_from(session);
    case pair::Verdict::refuse_stanza:
      bounce_to_remote(keep_for(ns::kComponent, element, kind, session.machine.peer_header(), &key),
                       {Reason::sender_not_proven,
                        fmt::format("{} is not proven towards {} on this stream", from->text(), to->text())},
                       source_of(session));
      return taken_from(session);
    case pair::Verdict::drop:
      owner_.count_drop(Reason::host_unknown, "a stanza for a domain that was hosted here until lately", &session);
      return xml::Take::more;
    case pair::Verdict::close_host_unknown:
      if (session.is_ours()) return drop("a stanza for a domain that is not hosted here");
      session.end({StreamError::host_unknown, fmt::format("{} is not hosted here", to->text())},
                  {Reason::host_unknown, fmt::format("a stanza to {}, which is not hosted here", to->text())});
      return xml::Take::stop;
    case pair::Verdict::close_invalid_from:
      if (session.is_ours()) return drop("unproven_reply");
      break;
  }
  session.end(
      {StreamError::invalid_from, fmt::format("{} was not proven on this stream", from->text())},
      {Reason::sender_not_proven, fmt::format("a stanza from {}, which is not proven on this stream", from->text())});
  return xml::Take::stop;
}

void Router::hold(streams::Stream& session, const pairs::PairKey& key, pairs::InPair& pair, pair::Stanza stanza) {
  const auto find = [this, ref = session.ref, key]() -> pair::Backlog* {
    streams::Stream* stream = streams_.find(ref);
    const auto found = stream != nullptr ? stream->in_pairs.find(key) : pairs::InPairs::iterator{};
    return stream == nullptr || found == stream->in_pairs.end() ? nullptr : found->second.held.get();
  };
  const Keeping keeping(*this, pair.held);
  // It was never anybody's: nobody waits for it, and nobody is told (MUX-08).
  if (pair.life.as<pair::Life::Unproven>() != nullptr) {
    if (!pair.held->queue.push(stanza, ground_.rules.limits().queue_per_pair))
      owner_.count_drop(Reason::queue_full, "unproven_reply", &session);
    return;
  }
  if (!keep_in(*pair.held, stanza, ground_.rules.limits().queue_per_pair, source_of(session), find))
    bounce_to_remote(stanza, {Reason::queue_full, "this pair is being proven anew"}, source_of(session));
}

std::vector<pair::Stanza> Router::take_held(pairs::InPair& pair) {
  if (!pair.held) return {};
  go_on(pair.held->brake.has_emptied());
  std::vector<pair::Stanza> held = pair.held->queue.take_all();
  pair.held.reset();
  return held;
}

bool Router::takes_now(const hosting::HostedDomain& to) const {
  return to.session != nullptr && to.leaving == 0 && !to.waiting &&
         to.session->connection->queued() <= seams::kHighMark;
}

void Router::write_to(hosting::HostedDomain& to, std::string_view bytes, std::string_view jid) {
  ++to.stanzas_in;
  ++to.session->stanzas_out;
  to.session->write(addressed(bytes, jid, to.domain, to.session->machine.labels()));
}

void Router::deliver(hosting::HostedDomain& to, const xml::ElementView& element, stream::StanzaKind kind,
                     const xml::Header& header, pair::Source source, const pairs::PairKey* canonical) {
  if (element.cannot_pass)  // AB-181, AB-010: it costs itself alone
    return bounce_to_remote(pair::keep(element, kind, {}, ground_.now()), Error{*element.cannot_pass, {}}, source);
  if (takes_now(to)) return write_to(to, passed(ns::kComponent, element, header, canonical), *element.to);
  deliver_kept(to, keep_for(ns::kComponent, element, kind, header, canonical), source);
}

void Router::deliver_kept(hosting::HostedDomain& to, pair::Stanza stanza, pair::Source source) {
  if (takes_now(to)) return write_to(to, stanza.bytes, stanza.to);
  if (to.session == nullptr && (stanza.kind == stream::StanzaKind::iq || is_stopping_))  // COMP-04
    return bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"}, source);
  const Keeping keeping(*this, to.waiting);
  if (to.session == nullptr) to.waiting->brake.expect_nothing();
  if (keep_in(*to.waiting, stanza, ground_.rules.limits().queue_per_link, source, finder(to)))
    return owner_.something_waits();
  bounce_to_remote(stanza, {Reason::queue_full, "the domain's server does not take more"}, source);
}

void Router::drain(hosting::ComponentLink& link) {
  hosting::HostedDomain* domain = link.machine.domain() ? hosted_.find(*link.machine.domain()) : nullptr;
  if (domain == nullptr || domain->session != &link || domain->leaving != 0 || !domain->waiting) return;
  pair::Queue& waiting = domain->waiting->queue;
  while (!waiting.is_empty() && link.connection->queued() <= seams::kHighMark) {
    const pair::Stanza stanza = waiting.pop();
    eased(*domain->waiting, ground_.rules.limits().queue_per_link);
    write_to(*domain, stanza.bytes, stanza.to);
  }
  if (waiting.is_empty()) {
    go_on(domain->waiting->brake.has_emptied());
    domain->waiting.reset();
  }
  give_credit();
}

}  // namespace ligase::route
