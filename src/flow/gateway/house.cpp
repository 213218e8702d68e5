// The tables put together; the beginnings and ends of streams and links.
#include "gateway/house.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "base/ensure.hpp"
#include "prove/claims.hpp"
#include "prove/explain.hpp"
#include "streams/lessons.hpp"

namespace ligase::gateway {
namespace {

ground::Rules::Given rules_of(Settings& settings) {
  return {settings.limits,
          std::move(settings.policy),
          settings.anchors,
          settings.dialback_secret,
          settings.dnssec_is_on,
          settings.revocation.mode,
          std::move(settings.own_certificates)};
}

// For one more, as many as came already at once.
template <class T>
void make_room_in(std::vector<T>& list) {
  if (list.size() == list.capacity()) list.reserve(2 * list.size() + 1);
}

}  // namespace

House::House(Settings settings, ground::World world)
    : version_(std::move(settings.version)),
      hostname_(settings.hostname),
      ground_(world, rules_of(settings)),
      waiting_(ground_.rules.limits().queue_total),
      peers_(ground_, waiting_, settings.memos),
      streams_(ground_, peers_, *this),
      hosted_(ground_, std::move(settings.links), settings.memos),
      door_(ground_, hosted_, streams_,
            [this](std::string_view limit) { count_drop(Reason::limit_reached, limit, nullptr); }),
      posh_(ground_),
      revocation_(
          ground_, [this](const std::string& leaf) { judge_again(leaf); }, settings.memos),
      staples_(ground_, std::move(settings.revocation.set_staple), settings.memos),
      router_(ground_, waiting_, hosted_, links_, out_pairs_, streams_, *this),
      bench_(ground_, hosted_, peers_, out_pairs_, refusals_, streams_, posh_, revocation_, *this),
      started_at_(ground_.wall()),
      rate_since_(ground_.now()) {
  clock_offset_ = std::chrono::duration_cast<std::chrono::seconds>(wall().time_since_epoch()) -
                  std::chrono::duration_cast<std::chrono::seconds>(now().time_since_epoch());
  posh_.recall(settings.memos, wall(), now());
  take_revocation(std::move(settings.revocation.lists), std::move(settings.revocation.own));
}
House::~House() = default;

void House::set_ready(std::vector<std::string> not_ready) {
  is_ready_ = not_ready.empty();
  not_ready_ = std::move(not_ready);
}

void House::take_revocation(std::vector<std::shared_ptr<proof::RevocationList>> lists,
                            std::vector<std::shared_ptr<const proof::Chain>> own) {
  revocation_.take_lists(std::move(lists));
  staples_.keep(std::move(own));
}

Task<Result<report::Explanation>> House::explain(Domain local, Domain remote, bool may_dial) {
  return prove::explain_pair(&bench_, std::move(local), std::move(remote), may_dial);
}

void House::accept_s2s(std::unique_ptr<seams::Connection> connection) {
  door_.accept(std::move(connection));
  schedule_sweep();
}

void House::accept_component(std::unique_ptr<seams::Connection> connection) {
  if (is_stopping_) return;
  if (links_.size() >= ground_.rules.limits().streams_total)
    return count_drop(Reason::limit_reached, "streams_total, of links", nullptr);
  schedule_sweep();  // which sees to an end that could not be taken in
  const std::uint64_t number = streams_.next_number();
  hosting::Owner& owner = *this;
  auto added = std::make_unique<hosting::ComponentLink>(ground_, hosted_, owner, number, std::move(connection));
  hosting::ComponentLink& link = *added;
  links_.emplace(number, std::move(added));
  try {
    link.start();
  } catch (...) {
    links_.erase(number);
    throw;
  }
}

// ---- streams

xml::Take House::on_stanza(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind) {
  schedule_sweep();
  return router_.from_peer(stream, element, kind);
}
void House::on_wants_features(streams::Stream& stream, Domain sender) {
  ground_.spawn(prove::decide_features(&bench_, stream.ref, std::move(sender)));
}
void House::on_authenticated(streams::Stream& stream, const Domain& sender, const Domain& target) {
  const auto record = stream.senders.find(sender);
  const proof::Proof* proof =
      record == stream.senders.end() ? nullptr : record->second.live_proof(ground_.rules.epoch(), wall());
  if (proof != nullptr) grant(stream, {sender, target}, *proof);
}
void House::on_claim(streams::Stream& stream, stream::DbResult claim) {
  prove::take_claim(bench_, stream, std::move(claim));
}
void House::on_verify(streams::Stream& stream, const stream::DbVerify& verify) {
  prove::answer_as_authority(bench_, stream, verify);
}
void House::on_credit(streams::Stream& stream, const stream::PairCredit& credit) {
  switch (router_.take_credit(stream, credit)) {
    case route::Router::Credited::yes:
      return;
    case route::Router::Credited::unknown:
      count_drop(Reason::unsolicited, "credit for a pair that does not ride the stream", &stream);
      return stream.count_useless(128);
    case route::Router::Credited::too_much:
      return stream.end({StreamError::policy_violation, "more credit than a pair can have"},
                        {Reason::stream_protocol,
                         fmt::format("too much credit for {} to {}", credit.sender.text(), credit.target.text())});
  }
}
void House::on_dropped(streams::Stream& stream, Reason reason, std::string_view what) {
  count_drop(reason, what, &stream);
}
void House::on_writable(streams::Stream& stream) {
  router_.drain(stream);
  look_at_left(stream);
}

void House::look_at_left(streams::Stream& stream) {
  std::vector<pairs::OutPair*> gone;
  for (const auto& [pair, mark] : stream.left)
    if (stream.has_sent(mark)) gone.push_back(pair);
  for (pairs::OutPair* pair : gone) {
    stream.left.erase(pair);
    has_drained(*pair, stream.ref);
  }
}

// Now it is known what it never sent.
void House::on_closed(streams::Stream& session) {
  make_room_in(over_);  // first: it is still at work, and must not go where it stands
  const route::Router::TakenBack unsent = router_.take_back(session);
  const Error why = session.ended_by.value_or(Error{Reason::network_closed, {}});
  ground_.log(report::Event(report::Level::info, "stream_closed")
                  .with("stream", session.number())
                  .with("direction", session.is_ours() ? "out" : "in")
                  .with("peer", session.peer_host)
                  .with("address", session.connection->remote().text())
                  .with("local", session.machine.local() ? session.machine.local()->text() : std::string_view())
                  .with("remote", session.machine.remote() ? session.machine.remote()->text() : std::string_view())
                  .with("reason", name_of(why.reason))
                  .with("detail", why.detail)
                  .with("unsent_bytes", std::to_string(unsent.bytes))
                  .with("uncertain_bytes", std::to_string(unsent.uncertain)));
  while (!session.left.empty()) {
    pairs::OutPair* pair = session.left.begin()->first;
    session.left.erase(session.left.begin());
    has_drained(*pair, session.ref);
  }
  if (std::unique_ptr<streams::Stream> over = streams_.take_out(session.ref)) over_.push_back(std::move(over));
  schedule_burial();
}

// What the peer may have sent before it learns of it is still heard, where it was by our own pair's proof as well.
void House::on_closing(streams::Stream& session) {
  if (session.machine.is_bidi())
    for (pairs::OutPair* pair : session.riding)
      if (const proof::Proof* proof = ground_.proof_in_reverse(pair->life, session.ref))
        out_pair_is_heard(*pair, session, *proof);
  leave(session);
}

void House::out_pair_is_heard(pairs::OutPair& pair, streams::Stream& session, proof::Proof proof) {
  const auto [heard, is_new] = session.in_pairs.try_emplace(pair.key.reversed());
  if (is_new) {
    heard->second.counted = streams_.remembered.count(session.site());
    heard->second.life.begin();
    heard->second.life.settle(pair::Life::Proven{std::move(proof), session.ref, wall()});
  }
  if (pair.reverse != nullptr && pair.reverse->stream == session.ref) router_.settle_reverse(pair);
}

void House::leave(streams::Stream& session) {
  if (session.peer != nullptr) session.peer->streams.erase(session.ref);
  // A pair is a choice made anew (MUX-01), once this stream has said its last word.
  while (!session.riding.empty()) {
    pairs::OutPair* pair = *session.riding.begin();
    session.leave(*pair);
    pair->renewal.cancel();
    const auto was_draining = pair->life.draining();
    pair->life.stream_is_over(session.ref);
    changed(*pair, was_draining);
  }
}

// Where something is thrown in it, it is done again: each step may find that it was done.
void House::on_over(streams::Stream& session) {
  door_.leaves(session);
  Error why = session.ended_by.value_or(Error{Reason::network_closed, {}});
  streams::learn_from_end(ground_, peers_, session, why);
  session.ended_by = why;
  streams::release_waiters(session, why);
  leave(session);
  for (auto& [key, in_pair] : session.in_pairs) {
    if (session.machine.is_bidi()) {
      streams_.remove_inverse(key.reversed(), session.ref);
      streams_.remove_of_sender(key.sender, session.ref);
    }
    const bool was_proven = in_pair.life.as<pair::Life::Unproven>() == nullptr;
    std::vector<pair::Stanza> held = router_.take_held(in_pair);
    router_.each(held, [&](const pair::Stanza& stanza) {
      if (was_proven) return router_.bounce_to_remote(stanza, why);
      // MUX-08: whoever sent it, an error would go to somebody else
      count_drop(Reason::sender_not_proven, "unproven_reply", &session);
    });
  }
  session.in_pairs.clear();
}

void House::schedule_burial() noexcept {
  if (burial_is_posted_) return;
  ground_.scope.attempt([&] {
    boost::asio::post(ground_.world.executor, [this, hold = ground::Scope::Hold(ground_.scope)] {
      burial_is_posted_ = false;
      over_.clear();
      over_links_.clear();
      check_stopped();
    });
    burial_is_posted_ = true;
  });
  if (!burial_is_posted_) schedule_sweep();
}

// ---- links

xml::Take House::on_stanza(hosting::ComponentLink& link, const xml::ElementView& element, stream::StanzaKind kind) {
  schedule_sweep();
  return router_.from_component(link, element, kind);
}
void House::on_dropped(hosting::ComponentLink&, Reason reason, std::string_view what) {
  count_drop(reason, what, nullptr);
}
void House::on_writable(hosting::ComponentLink& link) {
  router_.drain(link);
  if (stopped_ && !router_.has_waiting(link)) schedule_burial();
}

void House::on_up(hosting::ComponentLink& link) {
  hosting::HostedDomain* domain = hosted_.find(*link.machine.domain());
  if (domain == nullptr) return;
  ground_.log(report::Event(report::Level::info, "link_up")
                  .with("link", std::to_string(link.number))
                  .with("local", domain->domain.text())
                  .with("address", link.connection->remote().text()));
  domain->session = &link;
  router_.drain(link);
}

void House::on_over(hosting::ComponentLink& link) {
  const Error why = link.ended_by.value_or(Error{Reason::network_closed, {}});
  hosting::HostedDomain* domain = link.machine.domain() ? hosted_.find(*link.machine.domain()) : nullptr;
  const bool was_up = domain != nullptr && domain->session == &link;
  if (was_up) {
    domain->session = nullptr;
    if (domain->leaving == 0)
      domain->leaving = link.number;  // else nothing was delivered here: an earlier one leaves still
    domain->away_since = now();
  }
  ground_.log(
      report::Event(was_up ? report::Level::info : report::Level::warning, was_up ? "link_down" : "link_refused")
          .with("link", std::to_string(link.number))
          .with("local", link.machine.domain() ? link.machine.domain()->text() : std::string_view())
          .with("address", link.connection->remote().text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail));
}

void House::on_closed(hosting::ComponentLink& link) {
  make_room_in(over_links_);
  router_.take_back(link);
  auto found = links_.find(link.number);
  if (found == links_.end()) return;
  over_links_.push_back(std::move(found->second));
  links_.erase(found);
  schedule_burial();
}

void House::count_drop(Reason reason, std::string_view what, const streams::Stream* session) {
  dropped_.count(reason);
  ground_.scope.attempt([&] {
    report::Event event(report::Level::warning, "dropped");
    event.with("reason", name_of(reason)).with("what", what);
    if (session != nullptr)
      event.with("stream", session->number()).with("address", session->connection->remote().text());
    ground_.log(std::move(event));
  });
}

double House::rate() const {
  const Duration passed = now() - rate_since_;
  if (passed >= 1s) {
    rate_ = static_cast<double>(router_.stanzas() - rate_stanzas_) / std::chrono::duration<double>(passed).count();
    rate_stanzas_ = router_.stanzas();
    rate_since_ = now();
  }
  return rate_;
}

void House::check() const {
  router_.check();
  for (const auto& [ref, session] : streams_.all()) {
    if (session->is_ending) continue;
    std::size_t waiting = 0, without_credit = 0;
    for (pairs::OutPair* pair : session->riding) {
      if (session->turns.has(pair)) ++waiting;
      if (session->without_credit.contains(pair)) {
        ++without_credit;
        ensure(pair->backlog != nullptr && !session->has_credit(pair->key) && !session->turns.has(pair),
               "who waits for credit has something to send, and no turn");
      }
      ensure(pair->backlog != nullptr || !session->turns.has(pair), "who has a turn has something to send");
      const auto* proven = pair->life.as<pair::Life::Proven>();
      ensure(proven != nullptr && proven->stream == ref, "a pair rides the stream that it names, and no other");
    }
    ensure(waiting == session->turns.size(), "who has a turn rides the stream");
    ensure(without_credit == session->without_credit.size(), "who waits for credit rides the stream");
    for (const auto& [pair, mark] : session->left)
      ensure(pair->life.draining() == ref,
             "a pair that left a stream and must wait for it is among those that left it");
  }
  for (const auto& [key, pair] : out_pairs_.all()) {
    if (const auto left = pair->life.draining()) {
      const auto stream = streams_.all().find(*left);
      ensure(stream != streams_.all().end() && stream->second->left.contains(pair.get()),
             "the stream that a pair waits for is there, and knows of it");
      continue;
    }
    if (!pair->backlog || pair->life.is_being_proven()) continue;
    const auto* proven = pair->life.as<pair::Life::Proven>();
    const auto rides = proven != nullptr ? streams_.all().find(proven->stream) : streams_.all().end();
    ensure(rides != streams_.all().end() &&
               (rides->second->turns.has(pair.get()) || rides->second->without_credit.contains(pair.get())),
           "a queue that is not empty belongs to a pair that is being proven, waits at its stream, or moves");
  }
}

std::vector<std::string> House::left_at_work() const {
  std::vector<std::string> left;
  const auto note = [&](std::string_view what, std::uint64_t count) {
    if (count > 0) left.push_back(fmt::format("{}: {}", what, count));
  };
  note("procedures", ground_.scope.running());
  note("places of claims at the resolver", bench_.claim_places.taken());
  note("connections made for claims", bench_.dial_backs.total());
  note("addresses that are connected to", ground_.attempts.at_work());
  note("explanations", bench_.explaining);
  note("bytes in queues", waiting_.used());
  note("connections at the door", door_.waiting());
  note("streams and links to bury", over_.size() + over_links_.size());
  std::uint64_t asked = 0, unproven = 0;
  for (const auto& [ref, stream] : streams_.all()) {
    const std::string of = fmt::format("stream {}: ", ref.number);
    note(of + "ends", stream->is_ending ? 1 : 0);
    note(of + "db:results without an answer", stream->asked.size());
    note(of + "waiting to ask", stream->wait_to_ask.size());
    note(of + "db:verify without an answer", stream->verifying.size());
    note(of + "claims", stream->claims.size());
    note(of + "dial-backs", stream->dial_backs);
    note(of + "procedures about to use it", stream->reserved);
    note(of + "turns", stream->turns.size());
    note(of + "pairs that left and wait", stream->left.size());
    note(of + "held", stream->is_held() ? 1 : 0);
    for (const auto& [sender, record] : stream->senders) note(of + "a judgement", record.done ? 1 : 0);
    for (const auto& [key, pair] : stream->in_pairs) note(of + "an incoming pair", pair.life.is_being_proven() ? 1 : 0);
    asked += stream->asked.size();
    if (!stream->is_ours() && !stream->machine.is_proven()) ++unproven;
  }
  note("db:results that no stream waits for", streams_.asked.total() - asked);
  note("places of unproven streams that are not there", streams_.unproven.total() - unproven);
  for (const auto& [key, pair] : out_pairs_.all()) {
    const std::string of = fmt::format("{} to {}: ", key.sender.text(), key.target.text());
    note(of + "being proven", pair->life.is_being_proven() ? 1 : 0);
    note(of + "leaves a stream", pair->life.draining() ? 1 : 0);
    note(of + "kept", (pair->backlog ? 1 : 0) + (pair->reverse ? 1 : 0));
  }
  for (const auto& [at, peer] : peers_.all())
    note(fmt::format("connections made to {}", peer.host), peer.connecting.size());
  for (const auto& [number, link] : links_)
    note(fmt::format("link {}: held or ending", number), link->is_held() || link->is_ending ? 1 : 0);
  for (const auto& [name, domain] : hosted_.all()) note(fmt::format("{}: leaves a link", name), domain->leaving);
  return left;
}

}  // namespace ligase::gateway
