// The hub's tables: streams, links, peers, pairs; their beginnings and ends; time.
#include "hub.hpp"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
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
constexpr std::size_t kMostRefusedClaims = 10000;
constexpr std::size_t kManyPeers = 1000;
constexpr std::uint64_t kWaitingPerPlace = 16;  // connections that wait for one place among the unproven of a prefix

bool is_peer_s_end(Reason reason) {
  return reason == Reason::stream_error || reason == Reason::stream_closed || reason == Reason::network_closed ||
         reason == Reason::tls_truncated;
}

// How long a refused pair rests (MUX-05); what DNS says is remembered by the resolver's cache, what the network does by
// the peer's own back-off (ROUTE-04).
std::chrono::seconds rest_after(Reason reason, unsigned times) {
  switch (describe(reason).condition) {
    case StanzaError::remote_server_not_found:
      return std::chrono::seconds(5);
    default:
      break;
  }
  const bool is_network = reason == Reason::connect_refused || reason == Reason::connect_timeout ||
                          reason == Reason::setup_timeout || is_peer_s_end(reason);
  if (is_network || reason == Reason::dns_indeterminate || reason == Reason::cancelled) return std::chrono::seconds(10);
  return std::chrono::seconds(std::min(30u << std::min(times, 7u), 3600u));
}

}  // namespace

std::string failure_text(const Domain& remote, const Error& why) {
  const std::string name = remote.display();
  const std::string_view reason = name_of(why.reason);
  const std::string detail = why.detail.empty() ? std::string(describe(why.reason).what_to_do) : why.detail;
  const bool is_proof = reason.starts_with("pkix.") || reason.starts_with("dane.") || reason.starts_with("posh.") ||
                        reason.starts_with("dialback.") || reason.starts_with("external.") ||
                        reason.starts_with("certificate.") || reason == "policy.proof" || reason == "dns.bogus" ||
                        reason == "dns.tlsa_bogus";
  return fmt::format("{} {}: {}: {}", name, is_proof ? "could not be authenticated" : "could not be reached", reason,
                     detail);
}

Hub::Hub(Settings s, World w) : settings(std::move(s)), world(w), paths(settings.anchors), revocation(*this) {
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
  // Read, and not held twice; a staple is looked for again whenever certificates are read again.
  std::erase_if(settings.memos, [](const seams::Memo& memo) { return memo.kind != "staple"; });
  settings.memos.shrink_to_fit();
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
  if (is_stopping || sessions.size() + waiting_.size() >= settings.limits.streams_total) return;  // accept and close
  const Address from = connection->remote().address;
  if (has_room_for(from)) return start_s2s(std::move(connection));
  // A stock server opens a connection a pair: a burst of them waits, unread, for the streams before it to be proven. What
  // is more than a stock server's burst is closed (AB-016, docs/decisions).
  const auto same = std::count_if(waiting_.begin(), waiting_.end(), [&](const Waiting& other) {
    return is_same_prefix(from, other.connection->remote().address);
  });
  if (static_cast<std::uint64_t>(same) >= kWaitingPerPlace * settings.limits.unproven_per_prefix)
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
  return unproven < settings.limits.unproven_per_prefix + expected;
}

void Hub::start_s2s(std::unique_ptr<seams::Connection> connection) {
  add_session(std::move(connection), stream::Machine::receive(
                                         stream_limits(), *this, [this] { return new_id(); }, now()))
      .start();
}

