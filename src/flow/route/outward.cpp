// From a component out to a peer, and what waits on that way.
#include "route/router.hpp"

#include <fmt/format.h>

#include "base/told.hpp"
#include "stream/words.hpp"

namespace ligase::route {
namespace {

void set_domain(std::string& element, std::string_view attribute, std::string_view jid, const Domain& domain) {
  if (split_jid(jid).domain != domain.unicode())
    xml::set_attribute(element, attribute, with_domain(jid, domain.unicode()));
}

}  // namespace

std::string_view Router::passed(std::string_view content_ns, const xml::ElementView& element, const xml::Header& header,
                                const pairs::PairKey* canonical) {
  const xml::Passage passage{&header, content_ns, std::nullopt};
  if (canonical == nullptr && xml::passes_unchanged(element, passage)) return element.bytes;
  scratch_.clear();
  xml::append_passed(scratch_, element, passage);
  if (canonical != nullptr) {  // one domain is one identity, however it was written (NAME-01, AB-187)
    set_domain(scratch_, "from", element.from.value_or(std::string_view{}), canonical->sender);
    set_domain(scratch_, "to", element.to.value_or(std::string_view{}), canonical->target);
  }
  return scratch_;
}

pair::Stanza Router::keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                              const xml::Header& header, const pairs::PairKey* canonical) {
  pair::Stanza kept =
      element.cannot_pass
          ? pair::keep(element, kind, {}, ground_.now())
          : pair::keep(element, kind, std::string(passed(content_ns, element, header, canonical)), ground_.now());
  kept.receipt = std::move(receipt_);
  return kept;
}

std::string_view Router::addressed(std::string_view bytes, std::string_view to, const Domain& target, Labels labels) {
  if (labels == Labels::unicode) return bytes;
  readdressed_ = bytes;
  xml::set_attribute(readdressed_, "to", with_domain(to, target.as(labels)));
  return readdressed_;
}

void Router::carry(const pairs::OutPair& pair, streams::Stream& stream, const pair::Stanza& stanza) {
  stream.carry(pair.key, addressed(stanza.bytes, stanza.to, pair.key.target, stream.labels_of(pair.key.target)));
}

bool Router::is_free(const streams::Stream& stream, const pairs::OutPair& pair) {
  return stream.turns.is_empty() && stream.connection->queued() <= seams::kHighMark && stream.has_credit(pair.key);
}

bool Router::is_too_big(const streams::Stream& stream, std::size_t bytes) const {
  const std::optional<std::uint64_t>& most = stream.machine.features().most_bytes;
  return most && bytes > *most;
}

void Router::bounce_too_big(const pairs::OutPair& pair, const pair::Stanza& stanza, pair::Source source) {
  if (hosting::HostedDomain* from = hosted_.find(pair.key.sender))
    bounce_to_local(*from, stanza, {Reason::stanza_too_big, {}}, pair.key.target, source);
}

