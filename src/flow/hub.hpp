// The gateway's state, and the few operations everything else is made of: look a pair up, route a stanza, open and end
// streams. Procedures (dial.hpp, claims.hpp) hold it by shared_ptr and look up anew after each co_await.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "gateway.hpp"
#include "ground/gate.hpp"
#include "ground/ground.hpp"
#include "link_session.hpp"
#include "pair/queue.hpp"
#include "pair/standing.hpp"
#include "pair_key.hpp"
#include "proof/known_keys.hpp"
#include "renewals.hpp"
#include "report/failure.hpp"
#include "session.hpp"
#include "web/posh_source.hpp"
#include "web/revocation_source.hpp"
#include "web/staples.hpp"

namespace ligase {

struct Peer;

struct OutPair {  // ours → theirs
  PairKey key;    // sender: ours
  pair::PairState state;
  pair::StreamRef accepted_on;         // the stream on which the peer took us for the sender
  std::unique_ptr<pair::Queue> queue;  // null at rest
  Peer* waits_at = nullptr;  // where the queue's bytes are counted; null without a queue, or no peer known yet
  bool is_being_set_up = false;
  std::uint64_t stanzas = 0;
  std::optional<Error> last_error;
  Renewals::Ticket renewal;
};

constexpr std::size_t kMostPeers = 50'000;  // beyond, what is no longer in use is forgotten, learned or not
constexpr auto kLearned = std::chrono::hours(24), kLearnedOfHarm = std::chrono::hours(7 * 24);

// A remote host as met on the wire: SRV target and port, and what it is known to take (learned.hpp keeps that).
struct Peer {
  std::string host;
  std::uint16_t port = 0;
  std::set<pair::StreamRef> streams;  // initiating ones
  std::map<Domain, std::shared_ptr<ground::Gate<bool>>>
      connecting;                                               // by target domain; opens when the attempt is decided
  std::optional<bool> takes_targets;                            // <errors/> seen; nullopt: not met yet
  WallTime takes_targets_until{};                               // so long it is remembered over a restart
  WallTime no_extra_targets_until{}, no_extra_senders_until{};  // MUX-06, learned
  WallTime no_external_until{};                                 // EXT-01: it cut the connection at our <auth/>
  WallTime named_authzid_until{};                               // EXT-01: it refused an empty one
  std::uint64_t queued = 0;                                     // bytes in the queues of the pairs that wait for it
  unsigned failures = 0;                                        // to connect, in a row (ROUTE-04)
  Instant last_try{}, retry_at{};
  std::optional<Error> last_error;
};

struct HostedDomain {
  Domain domain;
  std::size_t link = 0;                  // index in Settings::links
  LinkSession* session = nullptr;        // null: down
  std::unique_ptr<pair::Queue> waiting;  // stanzas for it while it is down or does not read
  std::uint64_t stanzas_in = 0, stanzas_out = 0;
};

class Hub final : public stream::Hosting, public link::Components {
 public:
  Hub(Settings settings, ground::World world);
  ~Hub() override;

  // ---- streams and links
  void accept_s2s(std::unique_ptr<seams::Connection> connection);
  void accept_component(std::unique_ptr<seams::Connection> connection);
  Session* session(pair::StreamRef ref) noexcept;  // null: it is over
  Session& add_session(std::unique_ptr<seams::Connection> connection, stream::Machine machine);
  void session_is_over(Session& session);    // nothing rides it any more; its last bytes may still leave
  void session_is_closed(Session& session);  // the connection's last word; it is deleted one turn later
  void link_is_up(LinkSession& link);
  void link_is_over(LinkSession& link);
  void link_is_closed(LinkSession& link);
  Peer& peer(std::string_view host, std::uint16_t port);

  // ---- stanzas
  xml::Take from_component(LinkSession& link, const xml::ElementView& element, stream::StanzaKind kind);
  xml::Take from_peer(Session& session, const xml::ElementView& element, stream::StanzaKind kind);
  // Delivers, keeps for a link that is down, or answers with an error.
  void deliver(HostedDomain& to, const xml::ElementView& element, stream::StanzaKind kind, const xml::Header& header);
  void deliver_kept(HostedDomain& to, pair::Stanza stanza);
  void route_out_kept(const PairKey& key, pair::Stanza stanza);
  void bounce_to_local(HostedDomain& to, const pair::Stanza& stanza, const Error& why, const Domain& remote);
  void bounce_to_remote(const pair::Stanza& stanza, const Error& why);
  std::vector<pair::Stanza> take_held(InPair& pair);
  void drain(Session& session);  // its pairs' queues, in turn, while the connection takes bytes
  void drain(OutPair& pair, Session& session);
  void drain_link(LinkSession& link);

  // ---- pairs
  OutPair& out_pair(const PairKey& key);
  OutPair* find_out_pair(PairView key) noexcept;
  void set_up(OutPair& pair);  // no proof of it holds; starts the procedure if none is at work
  void out_pair_is_proven(OutPair& pair, Session& session, proof::Proof proof);
  // Where a proof still holds and the failure may pass, it goes on to hold and is tried again; else the pair is refused.
  void out_pair_is_not_proven(OutPair& pair, const Error& why);
  // `dialback_key`: with which it was claimed, if it was; empty: as before.
  InPair& grant(Session& session, const PairKey& key, proof::Proof proof, std::string dialback_key = {});
  void prove_anew(Session& session, const PairKey& key, InPair& pair);  // starts the procedure if none is at work
  void in_pair_is_not_proven(Session& session, const PairKey& key, InPair& pair, const Error& why);
  // What is known of this certificate changed: every pair on a session that showed it is proven anew, at once.
  void judge_again(std::string_view leaf_fingerprint);
  void note_refused_in(Session& session, const PairKey& key, const Error& why);
  // Every pair is judged by it, those that live too, before their next stanza passes.
  void take_policy(config::Policy policy);

