// Reaching a domain. Pairs that come up while a connection to their peer is being made wait for it (MUX-04); each is
// then judged from its own look-ups and that session's certificate (MUX-02, AB-085).
#include "prove/reach.hpp"

#include <fmt/format.h>

#include "base/on_leaving.hpp"
#include "proof/explain.hpp"
#include "prove/errand.hpp"
#include "prove/inverse.hpp"
#include "prove/judge.hpp"
#include "web/connect.hpp"

namespace ligase::prove {
namespace {

using proof::Delegation;
using proof::Proof;
using proof::SrvTarget;

constexpr unsigned kMostAttempts = 4;   // of one pair at one target, when streams end under it
constexpr Duration kRetryAtOnce = 10s;  // ROUTE-04
constexpr Duration kHeldUp = 250ms;     // a judgement that takes longer waits for somebody's server

// A connection being made for a claim: it counts for the claim's stream, and for the claimant's address even when the
// stream is over (AB-081).
class DialBack {
 public:
  DialBack(Bench* bench, pair::StreamRef claimed_on) : bench_(bench), ref_(claimed_on) {
    streams::Stream* session = bench_->streams.find(ref_);
    from_ = bench_->dial_backs.count(prefix_of(session->connection->remote().address));
    ++session->dial_backs;
  }
  ~DialBack() {
    if (streams::Stream* session = bench_->streams.find(ref_)) --session->dial_backs;
  }
  DialBack(const DialBack&) = delete;
  DialBack& operator=(const DialBack&) = delete;

