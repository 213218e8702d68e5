// The hub's tables: streams, links, peers, pairs; their beginnings and ends; time.
#include "hub.hpp"

#include <fmt/format.h>

#include <boost/asio/post.hpp>

#include "base/bytes.hpp"
#include "claims.hpp"
#include "dial.hpp"
#include "learned.hpp"

namespace ligase {
namespace {

constexpr Duration kUnused = 10s;        // DB-03: a stream that no pair rides is kept so long
constexpr Duration kLinkPatience = 30s;  // COMP-04
constexpr Duration kBlamed = 5s;         // MUX-06
constexpr std::size_t kManyPeers = 1000;
constexpr std::uint64_t kWaitingPerPlace = 16;  // connections that wait for one place among the unproven of a prefix

}  // namespace

bool is_peer_s_end(Reason reason) {
  return reason == Reason::stream_error || reason == Reason::stream_closed || reason == Reason::network_closed ||
         reason == Reason::tls_truncated;
}

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

}  // namespace

Hub::Hub(Settings s, ground::World w)
    : ground(w, rules_of(s)),
      settings(std::move(s)),
      posh(ground),
      revocation(
          ground, [this](const std::string& leaf) { judge_again(leaf); }, settings.memos),
      staples(ground, settings.revocation.set_staple, settings.memos) {
  revocation.take_lists(std::exchange(settings.revocation.lists, {}));
  rate_since_ = now();
  for (std::size_t i = 0; i < settings.links.size(); ++i) {
    const auto& domains =
        std::visit([](const auto& link) -> const std::vector<Domain>& { return link.domains; }, settings.links[i]);
    for (const Domain& domain : domains) {
      auto hosted_domain = std::make_unique<HostedDomain>(HostedDomain{domain, i, nullptr, nullptr});
      const std::string_view key = hosted_domain->domain.text();
      hosted_domains.emplace(key, std::move(hosted_domain));
    }
  }
  recall(*this);
  posh.recall(settings.memos, wall(), now());
  settings.memos = {};  // read, and not held twice
}
Hub::~Hub() = default;

// ---- streams

Session* Hub::session(pair::StreamRef ref) noexcept {
  const auto found = sessions.find(ref);
  return found == sessions.end() || found->second->is_ending ? nullptr : found->second.get();
}

Session& Hub::add_session(std::unique_ptr<seams::Connection> connection, stream::Machine machine) {
  const pair::StreamRef ref{next_number_++};
  auto added = std::make_unique<Session>(*this, ref, std::move(connection), std::move(machine));
  Session& session = *added;
  sessions.emplace(ref, std::move(added));
  schedule_sweep();
  return session;
}

namespace {

bool is_same_prefix(const Address& a, const Address& b) { return prefix_of(a) == prefix_of(b); }

}  // namespace

void Hub::accept_s2s(std::unique_ptr<seams::Connection> connection) {
  if (is_stopping || sessions.size() + waiting_.size() >= ground.rules.limits().streams_total)
    return;  // accept and close
  const Address from = connection->remote().address;
  if (has_room_for(from)) return start_s2s(std::move(connection));
  // A stock server opens a connection a pair: a burst of them waits, unread, for the streams before it to be proven. What
  // is more than a stock server's burst is closed (AB-016, docs/decisions).
  const auto same = std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& other) {
    return is_same_prefix(from, other.connection->remote().address);
  });
  if (static_cast<std::uint64_t>(same) >= kWaitingPerPlace * ground.rules.limits().unproven_per_prefix)
    return count_drop(Reason::limit_reached, "unproven_per_prefix", nullptr);
  waiting_.push_back({std::move(connection), now()});
  schedule_sweep();
}