  // ---- facts
  HostedDomain* hosted(std::string_view domain) noexcept;  // canonical text
  bool is_hosted(const Domain& domain) const override;
  Encryption encryption_towards(const Domain* remote) const override;
  const std::string* secret_of(const Domain& domain) const override;
  bool is_connected(const Domain& domain) const override;
  proof::PeerPolicy policy_towards(const Domain& remote) const { return ground.rules.towards(remote); }
  Instant now() const { return ground.now(); }
  WallTime wall() const { return ground.wall(); }
  proof::Proof bounded(proof::Proof proof) const { return ground.rules.bounded(std::move(proof), wall()); }
  std::string new_id() { return ground.world.new_id(); }
  stream::Limits stream_limits() const;
  link::Limits link_limits() const;
  void log(report::Event event) { ground.log(std::move(event)); }

  void spawn(Task<void> task) { ground.spawn(std::move(task)); }
  void count_drop(Reason reason, std::string_view what, const Session* session);
  Result<void> close_stream(const std::string& id);
  Result<void> close_pair(const PairKey& out);  // and its inverse
  void stop(std::function<void()> done);
  void shut_down();  // the gateway goes: everything ends at once

  ground::Ground ground;
  Settings settings;
  web::PoshSource posh;
  proof::KnownKeys keys;  // AB-069
  std::uint64_t keys_changed = 0;
  web::RevocationSource revocation;
  web::Staples staples;
  bool is_stopping = false;
  std::optional<WallTime> started_at;
  bool is_ready = false;
  std::vector<std::string> not_ready;
  Renewals renewals;
  unsigned explaining = 0;  // questions at work

  std::map<pair::StreamRef, std::unique_ptr<Session>> sessions;
  std::map<std::uint64_t, std::unique_ptr<LinkSession>> links;
  std::map<std::pair<std::string, std::uint16_t>, Peer, std::less<>> peers;
  std::unordered_map<PairKey, std::unique_ptr<OutPair>, PairHash, PairEqual> out_pairs;
  std::unordered_map<std::string_view, std::unique_ptr<HostedDomain>> hosted_domains;  // key: the domain's own text
  // Claims refused lately, for `ctl pairs` and the negative cache (30 s, AB-081), which holds for who made the claim and
  // for nobody else: a forger must not speak for the domain by being refused. Bounded.
  struct RefusedClaim {
    Error why;
    Address from;
    WallTime since;
    Instant until;
  };
  std::map<PairKey, RefusedClaim> refused_claims;
  // Connections being made for claims, by the claimant's prefix_of(); it may have closed its stream meanwhile (AB-081).
  std::map<Address, std::uint64_t> dial_backs;
  std::map<std::string, std::uint64_t, std::less<>> dropped;  // by reason

 private:
  friend class Gateway;
  bool has_room_for(const Address& from) const;  // among the unproven streams of its prefix
  void start_s2s(std::unique_ptr<seams::Connection> connection);
  void admit_waiting();
  xml::Take arrival(Session& session, const xml::ElementView& element, stream::StanzaKind kind);
  bool own_pair_lives_at(const PairKey& inbound, const Session& session);
  void queue_out(OutPair& pair, pair::Stanza stanza, LinkSession* link);
  pair::Stanza keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                        const xml::Header& header);
  void bounce_all(OutPair& pair, const Error& why);
  void hold(Session& session, InPair& pair, pair::Stanza stanza);  // until it is proven
  void send_next(OutPair& pair, Session& session);                 // the first of its queue
  void forget_queue(OutPair& pair);                                // empty now
  void count_queued(OutPair& pair, std::uint64_t before);          // its queue had so many bytes, and has others now
  void wait_at(OutPair& pair, Peer* peer);                         // its queue counts there from here on
  void forget_peers();
  void renew_due();
  void end_streams_without_pairs();
  void refuse(OutPair& pair, const Error& why);
  // The element for a stream of `content_ns`: its very bytes, or rewritten in scratch_; valid until the next call.
  std::string_view passed(std::string_view content_ns, const xml::ElementView& element, const xml::Header& header);
  bool takes_now(const HostedDomain& to) const;             // its link is up, and nothing waits before
  void write_to(HostedDomain& to, std::string_view bytes);  // the link is up
  void release_waiters(Session& session, const Error& why);
  void schedule_burial();
  void schedule_sweep();
  void sweep();
  void sweep_pairs();
  void sweep_sessions();
  void check_stopped();
  double rate() const;

  struct Waiting {
    std::unique_ptr<seams::Connection> connection;  // accepted and not read
    Instant since;
  };
  std::deque<Waiting> waiting_;  // bounded by prefix and by streams_total
  bool admission_is_posted_ = false;
  std::uint64_t next_number_ = 1;
  std::uint64_t queued_total_ = 0;  // bytes in all queues
  std::set<OutPair*> queued_;       // pairs that have a queue
  std::string scratch_;             // rewriting, reused
  std::vector<std::unique_ptr<Session>> over_;
  std::vector<std::unique_ptr<LinkSession>> over_links_;
  bool burial_is_posted_ = false, sweep_is_scheduled_ = false;
  seams::TimerId sweep_timer_ = seams::TimerId::none, stop_timer_ = seams::TimerId::none;
  std::function<void()> stopped_;
  std::uint64_t stanzas_ = 0;  // in both directions, since the start
  mutable std::uint64_t rate_stanzas_ = 0;
  mutable Instant rate_since_{};
  mutable double rate_ = 0;
};

bool is_peer_s_end(Reason reason);  // of a stream: the peer, or the network, ended it

}  // namespace ligase
