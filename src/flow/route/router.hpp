// A stanza's way: from a component out to a peer, from a peer in to a component, and back as an error where it cannot go. The
// fast path of each direction finds its pair by the text of the addresses, asks live_proof(), and passes the very bytes on.
// Whatever else happens is in the slow path behind it. Everything that is kept on the way is counted here.
#pragma once
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <new>
#include <string>
#include <vector>

#include "ground/ground.hpp"
#include "hosting/hosted.hpp"
#include "pairs/pairs.hpp"
#include "report/tally.hpp"
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
  // `waiting`: of all queues.
  Router(ground::Ground& ground, pair::Budget& waiting, hosting::Hosted& hosted, hosting::Links& links,
         pairs::OutPairs& out_pairs, streams::Streams& streams, Owner& owner)
      : ground_(ground),
        waiting_(waiting),
        hosted_(hosted),
        links_(links),
        out_pairs_(out_pairs),
        streams_(streams),
        owner_(owner) {}

  xml::Take from_component(hosting::ComponentLink& link, const xml::ElementView& element, stream::StanzaKind kind);
  xml::Take from_peer(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind);
  // Delivers, keeps for a link that is down, or answers with an error. Each is told whose stanza it is: that source is held
  // when it fills what waits.
  void deliver(hosting::HostedDomain& to, const xml::ElementView& element, stream::StanzaKind kind,
               const xml::Header& header, pair::Source source, const pairs::PairKey* canonical = nullptr);
  // Each by itself: what there is no memory for costs that stanza alone, and is counted (AB-161).
  template <class Action>
  void each(std::vector<pair::Stanza>& stanzas, Action action) {
    for (pair::Stanza& stanza : stanzas) alone([&] { action(stanza); });
  }
  template <class Action>
  void alone(Action action) {
    try {
      action();
    } catch (const std::bad_alloc&) {
      owner_.count_drop(Reason::memory, "a stanza", nullptr);
    }
  }
  void deliver_kept(hosting::HostedDomain& to, pair::Stanza stanza, pair::Source source = pair::Source::none);
  void bounce_to_remote(const pair::Stanza& stanza, const Error& why, pair::Source source = pair::Source::none);
  void bounce_all(pairs::OutPair& pair, const Error& why);
  std::vector<pair::Stanza> take_held(pairs::InPair& pair);
  void settle_reverse(pairs::OutPair& own);  // it is decided: what came in reverse meanwhile passes, or does not

  void drain(streams::Stream& stream);  // its pairs' queues, in turn, while the connection takes bytes
  void drain(hosting::ComponentLink& link);
  void rides(pairs::OutPair& pair, streams::Stream& stream);  // it is proven there: what waits takes its turns
  // The peer takes more of this pair (FLOW-02). False: it has no such pair, or that is more than anybody may give.
  enum class Credited : std::uint8_t { yes, unknown, too_much };
  Credited take_credit(streams::Stream& stream, const stream::PairCredit& credit);
  void give_credit();         // for all that was taken since (FLOW-03)
  void give_unused_credit();  // to pairs that have been quiet, so that nothing of them need be remembered

  // What a connection that is over had still to send: routed anew, before what waits already, or answered.
  struct TakenBack {
    std::uint64_t bytes = 0;      // of stanzas
    std::uint64_t uncertain = 0;  // of the wire, beside them: left, and perhaps never arrived (AB-124)
  };
  TakenBack take_back(const streams::Stream& stream);
  void take_back(const hosting::ComponentLink& link);

  void bounce_old();  // what waited too long
  void let_go_on();   // who was held, and need not be any more
  // Nothing is kept from here on, and what is kept goes back: to components as long as they are connected, to peers on the
  // streams that live.
  void stop(const Error& why);
  bool keeps_for_links() const;
  bool has_waiting(const hosting::ComponentLink& link) const;  // it is up, and takes less than there is for it
  std::uint64_t stanzas() const noexcept { return stanzas_; }
  const report::Tally& bounced() const noexcept { return bounced_; }

  // Every budget is the sum of what it counts, and whatever has a queue is where queues are looked for.
  void check() const;

 private:
  xml::Take in_reverse(streams::Stream& stream, pairs::OutPair& own, const xml::ElementView& element,
                       stream::StanzaKind kind, const pairs::PairKey* canonical);
  // It is kept until our own pair, which is being proven, is decided. False: it is not to wait for that.
  bool waits_in_reverse(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind,
                        const pairs::PairKey& key);
  // It came on credit, where the stream has such: what keeps it has the receipt. False: its pair had none left.
  bool receive(streams::Stream& stream, const pairs::PairView& pair, std::size_t bytes);
  xml::Take pass_in(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind,
                    const pairs::PairView& pair);
  streams::PairWindow* window_of(streams::Stream& stream, const pairs::PairView& pair);
  bool is_live_in_reverse(const pairs::OutPair& own, const streams::Stream& stream) const;
  bool lives_here(const streams::Stream& stream, const pairs::PairKey& in);  // in either way
  xml::Take arrival(streams::Stream& stream, const xml::ElementView& element, stream::StanzaKind kind);
  bool own_pair_lives(const pairs::PairKey& inbound);
  bool lives_by_dialback(const streams::Stream& stream, const Domain& sender,
                         const streams::SenderRecord& record) const;
  void queue_out(pairs::OutPair& pair, pair::Stanza stanza, pair::Source source);
  std::vector<pair::Stanza> unsent_stanzas(const seams::Pieces& pieces, std::string_view content_ns, Instant since);
  void put_back(const pairs::PairKey& key, std::vector<pair::Stanza> stanzas);
  void route_out_kept(const pairs::PairKey& key, pair::Stanza stanza, pair::Source source);
  void bounce_to_local(hosting::HostedDomain& to, const pair::Stanza& stanza, const Error& why, const Domain& remote,
                       pair::Source source = pair::Source::none);
  // An error for a hosted domain: written, or kept whatever waits already.
  void give_back(hosting::HostedDomain& to, pair::Stanza error, pair::Source source);
  pair::Stanza keep_for(std::string_view content_ns, const xml::ElementView& element, stream::StanzaKind kind,
                        const xml::Header& header, const pairs::PairKey* canonical = nullptr);
  // Until it is proven.
  void hold(streams::Stream& stream, const pairs::PairKey& key, pairs::InPair& pair, pair::Stanza stanza);
  void send_next(pairs::OutPair& pair, streams::Stream& stream);  // the first of its queue
  // Made where there is none, and charged to the stream's peer; null: no peer is known.
  pair::Backlog& backlog_of(pairs::OutPair& pair, const streams::Stream* stream);
  std::unique_ptr<pair::Backlog> forget_backlog(pairs::OutPair& pair) noexcept;  // what was in it
  void forget_if_empty(pairs::OutPair& pair) noexcept;

  // Keeps the stanza and brakes its source as is right; false, and nothing taken: it is to be answered. `find`: the backlog
  // again, a second later, or null.
  using Find = std::function<pair::Backlog*()>;
  bool keep_in(pair::Backlog& backlog, pair::Stanza& stanza, std::uint64_t most, pair::Source source, Find find);
  void brake(pair::Backlog& backlog, pair::Source source, pair::Brake::Hold how, Find find) noexcept;
  std::uint64_t moved(const pair::Backlog& backlog) const;
  void look_at_brake(const pair::Backlog& backlog, Find find);
  void hold_at(pair::Backlog& backlog, pair::Source source, pair::Brake::Hold how, Find find);
  // A backlog, made where there is none, while something is about to be kept in it: if nothing was, it is gone again, also where
  // something was thrown.
  class Keeping {
   public:
    Keeping(Router& router, std::unique_ptr<pair::Backlog>& at) : router_(router), at_(at) {
      if (!at_) at_ = std::make_unique<pair::Backlog>(router.waiting_);
    }
    ~Keeping();
    Keeping(const Keeping&) = delete;
    Keeping& operator=(const Keeping&) = delete;
    pair::Backlog& backlog() const noexcept { return *at_; }

   private:
    Router& router_;
    std::unique_ptr<pair::Backlog>& at_;
  };
  static bool is_filling(const pair::Backlog& backlog, std::uint64_t most);
  void eased(pair::Backlog& backlog, std::uint64_t most);  // something of it has gone
  template <class Action>
  bool at(pair::Source source, Action action);  // on the stream or the link; false: there is none any more
  void go_on(std::list<pair::Source> sources) noexcept;
  Find finder(const pairs::OutPair& pair);
  Find finder(const hosting::HostedDomain& domain);
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
  void bounce_too_big(const pairs::OutPair& pair, const pair::Stanza& stanza, pair::Source source);
  // It takes bytes of this pair now, and nobody waits for his turn there.
  static bool is_free(const streams::Stream& stream, const pairs::OutPair& pair);
  void wait_in_turn(pairs::OutPair& pair, streams::Stream& stream);
  bool takes_now(const hosting::HostedDomain& to) const;  // its link is up, and nothing waits before
  // The link is up; `jid`: whom the bytes are addressed to.
  void write_to(hosting::HostedDomain& to, std::string_view bytes, std::string_view jid);

  ground::Ground& ground_;
  pair::Budget& waiting_;
  hosting::Hosted& hosted_;
  hosting::Links& links_;
  pairs::OutPairs& out_pairs_;
  streams::Streams& streams_;
  Owner& owner_;
  bool is_stopping_ = false;
  pairs::OutPairSet queued_;          // pairs that have a backlog
  std::list<pair::Source> going_on_;  // in the next turn
  bool go_on_is_posted_ = false;
  std::uint64_t braked_ = 0;   // how often a source was held briefly
  pair::Receipt receipt_;      // of what is being passed on
  std::string scratch_;        // rewriting, reused
  std::string readdressed_;    // for who speaks of a domain in A-labels, reused
  std::uint64_t stanzas_ = 0;  // in both directions, since the start
  report::Tally bounced_;      // errors made for senders, in both directions
};

}  // namespace ligase::route