bool Hub::has_room_for(const Address& from) const {
  std::uint64_t unproven = 0, expected = 0;
  for (const auto& [ref, other] : sessions) {
    if (other->is_ending) continue;
    if (other->machine.role() == Role::receiving && !other->machine.is_proven() &&
        is_same_prefix(from, other->connection->remote().address))
      ++unproven;
    // A db:result of ours makes the peer dial back, an ejabberd or Prosody over a connection for each pair, and from
    // an address that nobody announced: as many more may come as answers are waited for (at most proving_per_stream
    // a stream), lest 400 pairs asked for at once shut out the very questions that prove them.
    expected += other->asked.size();
  }
  return unproven < ground.rules.limits().unproven_per_prefix + expected;
}

void Hub::start_s2s(std::unique_ptr<seams::Connection> connection) {
  add_session(std::move(connection), stream::Machine::receive(
                                         stream_limits(), *this, [this] { return new_id(); }, now()))
      .start();
}

void Hub::admit_waiting() {
  if (waiting_.empty() || admission_is_posted_) return;
  admission_is_posted_ = true;
  ground.scope.post([this] {
    admission_is_posted_ = false;
    std::vector<Waiting> waiting(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.end()));
    waiting_.clear();
    for (Waiting& next : waiting) {
      if (is_stopping || now() - next.since >= ground.rules.limits().unproven_timeout) continue;  // closed
      if (has_room_for(next.connection->remote().address)) {
        start_s2s(std::move(next.connection));
      } else {
        waiting_.push_back(std::move(next));
      }
    }
  });
}

// Who waits for an answer on this stream learns that none will come.
void Hub::release_waiters(Session& session, const Error& why) {
  if (session.opened) session.opened->open(fail(why));
  if (session.wants_verdict) session.wants_verdict->open(fail(why));
  for (auto& [pair, gate] : std::exchange(session.asked, {})) gate->open(DbAnswer(fail(why)));
  for (auto& turn : std::exchange(session.wait_to_ask, {})) turn->open(false);
  for (auto& [question, gate] : std::exchange(session.verifying, {})) gate->open(DbAnswer(fail(why)));
  for (auto& [sender, record] : session.senders)
    if (record.done) record.done->open(false);
}

void Hub::session_is_over(Session& session) {
  admit_waiting();
  Error why = session.ended_by.value_or(Error{Reason::network_closed, {}});
  // Some cannot bear our certificate: the stream ends without a word where <auth/> should have been answered (EXT-01).
  const bool is_cut_at_external = session.peer != nullptr && session.machine.awaits_authentication() &&
                                  is_peer_s_end(why.reason) && why.reason != Reason::stream_error;
  if (is_cut_at_external) {
    why.detail += "; it was cut where EXTERNAL should have been answered, so the next one goes without";
    session.peer->no_external_until = wall() + kLearnedOfHarm;
    remember(*this, *session.peer);
  }
  release_waiters(session, why);
  if (session.peer != nullptr) {
    session.peer->streams.erase(session.ref);
    // A peer that says that it is being stopped minds no further pair.
    const bool is_shutdown = session.machine.peer_error() == StreamError::system_shutdown;
    if (session.machine.role() == Role::initiating && is_peer_s_end(why.reason) && !is_shutdown) {
      const auto is_blamed = [&](const std::optional<Instant>& asked) { return asked && now() - *asked < kBlamed; };
      const bool by_target = is_blamed(session.last_extra_target), by_sender = is_blamed(session.last_extra_sender);
      if (by_target) session.peer->no_extra_targets_until = wall() + kLearned;
      if (by_sender) session.peer->no_extra_senders_until = wall() + kLearned;
      if (by_target || by_sender) remember(*this, *session.peer);
    }
  }
  log(report::Event(report::Level::info, "stream_closed")
          .with("stream", session.number())
          .with("direction", session.machine.role() == Role::initiating ? "out" : "in")
          .with("peer", session.peer_host)
          .with("address", session.connection->remote().text())
          .with("local", session.machine.local() ? session.machine.local()->text() : std::string_view())
          .with("remote", session.machine.remote() ? session.machine.remote()->text() : std::string_view())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail)
          .with("unsent_bytes", std::to_string(session.riding.empty() ? 0 : session.connection->queued())));
  // A pair is a choice made anew (MUX-01): what waits moves on, what is at rest is forgotten.
  for (OutPair* pair : std::exchange(session.riding, {})) {
    if (pair->queue && !is_stopping) {
      pair->state = pair::Proving{wall()};
      set_up(*pair);
    } else if (!pair->is_being_set_up && !pair->queue) {
      out_pairs.erase(out_pairs.find(static_cast<PairView>(pair->key)));
    } else {
      pair->state = pair::Expired{wall()};
      pair->renewal.cancel();
    }
  }
  for (auto& [key, in_pair] : session.in_pairs) {
    const bool was_proven = !std::holds_alternative<pair::Proving>(in_pair.state);
    for (const pair::Stanza& stanza : take_held(in_pair)) {
      if (was_proven) {
        bounce_to_remote(stanza, why);
      } else {  // MUX-08: whoever sent it, an error would go to somebody else
        count_drop(Reason::sender_not_proven, "unproven_reply", &session);
      }
    }
  }
  session.in_pairs.clear();
}

