// The house: it puts the rooms together, owns their tables, and is the owner that each of them knows by a few calls. What a
// procedure came to is applied here and nowhere else (apply.cpp); time, reload, drain and end are here too (sweep.cpp, ends.cpp).
#pragma once
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "gateway.hpp"
#include "ground/ground.hpp"
#include "hosting/hosted.hpp"
#include "pairs/pairs.hpp"
#include "peers/peers.hpp"
#include "prove/bench.hpp"
#include "route/router.hpp"
#include "streams/door.hpp"
#include "streams/streams.hpp"
#include "web/posh_source.hpp"
#include "web/revocation_source.hpp"
#include "web/staples.hpp"

namespace ligase::gateway {

class House final : private streams::Owner, private hosting::Owner, private prove::Owner, private route::Owner {
 public:
  House(Settings settings, ground::World world);
  ~House();

  void accept_s2s(std::unique_ptr<seams::Connection> connection);
  void accept_component(std::unique_ptr<seams::Connection> connection);
  void set_ready(std::vector<std::string> not_ready);
  void dns_is_back();  // what it failed at rests no longer
  // Every pair is judged by it, those that live too, before their next stanza passes.
  void take_policy(config::Policy policy);
  void take_own_certificates(std::map<Domain, std::size_t> own) { ground_.rules.take_own_certificates(std::move(own)); }
  void take_revocation(std::vector<std::shared_ptr<proof::RevocationList>> lists,
                       std::vector<std::shared_ptr<const proof::Chain>> own);
  Task<Result<report::Explanation>> explain(Domain local, Domain remote, bool may_dial);
  Result<void> close_stream(const std::string& id);
  Result<void> close_pair(const pairs::PairKey& out);  // and its inverse
  void stop(std::function<void()> done);
  void shut_down();  // the gateway goes: everything ends at once
  // When its last procedure is over, perhaps now.
  void when_joined(std::function<void()> done) { ground_.scope.join(std::move(done)); }

  report::Status status() const;
  std::vector<report::StreamRow> stream_rows() const;
  std::vector<report::PairRow> pair_rows() const;
  std::vector<report::LinkRow> link_rows() const;

  // The whole state is what it must be: the invariants that span rooms (docs/architecture.md).
  void check() const;
  // What is still taken or waited for, in any room: at rest nothing is (AB-161).
  std::vector<std::string> left_at_work() const;

 private:
  // streams::Owner
  xml::Take on_stanza(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind) override;
  void on_wants_features(streams::Stream& stream, Domain sender) override;
  void on_authenticated(streams::Stream& stream, const Domain& sender, const Domain& target) override;
  void on_claim(streams::Stream& stream, stream::DbResult claim) override;
  void on_verify(streams::Stream& stream, const stream::DbVerify& verify) override;
  void on_credit(streams::Stream& stream, const stream::PairCredit& credit) override;
  void on_dropped(streams::Stream& stream, Reason reason, std::string_view what) override;
  void on_writable(streams::Stream& stream) override;
  void on_closing(streams::Stream& stream) override;
  void on_over(streams::Stream& stream) override;
  void on_closed(streams::Stream& stream) override;
  // hosting::Owner
  xml::Take on_stanza(hosting::ComponentLink& link, const xml::ElementView& element, stream::StanzaKind kind) override;
  void on_up(hosting::ComponentLink& link) override;
  void on_contested(hosting::ComponentLink& newcomer) override;
  void on_dropped(hosting::ComponentLink& link, Reason reason, std::string_view what) override;
  void on_writable(hosting::ComponentLink& link) override;
  void on_over(hosting::ComponentLink& link) override;
  void on_closed(hosting::ComponentLink& link) override;
  // prove::Owner
  void out_pair_is_proven(pairs::OutPair& pair, streams::Stream& stream, proof::Proof proof) override;
  // Where a proof still holds and the failure may pass, it goes on to hold and is tried again; else the pair is refused.
  void out_pair_is_not_proven(pairs::OutPair& pair, const Error& why) override;
  void claim_is_proven(streams::Stream& stream, const pairs::PairKey& key, proof::Proof proof,
                       pairs::ClaimKey claim_key) override;
  void claim_is_refused(streams::Stream& stream, const pairs::PairKey& key, const Error& why) override;
  void in_pair_is_decided(streams::Stream& stream, const pairs::PairKey& key, Result<proof::Proof> proven,
                          bool is_first) override;
  void count_drop(Reason reason, std::string_view what, const streams::Stream* stream) override;
  void stream_was_added() override { schedule_sweep(); }
  void out_pair_is_heard(pairs::OutPair& pair, streams::Stream& stream, proof::Proof proof) override;
  void stream_joins(streams::Stream& stream, peers::Peer& peer) override;
  // route::Owner
  void set_up(pairs::OutPair& pair) override;  // renewing too: a proof that holds goes on to hold meanwhile
  void prove_anew(streams::Stream& stream, const pairs::PairKey& key, pairs::InPair& pair) override;
  pairs::InPair& grant(streams::Stream& stream, const pairs::PairKey& key, proof::Proof proof) override;
  void something_waits() override { schedule_sweep(); }

