// One s2s stream at work: its connection, its machine, and what rides on it. It carries out the machine's actions; it knows an
// owner of a few calls, and no table.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>

#include "ground/deadline.hpp"
#include "ground/gate.hpp"
#include "ground/tally.hpp"
#include "ground/tap.hpp"
#include "pair/turns.hpp"
#include "pairs/pairs.hpp"
#include "peers/peers.hpp"
#include "seams/network.hpp"
#include "stream/machine.hpp"
#include "streams/windows.hpp"

namespace ligase::streams {

class Stream;

// Who is asked what a stream cannot decide, and told what becomes of it.
class Owner {
 public:
  virtual xml::Take on_stanza(Stream& stream, const xml::ElementView& element, stream::StanzaKind kind) = 0;
  virtual void on_wants_features(Stream& stream, Domain sender) = 0;
  virtual void on_authenticated(Stream& stream, const Domain& sender, const Domain& target) = 0;  // by EXTERNAL
  virtual void on_claim(Stream& stream, stream::DbResult claim) = 0;
  virtual void on_verify(Stream& stream, const stream::DbVerify& verify) = 0;
  virtual void on_credit(Stream& stream, const stream::PairCredit& credit) = 0;
  virtual void on_dropped(Stream& stream, Reason reason, std::string_view what) = 0;
  virtual void on_writable(Stream& stream) = 0;
  virtual void on_closing(Stream& stream) = 0;  // we have said our last word; the peer is heard until it says its own
  virtual void on_over(Stream& stream) = 0;     // nothing rides it any more; its last bytes may still leave
  virtual void on_closed(Stream& stream) = 0;   // the connection's last word; it is deleted one turn later

 protected:
  ~Owner() = default;
};

// What is known of a sender domain by the certificate of this session (judge_client), asked once a stream.
struct SenderRecord {
  std::optional<tl::expected<proof::Proof, proof::ClientRefusal>> verdict;  // nullopt: never judged yet
  WallTime judged_at{};
  pair::PolicyEpoch epoch;                   // under which it was judged
  std::shared_ptr<ground::Gate<bool>> done;  // while it is judged (anew): opens when the verdict is there
  // For which target it was proven by dialback last (MUX-08); whether that holds is the pair's to say.
  std::optional<Domain> dialback_target;
  ground::Tally<Address>::Token counted{};  // among what the far end's site makes us remember
  // The certificate's proof, if it holds under this policy now; null: none.
  const proof::Proof* live_proof(pair::PolicyEpoch today, WallTime now) const noexcept {
    return verdict && verdict->has_value() && epoch == today && (*verdict)->expires > now ? &**verdict : nullptr;
  }
};

constexpr std::uint64_t kShare = 8 * 1024;  // bytes of each pair in a round

using DbAnswer = Result<stream::DbVerdict>;  // error: the stream ended first

// A db:result of ours that no answer came to yet.
struct Question {
  std::shared_ptr<ground::Gate<DbAnswer>> answer;
  ground::Tally<pair::StreamRef>::Token counted;
};

class Stream final : public seams::Receiver, public stream::StanzaSink {
 public:
  Stream(ground::Ground& ground, peers::Peers& peers, Owner& owner, PairWindow::Due& due, pair::StreamRef ref,
         std::unique_ptr<seams::Connection> connection, stream::Machine machine);
  ~Stream() override;

