// What the procedures that prove work with, and to whom they hand what they came to: they end in an outcome, and who owns the pair
// applies it. Values and keys cross a co_await, no reference into a table: it is looked up anew.
#pragma once
#include "dns/claim_places.hpp"
#include "ground/ground.hpp"
#include "ground/tally.hpp"
#include "pairs/pairs.hpp"
#include "peers/peers.hpp"
#include "streams/streams.hpp"
#include "web/posh_source.hpp"
#include "web/revocation_source.hpp"

namespace ligase::prove {

class Owner {
 public:
  // An outgoing pair: accepted on this stream under this proof; or not, and why.
  virtual void out_pair_is_proven(pairs::OutPair& pair, streams::Stream& stream, proof::Proof proof) = 0;
  virtual void out_pair_is_not_proven(pairs::OutPair& pair, const Error& why) = 0;
  // Accepted on a stream of ours that is being closed: the pair goes elsewhere, and what comes in reverse of it is heard there.
  virtual void out_pair_is_heard(pairs::OutPair& pair, streams::Stream& stream, proof::Proof proof) = 0;
  // A claim that was made and is decided. `claim_key`: with which.
  virtual void claim_is_proven(streams::Stream& stream, const pairs::PairKey& key, proof::Proof proof,
                               pairs::ClaimKey claim_key) = 0;
  virtual void claim_is_refused(streams::Stream& stream, const pairs::PairKey& key, const Error& why) = 0;
  // An incoming pair that is in its stream's table, proven anew or for the first time. `is_first`: it never was anybody's.
  virtual void in_pair_is_decided(streams::Stream& stream, const pairs::PairKey& key, Result<proof::Proof> proven,
                                  bool is_first) = 0;
  virtual void count_drop(Reason reason, std::string_view what, const streams::Stream* stream) = 0;
  virtual void stream_was_added() = 0;
  // It leads to that peer, whoever opened it: proven for one of the domains that the peer serves, and open.
  virtual void stream_joins(streams::Stream& stream, peers::Peer& peer) = 0;

 protected:
  ~Owner() = default;
};

struct Bench {
  Bench(ground::Ground& g, const stream::Hosting& h, peers::Peers& at, pairs::OutPairs& out, pairs::Refusals& refused,
        streams::Streams& all, web::PoshSource& documents, web::RevocationSource& withdrawn, Owner& o)
      : ground(g),
        hosting(h),
        peers(at),
        out_pairs(out),
        refusals(refused),
        streams(all),
        posh(documents),
        revocation(withdrawn),
        owner(o),
        claim_places(g.world.executor, g.world.clock) {}

  Instant now() const { return ground.now(); }
  WallTime wall() const { return ground.wall(); }
  const config::Limits& limits() const { return ground.rules.limits(); }
  proof::PeerPolicy policy_towards(const Domain& remote) const { return ground.rules.towards(remote); }

  ground::Ground& ground;
  const stream::Hosting& hosting;
  peers::Peers& peers;
  pairs::OutPairs& out_pairs;
  pairs::Refusals& refusals;
  streams::Streams& streams;
  web::PoshSource& posh;
  web::RevocationSource& revocation;
  Owner& owner;
  bool is_stopping = false;
  unsigned explaining = 0;  // questions at work
  // Connections being made for claims, by the claimant's prefix_of(); it may have closed its stream meanwhile (AB-081).
  ground::Tally<Address> dial_backs;
  ground::Tally<Address> claims;  // likewise those being decided, by site_of() (AB-272)
  dns::ClaimPlaces claim_places;  // of the questions that claims may have at the resolver
};

}  // namespace ligase::prove