 private:
  Bench* bench_;
  pair::StreamRef ref_;
  ground::Tally<Address>::Token from_;
};

Result<void> may_dial_back(Bench& bench, pair::StreamRef claimed_on) {
  const streams::Stream* claimed = bench.streams.find(claimed_on);
  if (claimed == nullptr) return fail(Reason::cancelled, "the stream of the claim is over");
  if (claimed->dial_backs >= bench.limits().dial_backs_per_stream)
    return fail(Reason::dialback_too_many, "too many authorities are being asked for this stream");
  if (bench.dial_backs.of(prefix_of(claimed->connection->remote().address)) >= bench.limits().dial_backs_per_address)
    return fail(Reason::dialback_too_many, "too many authorities are being asked for streams of this address");
  return {};
}

bool is_dial_back(Purpose purpose) { return purpose != Purpose::pair; }
Standard standard_of(Purpose purpose) {
  return purpose == Purpose::dial_back_to_dane ? Standard::dane : Standard::policy;
}

bool may_multiplex(const Bench& bench, const pairs::PairKey& pair) {
  return bench.policy_towards(pair.target).may_multiplex;
}

bool may_carry(const Bench& bench, const peers::Peer& peer, const streams::Stream& session, const pairs::PairKey& pair,
               const Errand& errand) {
  if (!session.is_live() || bench.ground.scope.is_closed()) return false;
  // BIDI-04, DB-03: an authority is asked on a connection that was made to it, and never on the claim's own.
  if (is_dial_back(errand.purpose) && (!session.is_ours() || session.ref == errand.other)) return false;
  if (!session.is_ours() && !bench.policy_towards(pair.target).may_bidi) return false;
  if (errand.own_certificate && !session.shows_certificate) return false;
  if (is_own(session, pair)) return true;
  if (!may_multiplex(bench, pair)) return false;
  // The feature itself, not the prefix in the header: an ejabberd without dialback declares it like any other, and
  // leaves the db:result of a further pair unanswered.
  if (!session.machine.features().dialback) return false;
  const bool extra_target = !session.targets.contains(pair.target);
  if (extra_target && (!session.machine.features().dialback_errors || peer.no_extra_targets_until > bench.wall()))
    return false;
  if (is_dial_back(errand.purpose)) return true;
  if (errand.own_certificate && !shows_own_certificate(bench, session, pair)) return false;
  if (*session.machine.local() != pair.sender && peer.no_extra_senders_until > bench.wall()) return false;
  return !session.is_full(bench.now()) &&
         session.riding.size() + session.asked.size() < bench.limits().pairs_per_stream;
}

// MUX-05: one that is full is joined by a second one, and by no third.
bool takes_no_more(Bench& bench, const peers::Peer& peer) {
  return std::ranges::count_if(peer.streams, [&](pair::StreamRef ref) {
           const streams::Stream* session = bench.streams.find(ref);
           return session != nullptr && session->is_full(bench.now());
         }) >= 2;
}

streams::Stream* find_stream(Bench& bench, peers::Peer& peer, const pairs::PairKey& pair, const Errand& errand,
                             const std::set<pair::StreamRef>& unfit) {
  const pair::StreamRef ridden = errand.other;
  if (errand.purpose == Purpose::pair && peer.streams.contains(ridden) && !unfit.contains(ridden)) {
    streams::Stream* session = bench.streams.find(ridden);
    if (session != nullptr && session->is_live() && (is_own(*session, pair) || may_multiplex(bench, pair)))
      return session;
  }
  for (const pair::StreamRef ref :
       peer.streams) {  // the peer has taken us for the sender there, and may use it in reverse
    streams::Stream* session = unfit.contains(ref) ? nullptr : bench.streams.find(ref);
    if (session != nullptr && session->is_ours() && session->is_authenticated && is_own(*session, pair) &&
        may_carry(bench, peer, *session, pair, errand))
      return session;
  }
  if (streams::Stream* inverse = find_inverse(bench, pair, errand); inverse != nullptr && !unfit.contains(inverse->ref))
    return inverse;
  for (const pair::StreamRef ref : peer.streams) {
    if (unfit.contains(ref)) continue;
    streams::Stream* session = bench.streams.find(ref);
    if (session != nullptr && may_carry(bench, peer, *session, pair, errand)) return session;
  }
  return nullptr;
}

// A connection being made to this peer that this pair may be carried by, as far as is known yet.
std::shared_ptr<ground::Gate<bool>> find_connecting(const Bench& bench, const peers::Peer& peer,
                                                    const pairs::PairKey& pair) {
  if (!may_multiplex(bench, pair)) return nullptr;
  if (const auto same = peer.connecting.find(pair.target); same != peer.connecting.end())
    return {same->second, &same->second->decided};
  if (!peer.takes_targets.value_or(true) || peer.no_extra_targets_until > bench.wall()) return nullptr;
  for (const auto& [target, made] : peer.connecting)
    if (!made->passed->is_open()) return made->passed;
  return nullptr;
}

// EXT-01: as the peer is known to take it.
stream::External external_towards(const peers::Peer& peer, WallTime now) {
  if (peer.no_certificate_until > now) return stream::External::never;  // without a certificate it can come to nothing
  if (peer.no_external_until > now) return stream::External::last_resort;
  return peer.named_authzid_until > now ? stream::External::named : stream::External::usual;
}

// What is known of how the peer takes us, and by which name: what one attempt changes of it, the next may get further by.
struct Habits {
  stream::External external;
  stream::Bidi bidi;
  Labels labels;
  auto operator<=>(const Habits&) const = default;
};
// A connection that is made to ask an authority is for that: no pair of ours need ride it, so nothing could be heard on it.
stream::Bidi bidi_towards(const Bench& bench, const peers::Peer& peer, const Domain& target, const Errand& errand) {
  const bool is_wanted =
      !is_dial_back(errand.purpose) && bench.policy_towards(target).may_bidi && peer.no_bidi_until <= bench.wall();
  return is_wanted ? stream::Bidi::where_offered : stream::Bidi::never;
}
Habits habits_towards(const Bench& bench, const peers::Peer& peer, const Domain& target, const Errand& errand) {
  return {external_towards(peer, bench.wall()), bidi_towards(bench, peer, target, errand),
          bench.peers.spellings.labels_of(target)};
}

// It takes neither our certificate nor dialback.
Error why_not_accepted(const streams::Stream& session) {
  if (!session.shows_certificate)
    return {Reason::external_refused,
            "the peer refused our certificate inside TLS, and offers no dialback without one"};
  if (session.external_text.empty())
    return {Reason::dialback_not_offered, "the peer offers neither EXTERNAL nor dialback"};
  return {Reason::external_refused, session.external_text};
}

// A stream that is being opened: whatever ends its procedure, somebody sees to it.
class BeingOpened {
 public:
  BeingOpened(Bench* bench, pair::StreamRef ref) : bench_(bench), ref_(ref) {}
  ~BeingOpened() {
    streams::Stream* session = is_seen_to_ ? nullptr : bench_->streams.find(ref_);
    if (session != nullptr) session->break_off(Reason::memory, "no memory");
  }
  BeingOpened(const BeingOpened&) = delete;
  BeingOpened& operator=(const BeingOpened&) = delete;
  void is_seen_to() noexcept { is_seen_to_ = true; }