  void start();                                    // begins reading; initiating: sends the header
  void perform(stream::Actions actions) noexcept;  // carries out what the machine says, and goes on with what was fed
  void end(StreamFault fault, Error why);          // with a stream error
  void close(Error why);  // orderly, without one; what the peer has sent until then is taken still
  void wind_down(StreamFault fault, Error why);  // likewise, with one
  // Something was thrown at its work, or at what is to be done at its end: at once, and without a word (AB-161).
  void break_off(Reason reason, const char* what) noexcept;
  void write(std::string_view bytes);   // a db element
  void answer(std::string_view bytes);  // likewise; who does not take his answers is not read meanwhile (AB-019)
  void carry(const pairs::PairKey& pair, std::string_view stanza);  // of one that may pass, and has credit
  // It has credit here, or needs none.
  bool has_credit(pairs::PairView pair) const {
    const auto left = credits.find(pair);
    return left == credits.end() || left->second.may_send();
  }
  void give_credit(PairWindow& window);  // what is to be given
  // What would come from it can be neither delivered nor kept: it is not read until it may go on.
  void hold() { tap_.hold(seams::Pause::full); }
  void go_on() { let_go(seams::Pause::full); }  // in a later turn than hold()
  bool is_held() const noexcept { return !tap_.is_open(); }
  // It has stanzas waiting, and may pass: in its turn, once it has credit. It rides then, though it had left when its proof was
  // over: a clock that was set back lets that hold again.
  void wait_in_turn(pairs::OutPair& pair) {
    riding.insert(&pair);
    if (has_credit(pair.key)) {
      turns.add(&pair);
    } else {
      turns.remove(&pair);
      without_credit.insert(&pair);
    }
  }
  void wait_no_more(pairs::OutPair& pair) {  // nothing of it waits
    turns.remove(&pair);
    without_credit.erase(&pair);
  }
  void leave(pairs::OutPair& pair) {  // it rides no more
    riding.erase(&pair);
    wait_no_more(pair);
  }

  void count_useless(std::size_t bytes);  // what came meant nothing: a flood of such ends it (AB-014)
  // Takes what a DNS question costs off what the peer has sent; false: it has not sent as much (AB-196).
  bool pays_for_questions(std::size_t bytes);

  // All bytes given to the connection so far; and whether of so many all have left it.
  std::uint64_t written() const noexcept { return written_; }
  bool has_sent(std::uint64_t bytes) const {
    return connection->queued() == 0 || connection->queued() + bytes <= written_;
  }

  // Its connection has said its last word. It is in the table still where its end could not be taken in.
  bool is_gone() const noexcept { return is_gone_; }
  bool is_live() const noexcept { return machine.is_open() && !is_ending; }
  bool is_full(Instant now) const noexcept { return now < full_until; }
  bool is_ours() const noexcept { return machine.role() == Role::initiating; }
  // One that the peer opened for both directions, and on which it answers our claims: it may carry whatever leads to that peer.
  bool may_be_asked_in_reverse() const noexcept {
    return !is_ours() && machine.is_bidi() && machine.features().dialback_errors;
  }
  bool is_heard_inside_tls() const noexcept { return machine.is_encrypted() && bytes_in > bytes_in_clear_; }
  Labels labels_of(const Domain& target) const {
    return in_ascii.empty() || !in_ascii.contains(target) ? Labels::unicode : Labels::ascii;
  }
  Address site() const { return site_of(connection->remote().address); }  // of the far end
  std::string number() const { return std::to_string(ref.number); }

  // seams::Receiver
  void on_bytes(std::string_view bytes) override;
  void on_tls(const Result<seams::TlsFacts>& facts) override;
  void on_writable() override;
  void on_closed(const Error& why) override;
  // stream::StanzaSink
  xml::Take stanza(const xml::ElementView& stanza, stream::StanzaKind kind) override;

  const pair::StreamRef ref;
  stream::Machine machine;
  std::unique_ptr<seams::Connection> connection;
  seams::TlsFacts facts;
  WallTime opened_at;
  bool is_ending = false;
  std::optional<Error> ended_by;  // the first reason