  void serves_both_ways(streams::Stream& stream, const pairs::PairKey& in);
  void joins_with(streams::Stream& theirs, const streams::Stream& own);
  void end_crossed(peers::Peer& peer);
  void in_pair_is_not_proven(streams::Stream& stream, const pairs::PairKey& key, pairs::InPair& pair, const Error& why);
  void refuse(pairs::OutPair& pair, const Error& why);
  // What happens to its life, with the streams told which of them it still waits for.
  void changed(pairs::OutPair& pair, std::optional<pair::StreamRef> was_draining) noexcept;
  void has_drained(pairs::OutPair& pair, pair::StreamRef left);
  bool goes_over(pair::StreamRef left);
  bool is_of_no_use(const pairs::OutPair& pair);
  void leave(streams::Stream& stream);         // nothing more of ours goes there
  void look_at_left(streams::Stream& stream);  // a live one: for whom it has sent everything
  // What is known of this certificate changed: every pair on a stream that showed it is proven anew, at once.
  void judge_again(std::string_view leaf_fingerprint);
  void renew_due();
  void end_streams_without_pairs();
  void end_unused_streams();
  // AB-229: is anybody there behind the link that holds a newcomer's domain? It was asked when `heard` segments had come from
  // its machine; looked at until one more has come, or until `end`.
  void contest(std::uint64_t newcomer, std::uint64_t holder, std::uint64_t heard, Instant end);
  // Both are tried again, with the next sweep or stanza, where there was no memory for it.
  void schedule_burial() noexcept;
  void schedule_sweep() noexcept;
  void end_what_is_gone();
  void sweep();
  void look_at_clock();
  void prove_all_anew();  // within a minute; refusals need not rest
  void end_links();
  void check_stopped();
  std::optional<std::string> waits_for(pairs::OutPair& pair) const;
  bool comes_in_reverse(const pairs::OutPair& pair) const;
  std::size_t live_pairs() const;  // both directions; one that is proven on two streams counts once
  double rate() const;
  Instant now() const { return ground_.now(); }
  WallTime wall() const { return ground_.wall(); }

  std::string version_;
  Domain hostname_;
  ground::Ground ground_;
  pair::Budget waiting_;  // bytes in all queues
  peers::Peers peers_;
  pairs::Renewals renewals_;  // outlives every pair's ticket
  pairs::Refusals refusals_;
  pairs::OutPairs out_pairs_;
  streams::Streams streams_;
  hosting::Hosted hosted_;
  hosting::Links links_;
  streams::Door door_;
  web::PoshSource posh_;
  web::RevocationSource revocation_;
  web::Staples staples_;
  route::Router router_;
  prove::Bench bench_;

  bool is_stopping_ = false, is_ready_ = false;
  WallTime started_at_;
  std::chrono::seconds clock_offset_{};  // of the wall clock from the one that nobody sets
  std::vector<std::string> not_ready_;
  std::vector<std::unique_ptr<streams::Stream>> over_;
  std::vector<std::unique_ptr<hosting::ComponentLink>> over_links_;
  bool burial_is_posted_ = false, sweep_is_scheduled_ = false;
  seams::TimerId stop_timer_ = seams::TimerId::none;
  std::function<void()> stopped_;
  report::Tally dropped_;
  mutable std::uint64_t rate_stanzas_ = 0;
  mutable Instant rate_since_{};
  mutable double rate_ = 0;
};

}  // namespace ligase::gateway
