// A stanza's way: from a component out to a peer, from a peer in to a component, and back as an error where it cannot go. The
// fast path of each direction finds its pair by the text of the addresses, asks live_proof(), and passes the very bytes on.
// Whatever else happens is in the slow path behind it. Everything that is kept on the way is counted here.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "ground/ground.hpp"
#include "hosting/hosted.hpp"
#include "pairs/pairs.hpp"
#include "streams/streams.hpp"
#include "xml/writer.hpp"

namespace ligase::route {

// Who has pairs proven, which a router never does.
class Owner {
 public:
  virtual void set_up(pairs::OutPair& pair) = 0;  // no proof of it holds; starts the procedure if none is at work
  virtual void prove_anew(streams::Stream& stream, const pairs::PairKey& key, pairs::InPair& pair) = 0;
  virtual pairs::InPair& grant(streams::Stream& stream, const pairs::PairKey& key, proof::Proof proof) = 0;
  virtual void count_drop(Reason reason, std::string_view what, const streams::Stream* stream) = 0;
  virtual void something_waits() = 0;  // that the sweep will have to look at

 protected:
  ~Owner() = default;
};

class Router {
 public:
  Router(ground::Ground& ground, hosting::Hosted& hosted, hosting::Links& links, pairs::OutPairs& out_pairs,
         streams::Streams& streams, Owner& owner)
      : ground_(ground), hosted_(hosted), links_(links), out_pairs_(out_pairs), streams_(streams), owner_(owner) {}

  xml::Take from_component(hosting::ComponentLink& link, const xml::ElementView& element, stream::StanzaKind kind);
  xml::Take from_peer(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind);
  // Delivers, keeps for a link that is down, or answers with an error.
  void deliver(hosting::HostedDomain& to, const xml::ElementView& element, stream::StanzaKind kind,
               const xml::Header& header, const pairs::PairKey* canonical = nullptr);
  void deliver_kept(hosting::HostedDomain& to, pair::Stanza stanza);
  void bounce_to_remote(const pair::Stanza& stanza, const Error& why);
  void bounce_all(pairs::OutPair& pair, const Error& why);
  std::vector<pair::Stanza> take_held(pairs::InPair& pair);

  void drain(streams::Stream& stream);  // its pairs' queues, in turn, while the connection takes bytes
  void drain(pairs::OutPair& pair, streams::Stream& stream);
  void drain(hosting::ComponentLink& link);
  void wait_at(pairs::OutPair& pair, peers::Peer* peer);  // its queue counts there from here on

  void bounce_old();            // what waited too long
  void stop(const Error& why);  // nothing is kept from here on, and what is kept for peers goes back
  bool keeps_for_links() const;
  std::uint64_t stanzas() const noexcept { return stanzas_; }

  // Every budget is the sum of what it counts, and whatever has a queue is where queues are looked for.
  void check() const;

 private:
  xml::Take arrival(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind);
  bool own_pair_lives(const pairs::PairKey& inbound);
  bool lives_by_dialback(const streams::Stream& stream, const Domain& sender,
                         const streams::SenderRecord& record) const;
  void queue_out(pairs::OutPair& pair, pair::Stanza stanza, hosting::ComponentLink* link);
  void route_out_kept(const pairs::PairKey& key, pair::Stanza stanza);
  void bounce_to_local(hosting::HostedDomain& to, const pair::Stanza& stanza, const Error& why, const Domain& remote);
  pair::Stanza keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                        const xml::Header& header, const pairs::PairKey* canonical = nullptr);
  void hold(streams::Stream& stream, pairs::InPair& pair, pair::Stanza stanza);  // until it is proven
  void send_next(pairs::OutPair& pair, streams::Stream& stream);                 // the first of its queue
  void forget_queue(pairs::OutPair& pair);                                       // empty now
  void count_queued(pairs::OutPair& pair, std::uint64_t before);  // its queue had so many bytes, and has others now
  // The element for a stream of `content_ns`: its very bytes, or rewritten in scratch_; valid until the next call. `canonical`:
  // where its addresses are not as they must be written.
  std::string_view passed(std::string_view content_ns, const xml::ElementView& element, const xml::Header& header,
                          const pairs::PairKey* canonical = nullptr);
  // Its addresses are none: it costs itself, where others live on the stream (AB-186).
  xml::Take misaddressed(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind);
  // `bytes`, with the address of its receiver, `to`, as who takes it writes its own domain; valid until the next call.
  std::string_view addressed(std::string_view bytes, std::string_view to, const Domain& target, Labels labels);
  void carry(const pairs::OutPair& pair, streams::Stream& stream, const pair::Stanza& stanza);
  // Over what the peer takes (XEP-0478): it is answered, since sent it would end the stream of all (AB-189).
  bool is_too_big(const streams::Stream& stream, std::size_t bytes) const;
  void bounce_too_big(const pairs::OutPair& pair, const streams::Stream& stream, const pair::Stanza& stanza);
  bool takes_now(const hosting::HostedDomain& to) const;  // its link is up, and nothing waits before
  // The link is up; `jid`: whom the bytes are addressed to.
  void write_to(hosting::HostedDomain& to, std::string_view bytes, std::string_view jid);

  ground::Ground& ground_;
  hosting::Hosted& hosted_;
  hosting::Links& links_;
  pairs::OutPairs& out_pairs_;
  streams::Streams& streams_;
  Owner& owner_;
  bool is_stopping_ = false;
  std::uint64_t queued_total_ = 0;  // bytes in all queues
  pairs::OutPairSet queued_;        // pairs that have a queue
  std::string scratch_;             // rewriting, reused
  std::string readdressed_;         // for who speaks of a domain in A-labels, reused
  std::uint64_t stanzas_ = 0;       // in both directions, since the start
};

}  // namespace ligase::route
