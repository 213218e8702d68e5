// What cannot go on: answered where an answer may be sent, counted where not; and whatever waited too long.
#include "route/router.hpp"

#include "base/ensure.hpp"
#include "base/told.hpp"
#include "pair/unsent.hpp"
#include "report/failure.hpp"
#include "stream/words.hpp"

namespace ligase::route {
namespace {

constexpr Duration kLinkPatience = 30s;  // COMP-04
constexpr Duration kReturn = 4s;         // what a component that went away had not taken is kept so long for its return

}  // namespace

void Router::bounce_to_local(hosting::HostedDomain& to, const pair::Stanza& stanza, const Error& why,
                             const Domain& remote, pair::Source source) {
  auto reply = pair::error_reply(stanza, why.reason, report::failure_text(remote, why.reason));
  if (!reply) return owner_.count_drop(why.reason, "an error or an answer that cannot be answered", nullptr);
  bounced_.count(why.reason);
  give_back(to, {stanza.kind, std::move(*reply), stanza.to, stanza.from, stanza.id, "error", {}, ground_.now()},
            source);
}

void Router::give_back(hosting::HostedDomain& to, pair::Stanza error, pair::Source source) {
  if (takes_now(to)) return write_to(to, error.bytes, error.to);
  if (to.session == nullptr && is_stopping_)
    return owner_.count_drop(Reason::link_down, "an error whose receiver is not connected", nullptr);
  const Keeping keeping(*this, to.waiting);
  to.waiting->queue.push_owed(std::move(error));
  owner_.something_waits();
  // Who does not take the errors of what he sends is not read.
  const bool is_own = to.session != nullptr && source == pair::Source{to.session->number};
  if (is_own && is_filling(*to.waiting, ground_.rules.limits().queue_per_link))
    brake(*to.waiting, source, pair::Brake::Hold::until_room, {});
}

// A stanza that came from a hosted domain is answered there: a hosted domain is never the target of an out pair (AB-210).
void Router::bounce_to_remote(const pair::Stanza& stanza, const Error& why, pair::Source source) {
  auto reply = pair::error_reply(stanza, why.reason, told(why.reason));
  const auto local = Domain::parse(split_jid(stanza.to).domain);
  const auto remote = Domain::parse(split_jid(stanza.from).domain);
  if (!reply || !local || !remote || hosted_.find(*local) == nullptr)
    return owner_.count_drop(why.reason, "a stanza that cannot be answered", nullptr);
  bounced_.count(why.reason);
  pair::Stanza error{stanza.kind, std::move(*reply), stanza.to, stanza.from, stanza.id, "error", {}, ground_.now()};
  if (hosting::HostedDomain* internal = hosted_.find(*remote)) return give_back(*internal, std::move(error), source);
  route_out_kept({*local, *remote}, std::move(error), source);
}

void Router::bounce_all(pairs::OutPair& pair, const Error& why) {
  if (!pair.backlog) return;
  const std::unique_ptr<pair::Backlog> waiting = forget_backlog(pair);
  hosting::HostedDomain* from = hosted_.find(pair.key.sender);
  while (!waiting->queue.is_empty()) {
    const pair::Stanza stanza = waiting->queue.pop();
    if (from != nullptr) alone([&] { bounce_to_local(*from, stanza, why, pair.key.target); });
  }
}

void Router::bounce_old() {
  const config::Limits& limits = ground_.rules.limits();
  for (pairs::OutPair* pair : std::vector<pairs::OutPair*>(queued_.begin(), queued_.end())) {
    std::vector<pair::Stanza> old = pair->backlog->queue.take_older_than(ground_.now() - limits.queue_age);
    eased(*pair->backlog, limits.queue_per_pair);
    forget_if_empty(*pair);
    each(old, [&](const pair::Stanza& stanza) {
      if (hosting::HostedDomain* from = hosted_.find(pair->key.sender))
        bounce_to_local(*from, stanza, pair->last_error.value_or(Error{Reason::queue_age, "it waited too long"}),
                        pair->key.target);
    });
  }
  for (auto& [name, domain] : hosted_.all()) {
    if (!domain->waiting || domain->session != nullptr) continue;
    const bool may_return = ground_.now() - domain->away_since < kReturn;
    std::vector<pair::Stanza> old = domain->waiting->queue.take_older_than(
        may_return ? ground_.now() - kLinkPatience : std::max(ground_.now() - kLinkPatience, domain->away_since));
    eased(*domain->waiting, limits.queue_per_link);
    if (domain->waiting->queue.is_empty()) domain->waiting.reset();
    each(old, [&](const pair::Stanza& stanza) {
      bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"});
    });
  }
}

Router::TakenBack Router::take_back(const streams::Stream& stream) {
  const seams::Unsent unsent = stream.connection->take_unsent();
  std::map<pairs::PairKey, std::vector<pair::Stanza>> of_pairs;
  std::uint64_t bytes = 0;
  std::vector<pair::Stanza> stanzas = unsent_stanzas(unsent, ns::kServer, ground_.now());
  each(stanzas, [&](pair::Stanza& stanza) {
    const auto from = Domain::parse(split_jid(stanza.from).domain), to = Domain::parse(split_jid(stanza.to).domain);
    bytes += stanza.bytes.size();
    if (!from || !to) return;  // written by us: both are
    stanza.to = with_domain(stanza.to, to->unicode());
    xml::set_attribute(stanza.bytes, "to", stanza.to);
    of_pairs[{*from, *to}].push_back(std::move(stanza));
  });
  for (auto& [key, of_pair] : of_pairs) {
    try {
      put_back(key, std::move(of_pair));
    } catch (const std::bad_alloc&) {
      owner_.count_drop(Reason::memory, "what a stream had not sent", &stream);
    }
  }
  return {bytes, unsent.uncertain};
}

std::vector<pair::Stanza> Router::unsent_stanzas(const seams::Pieces& pieces, std::string_view content_ns,
                                                 Instant since) {
  try {
    return pair::stanzas_among(pieces.bytes, pieces.ends, content_ns, since);
  } catch (const std::bad_alloc&) {
    owner_.count_drop(Reason::memory, "what a connection had not sent", nullptr);
    return {};
  }
}

void Router::put_back(const pairs::PairKey& key, std::vector<pair::Stanza> stanzas) {
  pairs::OutPair& pair = out_pairs_.add(key);
  const auto* refused = pair.life.resting(ground_.now());
  if (is_stopping_ || refused != nullptr) {
    const Error why = refused != nullptr ? refused->why : Error{Reason::shutdown, "the gateway is stopping"};
    if (hosting::HostedDomain* from = hosted_.find(key.sender))
      each(stanzas, [&](const pair::Stanza& stanza) { bounce_to_local(*from, stanza, why, key.target); });
    return;
  }
  try {
    backlog_of(pair, nullptr).queue.put_back(std::move(stanzas));
  } catch (...) {
    forget_if_empty(pair);
    throw;
  }
  if (!pair.life.draining()) owner_.set_up(pair);
}

void Router::take_back(const hosting::ComponentLink& link) {
  hosting::HostedDomain* to = link.machine.domain() ? hosted_.find(*link.machine.domain()) : nullptr;
  if (to == nullptr) return;
  if (to->leaving == link.number) to->leaving = 0;
  const seams::Unsent unsent = link.connection->take_unsent();
  // What its machine has not acknowledged it has not, but for an acknowledgement that was lost: sent once more (AB-124, AB-253).
  std::vector<pair::Stanza> back, left;
  for (const seams::Pieces* pieces : {&unsent.unacknowledged, static_cast<const seams::Pieces*>(&unsent)})
    for (pair::Stanza& stanza : unsent_stanzas(*pieces, ns::kComponent, to->away_since - 1ns))
      left.push_back(std::move(stanza));
  each(left, [&](pair::Stanza& stanza) {
    if (is_stopping_ || (to->session == nullptr && stanza.kind == stream::StanzaKind::iq)) {  // COMP-04
      return bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"});
    }
    stanza.to = with_domain(stanza.to, to->domain.unicode());
    xml::set_attribute(stanza.bytes, "to", stanza.to);
    back.push_back(std::move(stanza));
  });
  if (!back.empty()) {
    const Keeping keeping(*this, to->waiting);
    to->waiting->queue.put_back(std::move(back));
    owner_.something_waits();
  }
  if (to->session != nullptr) drain(*to->session);
}

void Router::stop(const Error& why) {
  is_stopping_ = true;
  for (pairs::OutPair* pair : std::vector<pairs::OutPair*>(queued_.begin(), queued_.end())) bounce_all(*pair, why);
  for (const auto& [name, domain] : hosted_.all()) {
    if (!domain->waiting) continue;
    go_on(domain->waiting->brake.has_emptied());
    std::vector<pair::Stanza> owed;
    for (pair::Stanza& stanza : domain->waiting->queue.take_all()) {
      // What may not be answered is still for a link that is up: the end waits for it (AB-260).
      if (domain->session != nullptr && !pair::is_answerable(stanza)) {
        owed.push_back(std::move(stanza));
      } else {
        bounce_to_remote(stanza, why);
      }
    }
    domain->waiting->queue.put_back(std::move(owed));
    if (domain->waiting->queue.is_empty()) domain->waiting.reset();
  }
}

bool Router::keeps_for_links() const {
  return std::ranges::any_of(hosted_.all(), [](const auto& entry) { return entry.second->waiting != nullptr; });
}

bool Router::has_waiting(const hosting::ComponentLink& link) const {
  const hosting::HostedDomain* domain = link.machine.domain() ? hosted_.find(*link.machine.domain()) : nullptr;
  return domain != nullptr && domain->session == &link && domain->waiting != nullptr;
}

void Router::check() const {
  std::uint64_t total = 0;
  std::map<const pair::Budget*, std::uint64_t> charged;
  const auto count = [&](const pair::Backlog& backlog) {
    total += backlog.queue.bytes();
    charged[&backlog.queue.budget()] += backlog.queue.bytes();
  };
  for (const auto& [key, pair] : out_pairs_.all()) {
    ensure(!hosted_.is_hosted(key.target), "no out pair leads to a hosted domain");
    ensure((pair->backlog != nullptr) == queued_.contains(pair.get()),
           "a pair is among the queued as long as it has a backlog");
    if (pair->reverse) {
      ensure(pair->life.is_being_proven() && !pair->reverse->held.queue.is_empty(),
             "what came in reverse waits for a decision");
      count(pair->reverse->held);
    }
    if (!pair->backlog) continue;
    ensure(!pair->backlog->queue.is_empty(), "a backlog that has emptied is forgotten");
    count(*pair->backlog);
  }
  for (const auto& [ref, stream] : streams_.all())
    for (const auto& [key, pair] : stream->in_pairs)
      if (pair.held) count(*pair.held);
  for (const auto& [name, domain] : hosted_.all())
    if (domain->waiting) count(*domain->waiting);
  ensure(waiting_.used() == total, "the bytes of all queues are their sum");
  for (const auto& [budget, bytes] : charged)
    ensure(budget == &waiting_ || budget->used() == bytes, "a peer's bytes are the sum of its pairs'");
}

}  // namespace ligase::route