xml::Take Router::from_component(hosting::ComponentLink& link, const xml::ElementView& element,
                                 stream::StanzaKind kind) {
  const Domain& own = *link.machine.domain();
  hosting::HostedDomain& from = *hosted_.find(own);
  ++from.stanzas_out;
  ++stanzas_;
  const xml::Header& header = link.machine.peer_header();
  const pair::Source source{link.number};
  const auto taken = [&] { return link.is_held() ? xml::Take::stop : xml::Take::more; };
  const auto answer = [&](pair::Stanza stanza, const Error& why) {
    if (stanza.from.empty()) stanza.from = own.as(link.machine.labels());
    if (const auto reply = pair::error_reply(stanza, why.reason, told(why.reason))) {
      bounced_.count(why.reason);
      link.answer(*reply);
    } else {
      owner_.count_drop(why.reason, "a stanza that cannot be answered", nullptr);
    }
    return taken();
  };
  // Without `from` the component speaks for its domain, as at Prosody.
  const std::string_view sender = element.from ? split_jid(*element.from).domain : own.unicode();
  if (sender != own.unicode()) {
    const auto canonical = Domain::parse(sender);
    if (!canonical || *canonical != own) {
      const auto meant = Domain::parse(domain_meant(*element.from));
      if (sender.empty() && meant && *meant == own) {  // its own, but no address: nobody is there to be told (AB-186)
        owner_.count_drop(Reason::link_addressing, "a component's stanza whose from is no address", nullptr);
        return xml::Take::more;
      }
      // AB-101: sub-domains are other domains (COMP-02). Stock servers end the link as well.
      link.end({StreamError::invalid_from, fmt::format("this component speaks for {} only", own.text())},
               {Reason::link_foreign_sender, fmt::format("a stanza from another domain than {}", own.text())});
      return xml::Take::stop;
    }
  }
  if (element.cannot_pass)  // AB-181, AB-010: it costs itself alone, and is answered at the link it came by
    return answer(pair::keep(element, kind, {}, ground_.now()), {*element.cannot_pass, {}});
  if (!element.to)
    return answer(keep_for(ns::kServer, element, kind, header),
                  {Reason::stanza_invalid, "a component's stanza needs a to"});
  const std::string_view target = split_jid(*element.to).domain;
  const bool is_from_canonical = element.from && sender == own.unicode();
  pairs::OutPair* pair = is_from_canonical ? out_pairs_.find({own.unicode(), target}) : nullptr;
  if (pair != nullptr) {
    ++pair->stanzas;
    if (const auto* proven = pair->life.as<pair::Life::Proven>()) {
      streams::Stream* out = streams_.find(proven->stream);
      if (out != nullptr && !pair->backlog && ground_.live_proof(pair->life, out->ref) != nullptr &&
          is_free(*out, *pair)) {
        const std::string_view bytes = passed(ns::kServer, element, header);
        if (is_too_big(*out, bytes.size())) {
          bounce_too_big(*pair, keep_for(ns::kServer, element, kind, header), source);
        } else {
          out->carry(pair->key, addressed(bytes, *element.to, pair->key.target, out->labels_of(pair->key.target)));
        }
        return taken();
      }
    }
    queue_out(*pair, keep_for(ns::kServer, element, kind, header), source);
    return taken();
  }

  const auto remote = Domain::parse(target);
  if (!remote)
    return answer(keep_for(ns::kServer, element, kind, header), {Reason::name_invalid, "the address is not valid"});
  const pairs::PairKey key{own, *remote};
  pair::Stanza stanza = keep_for(ns::kServer, element, kind, header, &key);
  if (stanza.from.empty()) stanza.from = own.as(link.machine.labels());
  if (hosting::HostedDomain* internal = hosted_.find(*remote)) {
    if (ground_.rules.is_internal_allowed()) {
      deliver_kept(*internal, keep_for(ns::kComponent, element, kind, header, &key), source);
    } else {
      bounce_to_local(from, stanza, {Reason::policy_internal, {}}, *remote, source);
    }
    return taken();
  }
  if (!out_pairs_.may_add(key, ground_.rules.limits().pairs_total)) {
    bounce_to_local(from, stanza, {Reason::limit_reached, "pairs_total"}, *remote, source);
    return taken();
  }
  pairs::OutPair& added = out_pairs_.add(key);
  owner_.something_waits();
  ++added.stanzas;
  queue_out(added, std::move(stanza), source);
  return taken();
}

void Router::queue_out(pairs::OutPair& pair, pair::Stanza stanza, pair::Source source) {
  hosting::HostedDomain* from = hosted_.find(pair.key.sender);
  const auto refuse = [&](const Error& why) {
    if (from != nullptr) bounce_to_local(*from, stanza, why, pair.key.target, source);
  };
  const auto* proven = pair.life.as<pair::Life::Proven>();
  streams::Stream* out = proven != nullptr ? streams_.find(proven->stream) : nullptr;
  const bool is_live = out != nullptr && ground_.live_proof(pair.life, out->ref) != nullptr;
  if (is_stopping_ && is_live && !pair.backlog && out->has_credit(pair.key))
    return carry(pair, *out, stanza);  // an error that goes back
  if (is_stopping_) return refuse({Reason::shutdown, "the gateway is stopping"});
  if (const auto* refused = pair.life.resting(ground_.now())) return refuse(refused->why);
  if (is_live && is_too_big(*out, stanza.bytes.size())) return bounce_too_big(pair, stanza, source);
  if (is_live && !pair.backlog && is_free(*out, pair)) return carry(pair, *out, stanza);
  pair::Backlog& backlog = backlog_of(pair, is_live ? out : nullptr);
  bool is_kept = false;
  try {
    if (is_live) wait_in_turn(pair, *out);  // first: what is kept has its turn
    is_kept = keep_in(backlog, stanza, ground_.rules.limits().queue_per_pair, source, finder(pair));
  } catch (...) {
    forget_if_empty(pair);
    throw;
  }
  if (!is_kept) {
    forget_if_empty(pair);
    return refuse(
        {Reason::queue_full, is_live ? "the peer does not read fast enough" : "too much waits for this domain"});
  }
  if (is_live || (out != nullptr && pair.life.is_moving(ground_.rules.epoch(), ground_.wall()))) return;
  ground_.scope.attempt([&] {
    if (proven != nullptr && proven->proof.expires <= ground_.wall() && !pair.life.is_being_proven())
      ground_.log(report::Event(report::Level::info, "pair_expired")
                      .with("direction", "out")
                      .with("local", pair.key.sender.text())
                      .with("remote", pair.key.target.text())
                      .with("proof", proof::name_of(proven->proof.type)));
  });
  if (out != nullptr) out->leave(pair);
  owner_.set_up(pair);
}