  // Whom we reached, and what we asked. Receiving: null, empty, but for one that may be asked in reverse.
  peers::Peer* peer = nullptr;
  std::string peer_host;            // SRV target
  Instant began_at{}, joined_at{};  // it, and its being one of the peer's streams
  bool is_authenticated = false;    // EXTERNAL succeeded for the header's pair
  bool shows_certificate = true;    // ours, if the peer asks for it
  bool is_tls_begun = false;
  bool is_ended_by_us = false;                 // while it was well
  bool certificate_is_refused = false;         // inside TLS
  std::string external_text;                   // why the peer refused EXTERNAL
  std::optional<Instant> external_refused_at;  // and when
  // Why it ended, for a procedure that finds it gone; nullopt: it lives.
  std::shared_ptr<std::optional<Error>> last_word = std::make_shared<std::optional<Error>>();
  std::set<Domain> targets;          // the header's, and those asked for
  std::set<Domain> in_ascii;         // those of them that are named in A-labels (AB-187, AB-215)
  Labels spelled = Labels::unicode;  // the header's target, in our first header
  pairs::OutPairSet riding;
  pair::Turns<pairs::OutPair*, pairs::ByNumber> turns{kShare};  // of those riding that have stanzas waiting (MUX-11)
  pairs::OutPairSet without_credit;  // of those riding that have stanzas waiting, the others (FLOW-02)
  // FLOW-02: of pairs that ride it or rode it; of those that are not here a whole window is left.
  std::unordered_map<pairs::PairKey, pair::Credit, pairs::PairHash, pairs::PairEqual> credits;
  Windows windows;  // of those that send to us (FLOW-03)
  // Pairs that ride it no more and must not go on elsewhere before it has sent so many bytes, or is dead (P6).
  std::map<pairs::OutPair*, std::uint64_t, pairs::ByNumber> left;
  std::unordered_map<pairs::PairKey, Question, pairs::PairHash, pairs::PairEqual> asked;
  std::deque<std::shared_ptr<ground::Gate<bool>>>
      wait_to_ask;  // while `asked` holds as many as a peer like us decides at once
  std::map<std::tuple<Domain, Domain, std::string>, std::shared_ptr<ground::Gate<DbAnswer>>>
      verifying;  // sender, target, id
  std::shared_ptr<ground::Gate<Result<void>>>
      wants_verdict;                                   // the server is to be judged; or why it does not come to that
  std::shared_ptr<ground::Gate<Result<void>>> opened;  // the negotiation is done, or why it failed
  std::optional<Instant> last_extra_target, last_extra_sender;  // MUX-06
  Instant full_until{};                                         // the peer takes no further pair on it for now (MUX-05)
  Instant unused_since;
  std::size_t reserved = 0;  // procedures that are about to use it

  // Receiving.
  ground::Tally<Address>::Token seat;  // among all of its site
  ground::Tally<Address>::Token place,
      place_of_site;  // among the unproven of its prefix and site, until it is proven or over
  std::map<Domain, SenderRecord> senders;
  pairs::InPairs in_pairs;
  bool is_joining = false;          // whose peer it leads to is being looked up, or known
  std::set<pairs::PairKey> claims;  // being decided (DB-07)
  unsigned dial_backs = 0;          // connections being made for its claims

  std::uint64_t stanzas_in = 0, stanzas_out = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t bytes_asked = 0;  // of DNS questions at the peer's word

 private:
  template <class Step>
  void guarded(Step step) noexcept;  // what is thrown costs this stream
  void work_off(stream::Actions& actions);
  void tell_over();
  void carry_out(stream::Action& action);
  void look_at_closing();
  void let_go(seams::Pause why);
  void put(std::string_view bytes);
  void on_due();
  void forget_clear_half();
  void on_external_refused(stream::ExternalRefused& refused);

  ground::Ground& ground_;
  peers::Peers& peers_;
  Owner& owner_;
  ground::Deadline deadline_;
  ground::Tap tap_;
  std::uint64_t bytes_in_clear_ = 0;
  std::uint64_t written_ = 0;
  bool is_performing_ = false, is_closing_ = false, is_over_told_ = false, is_gone_ = false;
};

}  // namespace ligase::streams