void Hub::session_is_closed(Session& session) {
  auto found = sessions.find(session.ref);
  if (found == sessions.end()) return;
  over_.push_back(std::move(found->second));
  sessions.erase(found);
  schedule_burial();
}

void Hub::schedule_burial() {
  if (burial_is_posted_) return;
  burial_is_posted_ = true;
  boost::asio::post(ground.world.executor, [this, hold = ground::Scope::Hold(ground.scope)] {
    burial_is_posted_ = false;
    over_.clear();
    over_links_.clear();
    check_stopped();
  });
}

Peer& Hub::peer(std::string_view host, std::uint16_t port) {
  Peer& found = peers[{std::string(host), port}];
  if (found.host.empty()) {
    found.host = host;
    found.port = port;
  }
  return found;
}

// ---- links

void Hub::accept_component(std::unique_ptr<seams::Connection> connection) {
  if (is_stopping || links.size() >= ground.rules.limits().streams_total) return;
  const std::uint64_t number = next_number_++;
  auto added = std::make_unique<LinkSession>(*this, number, std::move(connection));
  LinkSession& link = *added;
  links.emplace(number, std::move(added));
  link.start();
}

void Hub::link_is_up(LinkSession& link) {
  HostedDomain* domain = hosted(link.machine.domain()->text());
  if (domain == nullptr) return;
  domain->session = &link;
  log(report::Event(report::Level::info, "link_up")
          .with("link", std::to_string(link.number))
          .with("local", domain->domain.text())
          .with("address", link.connection->remote().text()));
  drain_link(link);
}

void Hub::link_is_over(LinkSession& link) {
  const Error why = link.ended_by.value_or(Error{Reason::network_closed, {}});
  HostedDomain* domain = link.machine.domain() ? hosted(link.machine.domain()->text()) : nullptr;
  const bool was_up = domain != nullptr && domain->session == &link;
  if (was_up) domain->session = nullptr;
  log(report::Event(was_up ? report::Level::info : report::Level::warning, was_up ? "link_down" : "link_refused")
          .with("link", std::to_string(link.number))
          .with("local", link.machine.domain() ? link.machine.domain()->text() : std::string_view())
          .with("address", link.connection->remote().text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail));
}

void Hub::link_is_closed(LinkSession& link) {
  auto found = links.find(link.number);
  if (found == links.end()) return;
  over_links_.push_back(std::move(found->second));
  links.erase(found);
  schedule_burial();
}

// ---- facts

HostedDomain* Hub::hosted(std::string_view domain) noexcept {
  const auto found = hosted_domains.find(domain);
  return found == hosted_domains.end() ? nullptr : found->second.get();
}
bool Hub::is_hosted(const Domain& domain) const { return hosted_domains.contains(domain.text()); }

Encryption Hub::encryption_towards(const Domain* remote) const { return ground.rules.encryption_towards(remote); }