void Hub::admit_waiting() {
  if (waiting_.empty() || admission_is_posted_) return;
  admission_is_posted_ = true;
  boost::asio::post(world.executor, [self = shared_from_this()] {
    self->admission_is_posted_ = false;
    std::vector<Waiting> waiting(std::make_move_iterator(self->waiting_.begin()),
                                 std::make_move_iterator(self->waiting_.end()));
    self->waiting_.clear();
    for (Waiting& next : waiting) {
      if (self->is_stopping || self->now() - next.since >= self->settings.limits.unproven_timeout) continue;  // closed
      if (self->has_room_for(next.connection->remote().address)) {
        self->start_s2s(std::move(next.connection));
      } else {
        self->waiting_.push_back(std::move(next));
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
  boost::asio::post(world.executor, [self = shared_from_this()] {
    self->burial_is_posted_ = false;
    self->over_.clear();
    self->over_links_.clear();
    self->check_stopped();
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
  if (is_stopping || links.size() >= settings.limits.streams_total) return;
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

// ---- pairs

OutPair* Hub::find_out_pair(PairView key) noexcept {
  const auto found = out_pairs.find(key);
  return found == out_pairs.end() ? nullptr : found->second.get();
}

OutPair& Hub::out_pair(const PairKey& key) {
  auto& slot = out_pairs[key];
  if (!slot) {
    slot = std::make_unique<OutPair>(
        OutPair{key, pair::Proving{wall()}, {}, nullptr, nullptr, false, 0, std::nullopt, {}});
    schedule_sweep();
  }
  return *slot;
}

void Hub::set_up(OutPair& pair) {
  if (pair.is_being_set_up || is_shut_down) return;
  pair.is_being_set_up = true;
  pair.state = pair::Proving{wall()};
  pair.renewal.cancel();
  spawn(set_up_pair(shared_from_this(), pair.key));
}

proof::Proof Hub::bounded(proof::Proof proof) const {
  proof.expires =
      std::min(proof.expires, wall() + std::chrono::duration_cast<std::chrono::seconds>(settings.limits.proof_max_age));
  return proof;
}

namespace {

// What an operator reads of a pair that is proven: for the first time, with evidence that changed, or just again.
report::Event proven_event(const pair::PairState& before, const proof::Proof& proof, const Session& session) {
  const auto* was = std::get_if<pair::Proven>(&before);
  const bool is_same = was != nullptr && was->proof.type == proof.type && was->proof.evidence == proof.evidence &&
                       was->stream == session.ref;
  report::Event event(is_same ? report::Level::debug : report::Level::info, is_same          ? "pair_renewed"
                                                                            : was != nullptr ? "evidence_changed"
                                                                                             : "pair_proven");
  event.with("direction", session.machine.role() == Role::initiating ? "out" : "in")
      .with("stream", session.number())
      .with("peer", session.peer_host)
      .with("proof", proof::name_of(proof.type))
      .with("evidence", proof.evidence)
      .with("expires", rfc3339(proof.expires));
  if (was != nullptr && !is_same)
    event.with("was_proof", proof::name_of(was->proof.type)).with("was_evidence", was->proof.evidence);
  return event;
}

// Will it perhaps be otherwise in a while? Then a proof that holds is not given up for it.
bool may_pass(const Error& why) { return describe(why.reason).type == ErrorType::wait; }

}  // namespace

void Hub::out_pair_is_proven(OutPair& pair, Session& session, proof::Proof proof) {
  pair.is_being_set_up = false;
  pair.accepted_on = session.ref;
  pair.last_error.reset();
  proof = bounded(std::move(proof));
  log(proven_event(pair.state, proof, session)
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text()));
  if (const auto* before = std::get_if<pair::Proven>(&pair.state); before != nullptr && before->stream != session.ref)
    if (Session* left = this->session(before->stream)) left->riding.erase(&pair);
  pair.renewal = renewals.schedule({}, pair.key, now(), proof.expires - wall());
  pair.state = pair::Proven{std::move(proof), session.ref, epoch, wall()};
  session.riding.insert(&pair);
  wait_at(pair, session.peer);
  session.machine.pair_proven(now());
  drain(pair, session);
}

void Hub::out_pair_is_not_proven(OutPair& pair, const Error& why) {
  pair.is_being_set_up = false;
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  Session* rides = proven != nullptr ? session(proven->stream) : nullptr;
  const bool still_holds =
      rides != nullptr && pair::live_proof(pair.state, rides->ref, epoch, wall()) != nullptr && may_pass(why);
  if (!still_holds) {
    if (rides != nullptr) rides->riding.erase(&pair);
    return refuse(pair, why);
  }
  pair.renewal = renewals.schedule_retry({}, pair.key, now(), proven->proof.expires - wall());
  log(report::Event(report::Level::warning, "renewal_failed")
          .with("direction", "out")
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail)
          .with("expires", rfc3339(proven->proof.expires)));
  drain(pair, *rides);
}

void Hub::refuse(OutPair& pair, const Error& why) {
  pair.renewal.cancel();
  const auto* before = std::get_if<pair::Refused>(&pair.state);
  const unsigned times = before != nullptr ? before->times + 1 : pair.last_error ? 1 : 0;
  pair.state = pair::Refused{why, wall(), wall() + rest_after(why.reason, times), times};
  pair.last_error = why;
  log(report::Event(report::Level::warning, "pair_refused")
          .with("direction", "out")
          .with("local", pair.key.sender.text())
          .with("remote", pair.key.target.text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail)
          .with("advice", describe(why.reason).what_to_do));
  bounce_all(pair, why);
}

InPair& Hub::grant(Session& session, const PairKey& key, proof::Proof proof, std::string dialback_key) {
  const auto found = session.in_pairs.try_emplace(key).first;
  InPair& pair = found->second;
  refused_claims.erase(key);
  if (!dialback_key.empty()) pair.dialback_key = std::move(dialback_key);
  proof = bounded(std::move(proof));
  log(proven_event(pair.state, proof, session).with("local", key.target.text()).with("remote", key.sender.text()));
  pair.renewal = renewals.schedule(session.ref, found->first, now(), proof.expires - wall());
  if (proof.type == proof::ProofType::dialback) session.senders[key.sender].is_proven_by_dialback = true;
  pair.state = pair::Proven{std::move(proof), session.ref, epoch, wall()};
  if (!session.machine.is_proven()) admit_waiting();
  session.machine.pair_proven(now());
  return pair;
}

void Hub::prove_anew(Session& session, const PairKey& key, InPair& pair) {
  pair.renewal.cancel();
  if (pair.is_being_proven || is_shut_down) return;
  pair.is_being_proven = true;
  spawn(prove_in_pair(shared_from_this(), session.ref, key));
}

void Hub::in_pair_is_not_proven(Session& session, const PairKey& key, InPair& pair, const Error& why) {
  const auto* proven = std::get_if<pair::Proven>(&pair.state);
  if (pair::live_proof(pair.state, session.ref, epoch, wall()) != nullptr && may_pass(why)) {
    pair.renewal =
        renewals.schedule_retry(session.ref, session.in_pairs.find(key)->first, now(), proven->proof.expires - wall());
    log(report::Event(report::Level::warning, "renewal_failed")
            .with("direction", "in")
            .with("local", key.target.text())
            .with("remote", key.sender.text())
            .with("stream", session.number())
            .with("reason", name_of(why.reason))
            .with("detail", why.detail)
            .with("expires", rfc3339(proven->proof.expires)));
    return;
  }
  pair.state = pair::Refused{why, wall(),
                             wall() + std::chrono::ceil<std::chrono::seconds>(settings.limits.negative_proof_cache), 0};
  note_refused_in(session, key, why);
}

void Hub::take_policy(config::Policy policy) {
  settings.policy = std::move(policy);
  ++epoch.number;
  refused_claims.clear();
  for (auto& [key, pair] : out_pairs) {
    if (auto* refused = std::get_if<pair::Refused>(&pair->state)) refused->retry_at = wall();
    if (std::holds_alternative<pair::Proven>(pair->state))
      pair->renewal = renewals.schedule({}, pair->key, now(), Duration::zero());
  }
  for (auto& [ref, session] : sessions)
    for (auto& [key, pair] : session->in_pairs) {
      if (auto* refused = std::get_if<pair::Refused>(&pair.state)) refused->retry_at = wall();
      if (std::holds_alternative<pair::Proven>(pair.state))
        pair.renewal = renewals.schedule(ref, key, now(), Duration::zero());
    }
}

void Hub::judge_again(std::string_view leaf_fingerprint) {
  for (auto& [ref, session] : sessions) {
    const auto& chain = session->facts.peer_chain;
    if (chain == nullptr || chain->fingerprint() != leaf_fingerprint) continue;
    for (auto& [sender, record] : session->senders) record.epoch = {};  // of no policy: judged again before it counts
    for (OutPair* pair : session->riding) pair->renewal = renewals.schedule({}, pair->key, now(), Duration::zero());
    for (auto& [key, pair] : session->in_pairs)
      if (std::holds_alternative<pair::Proven>(pair.state))
        pair.renewal = renewals.schedule(ref, key, now(), Duration::zero());
  }
}

void Hub::note_refused_in(Session& session, const PairKey& key, const Error& why) {
  if (refused_claims.size() >= kMostRefusedClaims)
    std::erase_if(refused_claims, [&](const auto& entry) { return entry.second.until <= now(); });
  if (refused_claims.size() < kMostRefusedClaims)
    refused_claims.insert_or_assign(key, RefusedClaim{why, session.connection->remote().address, wall(),
                                                      now() + settings.limits.negative_proof_cache});
  log(report::Event(report::Level::warning, "pair_refused")
          .with("direction", "in")
          .with("local", key.target.text())
          .with("remote", key.sender.text())
          .with("stream", session.number())
          .with("address", session.connection->remote().text())
          .with("reason", name_of(why.reason))
          .with("detail", why.detail));
}

// ---- facts

HostedDomain* Hub::hosted(std::string_view domain) noexcept {
  const auto found = hosted_domains.find(domain);
  return found == hosted_domains.end() ? nullptr : found->second.get();
}
bool Hub::is_hosted(const Domain& domain) const { return hosted_domains.contains(domain.text()); }

std::size_t Hub::certificate_of(const Domain& domain) const {
  const auto found = settings.own_certificates.find(domain);
  return found == settings.own_certificates.end() ? 0 : found->second;
}

Encryption Hub::encryption_towards(const Domain* remote) const {
  return remote != nullptr ? policy_towards(*remote).encryption : settings.policy.defaults.encryption;
}

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

bool Hub::is_allowed_name(const Domain& remote) const {
  return !remote.is_special_use() || std::any_of(settings.policy.peers.begin(), settings.policy.peers.end(),
                                                 [&](const config::PeerRule& rule) { return rule.names(remote); });
}

std::string Hub::new_id() {
  std::uint8_t bytes[16];
  world.random.fill(bytes, sizeof bytes);
  return hex(bytes);
}

std::uint32_t Hub::draw(std::uint32_t most) {
  std::uint8_t bytes[8];
  world.random.fill(bytes, sizeof bytes);
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return static_cast<std::uint32_t>(number % (static_cast<std::uint64_t>(most) + 1));
}

stream::Limits Hub::stream_limits() const {
  const config::Limits& limits = settings.limits;
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.idle_timeout,
          limits.keep_alive,
          3};
}

link::Limits Hub::link_limits() const {
  const config::Limits& limits = settings.limits;
  return {{limits.stanza_size_unproven, limits.depth, limits.attributes, limits.start_tag, limits.name},
          limits.stanza_size,
          limits.unproven_timeout,
          limits.keep_alive};
}

void Hub::log(report::Event event) {
  if (world.log.wants(event.level)) world.log.write(std::move(event));
}

void Hub::count_drop(Reason reason, std::string_view what, const Session* session) {
  ++dropped[std::string(name_of(reason))];
  report::Event event(report::Level::warning, "dropped");
  event.with("reason", name_of(reason)).with("what", what);
  if (session != nullptr) event.with("stream", session->number()).with("address", session->connection->remote().text());
  log(std::move(event));
}

// ---- time and ends

void Hub::spawn(Task<void> task) {
  if (is_shut_down) return;
  boost::asio::co_spawn(world.executor, std::move(task), [self = shared_from_this()](std::exception_ptr failure) {
    if (!failure) return;
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& e) {
      self->log(report::Event(report::Level::error, "internal_fault").with("detail", e.what()));
    }
  });
}

void Hub::schedule_sweep() {
  if (sweep_is_scheduled_ || is_shut_down) return;
  sweep_is_scheduled_ = true;
  sweep_timer_ = world.clock.call_at(now() + 1s, [this] {
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

void Hub::renew_due() {
  if (is_stopping) return;
  for (const Renewals::Renewal& due : renewals.take_due(now())) {
    if (due.stream == pair::StreamRef{}) {
      OutPair* pair = find_out_pair(due.key);
      if (pair == nullptr) continue;
      pair->renewal.cancel();
      if (pair->is_being_set_up) continue;
      pair->is_being_set_up = true;  // its proof holds meanwhile
      spawn(set_up_pair(shared_from_this(), due.key));
    } else if (Session* rides = session(due.stream)) {
      const auto found = rides->in_pairs.find(due.key);
      if (found != rides->in_pairs.end()) prove_anew(*rides, found->first, found->second);
    }
  }
}

// PKIX-05: a proof's end is the pair's; the stream's only when none is left (RFC 6120 §13.7.2.3: reset, so that the peer may
// come again with what proves it by then).
void Hub::end_streams_without_pairs() {
  std::vector<pair::StreamRef> bare;
  for (const auto& [ref, session] : sessions) {
    if (session->is_ending || session->in_pairs.empty() || !session->claims.empty()) continue;
    const bool has_use = std::ranges::any_of(session->in_pairs, [&](const auto& entry) {
      return entry.second.is_being_proven || !std::holds_alternative<pair::Refused>(entry.second.state);
    });
    if (!has_use) bare.push_back(ref);
  }
  for (const pair::StreamRef ref : bare)
    if (Session* found = session(ref))
      found->end({StreamError::reset, "no domain pair of this stream is proven any more"},
                 {Reason::proof_expired, "no pair of it is proven any more"});
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
    const std::vector<pair::Stanza> old = pair->queue->take_older_than(now() - settings.limits.queue_age);
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

Result<void> Hub::close_pair(const PairKey& out) {
  bool is_known = false;
  const Error why{Reason::stream_closed, "closed by an operator"};
  if (OutPair* pair = find_out_pair(out)) {
    is_known = true;
    if (const auto* proven = std::get_if<pair::Proven>(&pair->state))
      if (Session* rides = session(proven->stream)) rides->riding.erase(pair);
    pair->state = pair::Expired{wall()};
    pair->renewal.cancel();
    if (pair->queue) {
      set_up(*pair);
    } else if (!pair->is_being_set_up) {
      out_pairs.erase(out_pairs.find(static_cast<PairView>(out)));
    }
  }
  const PairKey in{out.target, out.sender};
  for (const auto& [ref, session] : sessions) {
    const auto found = session->in_pairs.find(in);
    if (session->is_ending || found == session->in_pairs.end()) continue;
    is_known = true;
    for (const pair::Stanza& stanza : take_held(found->second)) bounce_to_remote(stanza, why);
    found->second.state = pair::Expired{wall()};  // with the key of its claim: the peer knows nothing of this
    found->second.renewal.cancel();
  }
  is_known |= refused_claims.erase(in) > 0;
  if (is_known) {
    log(report::Event(report::Level::info, "closed_by_operator")
            .with("local", out.sender.text())
            .with("remote", out.target.text()));
    return {};
  }
  return fail(Reason::host_unknown, fmt::format("no pair of {} and {} is known; `ligase ctl pairs` lists them",
                                                out.sender.text(), out.target.text()));
}

void Hub::stop(std::function<void()> done) {
  if (is_stopping) return;
  is_stopping = true;
  waiting_.clear();
  stopped_ = std::move(done);
  stop_timer_ = world.clock.call_at(now() + settings.limits.drain_timeout, [self = shared_from_this()] {
    self->stop_timer_ = seams::TimerId::none;
    self->shut_down();
    self->check_stopped();
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
  if (stop_timer_ != seams::TimerId::none) world.clock.cancel(stop_timer_);
  std::exchange(stopped_, {})();
}

void Hub::shut_down() {
  is_shut_down = true;
  is_stopping = true;
  if (sweep_is_scheduled_) world.clock.cancel(sweep_timer_);
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