pair::Backlog& Router::backlog_of(pairs::OutPair& pair, const streams::Stream* stream) {
  if (!pair.backlog) {
    const bool has_peer = stream != nullptr && stream->peer != nullptr;
    auto made = std::make_unique<pair::Backlog>(has_peer ? stream->peer->waiting : waiting_);
    queued_.insert(&pair);
    pair.backlog = std::move(made);
    owner_.something_waits();
  }
  return *pair.backlog;
}

void Router::route_out_kept(const pairs::PairKey& key, pair::Stanza stanza, pair::Source source) {
  if (!out_pairs_.may_add(key, ground_.rules.limits().pairs_total))
    return owner_.count_drop(Reason::limit_reached, "pairs_total", nullptr);
  queue_out(out_pairs_.add(key), std::move(stanza), source);
}

void Router::rides(pairs::OutPair& pair, streams::Stream& stream) {
  if (!pair.backlog) return;
  bool waits = false;
  ground_.scope.attempt([&] {
    wait_in_turn(pair, stream);
    waits = true;
  });
  if (!waits) return bounce_all(pair, {Reason::memory, "no memory"});  // nobody would send it
  drain(stream);
}

// What waits for credit waits for its receiver alone, and takes no room from those who wait for the peer.
void Router::wait_in_turn(pairs::OutPair& pair, streams::Stream& stream) {
  stream.wait_in_turn(pair);
  const bool waits_for_peer = stream.peer != nullptr && stream.turns.has(&pair);
  pair.backlog->queue.wait_at(waits_for_peer ? stream.peer->waiting : waiting_);
}

Router::Credited Router::take_credit(streams::Stream& stream, const stream::PairCredit& credit) {
  const pairs::PairKey key{credit.sender, credit.target};
  pairs::OutPair* pair = out_pairs_.find(key);
  auto left = stream.credits.find(key);
  if (left == stream.credits.end()) {
    if (pair == nullptr || !stream.riding.contains(pair)) return Credited::unknown;
    left = stream.credits.emplace(key, stream.machine.flow()->theirs).first;
  }
  if (!left->second.add(credit.bytes)) return Credited::too_much;
  if (left->second.left() == stream.machine.flow()->theirs) stream.credits.erase(left);
  if (pair != nullptr && stream.has_credit(key) && stream.without_credit.erase(pair) > 0) rides(*pair, stream);
  return Credited::yes;
}

void Router::send_next(pairs::OutPair& pair, streams::Stream& stream) {
  const pair::Stanza stanza = pair.backlog->queue.pop();
  eased(*pair.backlog, ground_.rules.limits().queue_per_pair);
  forget_if_empty(pair);
  alone([&] {
    if (is_too_big(stream, stanza.bytes.size())) return bounce_too_big(pair, stanza, pair::Source::none);
    carry(pair, stream, stanza);
  });
}

void Router::forget_if_empty(pairs::OutPair& pair) noexcept {
  if (pair.backlog && pair.backlog->queue.is_empty()) (void)forget_backlog(pair);
}

std::unique_ptr<pair::Backlog> Router::forget_backlog(pairs::OutPair& pair) noexcept {
  if (const auto* proven = pair.life.as<pair::Life::Proven>())  // who has nothing has no turn (AB-237)
    if (streams::Stream* rides = streams_.find(proven->stream)) rides->wait_no_more(pair);
  go_on(pair.backlog->brake.has_emptied());
  queued_.erase(&pair);
  return std::move(pair.backlog);
}

// By turns, so that a pair with much to send takes nothing from the others (MUX-11).
void Router::drain(streams::Stream& stream) {
  std::vector<pairs::OutPair*> unproven;
  const auto next_size = [&](pairs::OutPair* pair) -> std::optional<std::uint64_t> {
    if (ground_.live_proof(pair->life, stream.ref) == nullptr) {
      unproven.push_back(pair);
    } else if (stream.has_credit(pair->key)) {
      return pair->backlog->queue.first().bytes.size();
    } else {
      stream.without_credit.insert(pair);
      pair->backlog->queue.wait_at(waiting_);
    }
    return std::nullopt;
  };
  while (stream.connection->queued() <= seams::kHighMark) {
    const std::optional<pairs::OutPair*> next = stream.turns.next(next_size);
    if (!next) break;
    stream.turns.spend((*next)->backlog->queue.first().bytes.size());
    send_next(**next, stream);
  }
  for (pairs::OutPair* pair : unproven) {
    stream.leave(*pair);
    owner_.set_up(*pair);
  }
}

}  // namespace ligase::route