const std::string* Hub::secret_of(const Domain& domain) const {
  const auto found = hosted_domains.find(domain.text());
  if (found == hosted_domains.end()) return nullptr;
  const auto* component = std::get_if<config::ComponentLink>(&settings.links[found->second->link]);
  return component == nullptr ? nullptr : &component->secret.bytes;
}

bool Hub::is_connected(const Domain& domain) const {
  const auto found = hosted_domains.find(domain.text());
  return found != hosted_domains.end() && found->second->session != nullptr;
}

stream::Limits Hub::stream_limits() const {
  const config::Limits& limits = ground.rules.limits();
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.idle_timeout,
          limits.keep_alive,
          3};
}

link::Limits Hub::link_limits() const {
  const config::Limits& limits = ground.rules.limits();
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.keep_alive};
}

void Hub::count_drop(Reason reason, std::string_view what, const Session* session) {
  ++dropped[std::string(name_of(reason))];
  report::Event event(report::Level::warning, "dropped");
  event.with("reason", name_of(reason)).with("what", what);
  if (session != nullptr) event.with("stream", session->number()).with("address", session->connection->remote().text());
  log(std::move(event));
}

// ---- time and ends

void Hub::schedule_sweep() {
  if (sweep_is_scheduled_ || ground.scope.is_closed()) return;
  sweep_is_scheduled_ = true;
  sweep_timer_ = ground.world.clock.call_at(now() + 1s, [this] {
    sweep_is_scheduled_ = false;
    sweep();
  });
}

void Hub::sweep() {
  admit_waiting();
  revocation.recheck();
  renew_due();
  sweep_pairs();
  sweep_sessions();
  end_streams_without_pairs();
  if (peers.size() > kManyPeers) forget_peers();
  const bool is_waiting = std::any_of(hosted_domains.begin(), hosted_domains.end(),
                                      [](const auto& entry) { return entry.second->waiting != nullptr; });
  if (!sessions.empty() || !out_pairs.empty() || !waiting_.empty() || is_waiting) schedule_sweep();
}

void Hub::forget_peers() {
  std::set<const Peer*> in_use;  // by a stream, even one that is still being negotiated
  for (const auto& [ref, session] : sessions) in_use.insert(session->peer);
  std::erase_if(peers, [&](const auto& entry) {
    const Peer& peer = entry.second;
    return !in_use.contains(&peer) && peer.connecting.empty() && peer.queued == 0 && peer.retry_at <= now() &&
           (peers.size() > kMostPeers || !holds_fact(peer, wall()));
  });
}

void Hub::sweep_pairs() {
  for (OutPair* pair : std::vector<OutPair*>(queued_.begin(), queued_.end())) {
    const std::uint64_t before = pair->queue->bytes();
    const std::vector<pair::Stanza> old = pair->queue->take_older_than(now() - ground.rules.limits().queue_age);
    count_queued(*pair, before);
    for (const pair::Stanza& stanza : old)
      if (HostedDomain* from = hosted(pair->key.sender.text()))
        bounce_to_local(*from, stanza, pair->last_error.value_or(Error{Reason::queue_age, "it waited too long"}),
                        pair->key.target);
    if (pair->queue->is_empty()) forget_queue(*pair);
  }
  for (auto& [name, domain] : hosted_domains) {
    if (!domain->waiting || domain->session != nullptr) continue;
    const std::uint64_t before = domain->waiting->bytes();
    const std::vector<pair::Stanza> old = domain->waiting->take_older_than(now() - kLinkPatience);
    queued_total_ -= before - domain->waiting->bytes();
    for (const pair::Stanza& stanza : old)
      bounce_to_remote(stanza, {Reason::link_down, "the domain's server is not connected"});
    if (domain->waiting->is_empty()) domain->waiting.reset();
  }
  // A refusal is remembered while it matters; then the pair, at rest, is forgotten.
  std::erase_if(out_pairs, [&](const auto& entry) {
    const OutPair& pair = *entry.second;
    const auto* refused = std::get_if<pair::Refused>(&pair.state);
    return refused != nullptr && !pair.queue && !pair.is_being_set_up &&
           refused->retry_at + std::chrono::minutes(10) < wall();
  });
}