 private:
  Bench* bench_;
  pair::StreamRef ref_;
  bool is_seen_to_ = false;
};

// One new stream with (local, remote) in its header, negotiated as far as Opened. The server is judged between TLS and
// our second header (TLS-03).
Task<Result<pair::StreamRef>> open_stream(Bench* bench, pairs::PairKey pair, Errand errand, Way way,
                                          std::shared_ptr<peers::Connecting> made, Instant deadline) {
  const Instant began = bench->now();
  Result<web::Connected> connected =
      co_await web::connect_any(bench->ground, way.host.addresses, way.target.port, deadline, Ports::usual, errand.by);
  if (!connected) {
    tell_failure(errand, "connection", connected.error(), bench->now() - began);
    co_return fail(connected.error());
  }
  if (bench->is_stopping) co_return fail(Reason::shutdown, "the gateway is stopping");
  const std::unique_ptr<ground::Attempts::Attempt> attempt = std::move(connected->attempt);
  const Labels labels = bench->peers.spellings.labels_of(pair.target);
  streams::Stream& added = bench->streams.add(
      std::move(connected->connection),
      stream::Machine::initiate(bench->streams.limits(), pair.sender, pair.target,
                                bench->ground.rules.encryption_towards(&pair.target), bench->now(), labels));
  const pair::StreamRef ref = added.ref;
  BeingOpened being_opened(bench, ref);
  bench->owner.stream_was_added();
  added.peer_host = way.target.host.text();
  added.peer = &bench->peers.at(way.target.host.text(), way.target.port);
  added.spelled = labels;
  added.shows_certificate = added.peer->no_certificate_until <= bench->wall();
  const Reservation reservation(bench, ref);
  auto wants_verdict = added.wants_verdict;
  auto opened = added.opened;
  const auto last_word = added.last_word;
  added.start();

  const auto give_up = [&](Error why) -> tl::unexpected<Error> {
    if (why.reason == Reason::stream_error) attempt->arrived();  // a word of XMPP
    attempt->failed(why);
    if (streams::Stream* session = bench->streams.find(ref)) {
      session->ended_by = why;
      session->close(why);
    }
    being_opened.is_seen_to();
    return fail(std::move(why));
  };
  const auto why_not = [&](const tl::expected<Result<void>, ground::Missed>& step) {
    if (step && !*step) return step->error();
    if (*last_word) return **last_word;
    return !step && step.error() == ground::Missed::late
               ? Error{Reason::setup_timeout, "the negotiation took too long"}
               : Error{Reason::network_closed, "the peer closed the connection during the negotiation"};
  };

  const auto asks = co_await wants_verdict->wait(bench->ground.world.clock, deadline);
  if (!asks || !*asks) co_return give_up(why_not(asks));
  attempt->arrived();
  if (const streams::Stream* shown = bench->streams.find(ref)) {
    tell_stream(errand, *shown, "a new stream", bench->now() - began);
    shown->peer->shown = shown->facts.peer_chain;
  }
  // P8: others that want this peer do not wait with us for a web server of this domain's choice.
  bench->ground.scope.call_at(bench->now() + kHeldUp, [weak = std::weak_ptr<peers::Connecting>(made)] {
    if (const auto held_up = weak.lock(); held_up != nullptr && !held_up->is_judged) held_up->passed->open(true);
  });
  const Result<Proof> verdict =
      co_await prove_server(bench, ref, way, pair.target, standard_of(errand.purpose), errand.by, errand.told);
  made->is_judged = true;
  if (!verdict && verdict.error().reason != Reason::network_closed) co_return give_up(verdict.error());
  streams::Stream* session = bench->streams.find(ref);
  if (session != nullptr)
    session->perform(session->machine.go_on(external_towards(*session->peer, bench->wall()),
                                            bidi_towards(*bench, *session->peer, pair.target, errand), bench->now()));

  const auto is_open = co_await opened->wait(bench->ground.world.clock, deadline);
  session = bench->streams.find(ref);
  if (!is_open || !*is_open || session == nullptr) co_return give_up(why_not(is_open));
  if (!session->is_authenticated && !session->machine.takes_dialback()) {
    const Error why = why_not_accepted(*session);
    if (!session->shows_certificate) {  // then it is the only way in, and may be taken by now
      session->peer->no_certificate_until = {};
      bench->peers.remember(*session->peer);
    }
    co_return give_up(why);
  }
  attempt->succeeded();
  session->unused_since = bench->now();
  bench->ground.log(report::Event(report::Level::info, "stream_opened")
                        .with("stream", session->number())
                        .with("direction", "out")
                        .with("peer", session->peer_host)
                        .with("address", session->connection->remote().text())
                        .with("local", pair.sender.text())
                        .with("remote", pair.target.text())
                        .with("tls", session->facts.version)
                        .with("external", session->is_authenticated         ? "accepted"
                                          : !session->shows_certificate     ? "not asked for"
                                          : !session->external_text.empty() ? "refused"
                                                                            : "not offered"));
  being_opened.is_seen_to();
  co_return ref;
}

// Is the failure the network's, so that every pair that waited for this peer shares it?
bool is_network_failure(Reason reason) {
  return reason == Reason::connect_refused || reason == Reason::connect_timeout ||
         reason == Reason::address_forbidden || reason == Reason::setup_timeout;
}

// Makes one connection to the peer, while others that it may serve wait at the gate.
Task<Result<pair::StreamRef>> connect(Bench* bench, pairs::PairKey pair, Errand errand, Way way, Instant deadline) {
  const std::string host(way.target.host.text());
  const std::uint16_t port = way.target.port;
  const auto made = std::make_shared<peers::Connecting>(bench->ground.world.executor);
  peers::Peer& peer = bench->peers.at(host, port);
  peer.connecting.insert_or_assign(pair.target, made);
  peer.last_try = bench->now();
  ++peer.kept_by;
  const OnLeaving over([&] {
    --peer.kept_by;
    if (const auto own = peer.connecting.find(pair.target); own != peer.connecting.end() && own->second == made)
      peer.connecting.erase(own);
    made->decided.open(false);  // unless they are open already: something was thrown
    made->passed->open(false);
  });
  const Result<pair::StreamRef> ref = co_await open_stream(bench, pair, errand, std::move(way), made, deadline);
  if (ref) {
    peer.failures = 0;
    peer.last_error.reset();
    if (streams::Stream* session = bench->streams.find(*ref)) {
      peer.takes_targets = session->machine.features().dialback_errors;
      peer.takes_targets_until = bench->wall() + peers::kLearned;
      bench->peers.remember(peer);
      bench->owner.stream_joins(*session, peer);
    }
  } else if (is_network_failure(ref.error().reason)) {
    const unsigned steps = std::min(peer.failures++, 9u);
    const Duration pause = std::min<Duration>(1s * (1u << steps), 300s);
    peer.retry_at = bench->now() + pause / 2 + pause * bench->ground.world.draw(1000) / 1000;
    peer.last_error = ref.error();
  }
  made->decided.open(ref.has_value());
  made->passed->open(ref.has_value());
  co_return ref;
}

Task<Result<Acquired>> acquire_at(Bench* bench, pairs::PairKey pair, Errand errand, Way way, Instant deadline) {
  const std::string host(way.target.host.text());
  const std::uint16_t port = way.target.port;
  std::set<pair::StreamRef> unfit;  // whose certificate does not prove this domain
  Error last{Reason::setup_timeout, "no stream could be opened in time"};
  unsigned dialed = 0;
  bool has_asked_ahead = false;
  std::set<Habits> tried;
  while (bench->now() < deadline && !bench->is_stopping) {
    peers::Peer& peer = bench->peers.at(host, port);
    if (streams::Stream* session = find_stream(*bench, peer, pair, errand, unfit)) {
      const pair::StreamRef ref = session->ref;
      tell_stream(errand, *session, "a live stream");
      const bool is_encrypted = session->machine.is_encrypted();
      Result<Proof> verdict =
          co_await prove_server(bench, ref, way, pair.target, standard_of(errand.purpose), errand.by, errand.told);
      if (!verdict && verdict.error().reason != Reason::dane_mismatch)
        if (auto vouched = proven_in_reverse(*bench, ref, pair)) verdict = std::move(*vouched);
      if (verdict) co_return Acquired{ref, std::move(*verdict), host, is_encrypted};
      last = verdict.error();
      unfit.insert(ref);  // another certificate may be shown to another SNI: a stream of its own is tried
      continue;
    }
    if (auto connecting = find_connecting(*bench, peer, pair)) {
      const auto came = co_await connecting->wait(bench->ground.world.clock, deadline);
      if (!came) co_return fail(Reason::setup_timeout, "the connection that was being made took too long");
      const peers::Peer& after = bench->peers.at(host, port);
      if (!*came && after.last_error && after.connecting.empty() && after.streams.empty())
        co_return fail(*after.last_error);
      continue;
    }
    if (const auto shown = peer.shown.lock(); shown != nullptr && !has_asked_ahead) {
      has_asked_ahead = true;
      if (would_wait_for_posh(*bench, *shown, way, pair.target, standard_of(errand.purpose))) {
        co_await bench->posh.ask(pair.target, errand.by);  // before there is a connection that would wait for it
        continue;
      }
    }
    if (!is_dial_back(errand.purpose) && takes_no_more(*bench, peer))
      co_return fail(Reason::dialback_error,
                     "the peer answered the dialback with resource-constraint, on a second stream too");
    if (dialed >= kMostAttempts) break;
    if (peer.last_error && peer.retry_at > bench->now() && bench->now() - peer.last_try < kRetryAtOnce)
      co_return fail(*peer.last_error);
    ++dialed;
    std::optional<DialBack> counted;
    if (is_dial_back(errand.purpose)) {
      if (Result<void> allowed = may_dial_back(*bench, errand.other); !allowed) co_return fail(allowed.error());
      counted.emplace(bench, errand.other);
    }
    tried.insert(habits_towards(*bench, peer, pair.target, errand));
    const Result<pair::StreamRef> ref = co_await connect(bench, pair, errand, way, deadline);
    if (ref) {
      const streams::Stream* made = bench->streams.find(*ref);
      if (errand.own_certificate && made != nullptr && !made->shows_certificate)
        co_return fail(Reason::external_refused,
                       "the peer refuses our certificate inside TLS, and takes us by nothing else");
      continue;
    }
    last = ref.error();
    // What this attempt taught of the peer helps the next one, which follows at once (EXT-01, AB-215).
    if (tried.contains(habits_towards(*bench, bench->peers.at(host, port), pair.target, errand))) break;
  }
  co_return fail(last);
}

}  // namespace

Task<Result<Acquired>> acquire(Bench* bench, pairs::PairKey pair, Errand errand, Instant deadline) {
  const Domain remote = pair.target;
  if (const Result<void> admitted = bench->ground.rules.admits(remote); !admitted) co_return fail(admitted.error());
  const Instant began = bench->now();
  seams::Resolver& resolver = errand.questions != nullptr ? *errand.questions : bench->ground.world.resolver;
  Delegation delegation = co_await dns::find_delegation(resolver, remote, bench->wall());
  if (errand.told != nullptr)
    proof::tell_delegation(*errand.told, "out", remote, delegation, report::milliseconds(bench->now() - began));
  switch (delegation.kind) {
    case Delegation::Kind::failed:
      co_return fail(delegation.failure.value_or(Error{Reason::dns_indeterminate, {}}));
    case Delegation::Kind::no_service:
      co_return fail(Reason::dns_no_service, "its SRV record says that XMPP is not offered");
    case Delegation::Kind::srv:
    case Delegation::Kind::fallback:
      break;
  }
  std::vector<SrvTarget> targets =
      proof::order_targets(delegation.targets, [&](std::uint32_t most) { return bench->ground.world.draw(most); });
  if (targets.empty()) co_return fail(Reason::dns_not_found, "its SRV records name no usable target");
  if (errand.purpose == Purpose::pair)
    if (const streams::Stream* ridden = bench->streams.find(errand.other); ridden != nullptr && ridden->peer != nullptr)
      std::stable_partition(targets.begin(), targets.end(), [&](const SrvTarget& target) {
        return target.host.text() == ridden->peer->host && target.port == ridden->peer->port;
      });
  if (errand.questions != nullptr)  // what the claim has asked already is asked no second time
    std::stable_partition(targets.begin(), targets.end(), [&](const SrvTarget& target) {
      return resolver.knows(std::string(target.host.text()), proof::RrType::a);
    });
  Error last{Reason::dns_not_found, {}};
  for (const SrvTarget& target : targets) {
    if (bench->now() >= deadline) break;
    const Instant asked = bench->now();
    dns::HostFacts host = co_await dns::look_up_host(resolver, target, delegation.security, bench->wall());
    if (errand.told != nullptr)
      proof::tell_target(*errand.told, "out", target, host.addresses, host.addresses_security,
                         host.tlsa ? &*host.tlsa : nullptr, host.failure ? &*host.failure : nullptr,
                         report::milliseconds(bench->now() - asked));
    if (host.failure) {
      const bool is_absent =
          host.failure->reason == Reason::address_none && delegation.kind == Delegation::Kind::fallback;
      last = is_absent ? Error{Reason::dns_not_found, "it has neither SRV nor address records"} : *host.failure;
      continue;
    }
    Way way{delegation, target, std::move(host)};
    Result<Acquired> acquired = co_await acquire_at(bench, pair, errand, std::move(way), deadline);
    if (acquired) co_return acquired;
    last = acquired.error();
    if (last.reason == Reason::dialback_too_many || last.reason == Reason::cancelled) break;
  }
  co_return fail(last);
}

}  // namespace ligase::prove
