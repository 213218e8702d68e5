// One s2s stream at work: its connection, its machine, and what rides on it. It carries out the machine's actions and
// hands stanzas to the hub; what needs a look-up is a procedure of its own (claims.hpp, dial.hpp).
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>

#include "ground/deadline.hpp"
#include "ground/gate.hpp"
#include "pair/queue.hpp"
#include "pair/standing.hpp"
#include "pair_key.hpp"
#include "renewals.hpp"
#include "seams/clock.hpp"
#include "seams/network.hpp"
#include "stream/machine.hpp"

namespace ligase {

class Hub;
struct OutPair;
struct Peer;

// What is known of a sender domain by the certificate of this session (judge_client), asked once a stream.
struct SenderRecord {
  std::optional<tl::expected<proof::Proof, proof::ClientRefusal>> verdict;  // nullopt: never judged yet
  WallTime judged_at{};
  pair::PolicyEpoch epoch;                   // under which it was judged
  std::shared_ptr<ground::Gate<bool>> done;  // while it is judged (anew): opens when the verdict is there
  bool is_proven_by_dialback = false;        // for some target (MUX-08)
  // The certificate's proof, if it holds under this policy now; null: none.
  const proof::Proof* live_proof(pair::PolicyEpoch today, WallTime now) const noexcept {
    return verdict && verdict->has_value() && epoch == today && (*verdict)->expires > now ? &**verdict : nullptr;
  }
};

struct InPair {
  pair::PairState state;
  std::unique_ptr<pair::Queue> held;  // while no proof of it holds (MUX-09); null otherwise
  bool is_being_proven = false;
  std::uint64_t stanzas = 0;
  std::string dialback_key;  // with which it was claimed; the authority can be asked again
  Renewals::Ticket renewal;
};

using DbAnswer = Result<stream::DbVerdict>;  // error: the stream ended first

class Session final : public seams::Receiver, public stream::StanzaSink {
 public:
  Session(Hub& hub, pair::StreamRef ref, std::unique_ptr<seams::Connection> connection, stream::Machine machine);
  ~Session() override;

  void start();                            // begins reading; initiating: sends the header
  void perform(stream::Actions actions);   // carries out what the machine says, and goes on with what was fed
  void end(StreamFault fault, Error why);  // with a stream error
  void close(Error why);                   // orderly, without one
  void write(std::string_view bytes);      // a db element
  void carry(std::string_view stanza);     // of a pair that may pass

  bool is_live() const noexcept { return machine.is_open() && !is_ending; }
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
  Instant created_at;
  bool is_ending = false;
  bool is_stalled = false;        // did not take bytes for a second: what is more than its queue bounces at once
  std::optional<Error> ended_by;  // the first reason

  // Initiating: whom we reached, and what we asked.
  Peer* peer = nullptr;
  std::string peer_host;          // SRV target; receiving: empty
  bool is_authenticated = false;  // EXTERNAL succeeded for the header's pair
  std::string external_text;      // why the peer refused our certificate
  std::set<Domain> targets;       // the header's, and those asked for
  std::unordered_set<OutPair*> riding;
  std::unordered_map<PairKey, std::shared_ptr<ground::Gate<DbAnswer>>, PairHash, PairEqual> asked;
  std::deque<std::shared_ptr<ground::Gate<bool>>>
      wait_to_ask;  // while `asked` holds as many as a peer like us decides at once
  std::map<std::tuple<Domain, Domain, std::string>, std::shared_ptr<ground::Gate<DbAnswer>>>
      verifying;  // sender, target, id
  std::shared_ptr<ground::Gate<Result<void>>>
      wants_verdict;                                   // the server is to be judged; or why it does not come to that
  std::shared_ptr<ground::Gate<Result<void>>> opened;  // the negotiation is done, or why it failed
  std::optional<Instant> last_extra_target, last_extra_sender;  // MUX-06
  Instant unused_since;
  std::size_t reserved = 0;  // procedures that are about to use it

  // Receiving.
  std::map<Domain, SenderRecord> senders;
  std::unordered_map<PairKey, InPair, PairHash, PairEqual> in_pairs;
  std::set<PairKey> claims;  // being decided (DB-07)
  unsigned dial_backs = 0;   // connections being made for its claims

  std::uint64_t stanzas_in = 0, stanzas_out = 0, bytes_in = 0, bytes_out = 0;

 private:
  void carry_out(stream::Action& action);
  void on_due();

  Hub& hub_;
  ground::Deadline deadline_;
  bool is_performing_ = false;
};

}  // namespace ligase