void Hub::sweep_sessions() {
  std::vector<pair::StreamRef> unused;
  for (const auto& [ref, session] : sessions) {
    if (session->is_ending || session->machine.role() != Role::initiating || !session->machine.is_open()) continue;
    if (!session->riding.empty() || !session->asked.empty() || !session->verifying.empty() || session->reserved > 0) {
      session->unused_since = now();
    } else if (now() - session->unused_since >= kUnused) {
      unused.push_back(ref);
    }
  }
  for (const pair::StreamRef ref : unused)
    if (Session* idle = session(ref)) idle->close({Reason::stream_idle, "no pair rides it"});
}

Result<void> Hub::close_stream(const std::string& id) {
  const Error why{Reason::stream_closed, "closed by an operator"};
  for (const auto& [ref, session] : sessions) {
    if (session->number() != id || session->is_ending) continue;
    log(report::Event(report::Level::info, "closed_by_operator").with("stream", id));
    session->close(why);
    return {};
  }
  for (const auto& [number, link] : links) {
    if (std::to_string(number) != id || link->is_ending) continue;
    log(report::Event(report::Level::info, "closed_by_operator").with("stream", id));
    link->end({StreamError::reset, "closed by an operator"}, why);
    return {};
  }
  return fail(Reason::stream_closed, fmt::format("no stream {} is open; `ligase ctl streams` lists them", id));
}

void Hub::stop(std::function<void()> done) {
  if (is_stopping) return;
  is_stopping = true;
  waiting_.clear();
  stopped_ = std::move(done);
  stop_timer_ = ground.world.clock.call_at(now() + ground.rules.limits().drain_timeout, [this] {
    stop_timer_ = seams::TimerId::none;
    shut_down();
    check_stopped();
  });
  const Error why{Reason::shutdown, "the gateway is stopping"};
  for (OutPair* pair : std::vector<OutPair*>(queued_.begin(), queued_.end())) bounce_all(*pair, why);
  std::vector<pair::StreamRef> open;
  for (const auto& [ref, session] : sessions) open.push_back(ref);
  for (const pair::StreamRef ref : open)
    if (Session* found = session(ref)) found->end({StreamError::system_shutdown, "the server is being stopped"}, why);
  std::vector<std::uint64_t> open_links;
  for (const auto& [number, link] : links) open_links.push_back(number);
  for (const std::uint64_t number : open_links)
    if (const auto found = links.find(number); found != links.end() && !found->second->is_ending)
      found->second->end({StreamError::system_shutdown, "the server is being stopped"}, why);
  schedule_burial();
}

void Hub::check_stopped() {
  if (!stopped_ || !sessions.empty() || !links.empty()) return;
  if (stop_timer_ != seams::TimerId::none) ground.world.clock.cancel(stop_timer_);
  std::exchange(stopped_, {})();
}

void Hub::shut_down() {
  if (stop_timer_ != seams::TimerId::none) ground.world.clock.cancel(std::exchange(stop_timer_, seams::TimerId::none));
  ground.scope.close();
  is_stopping = true;
  if (sweep_is_scheduled_) ground.world.clock.cancel(sweep_timer_);
  for (const auto& [ref, session] : sessions) {
    release_waiters(*session, {Reason::shutdown, "the gateway is stopping"});
    session->connection->abort();
  }
  for (const auto& [number, link] : links) link->connection->abort();
  sessions.clear();
  waiting_.clear();
  links.clear();
  for (auto& [name, domain] : hosted_domains) domain->session = nullptr;
}

double Hub::rate() const {
  const Duration passed = now() - rate_since_;
  if (passed >= 1s) {
    rate_ = static_cast<double>(stanzas_ - rate_stanzas_) / std::chrono::duration<double>(passed).count();
    rate_stanzas_ = stanzas_;
    rate_since_ = now();
  }
  return rate_;
}

}  // namespace ligase
