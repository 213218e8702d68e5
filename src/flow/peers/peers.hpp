// The remote hosts as met on the wire, by SRV target and port: which streams lead there, how often it failed, and what it is known
// to take. What was learned, and by which keys they were proven (AB-069), outlasts a restart (learned.hpp).
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "ground/gate.hpp"
#include "ground/ground.hpp"
#include "pair/budget.hpp"
#include "pair/refs.hpp"
#include "peers/spellings.hpp"
#include "proof/certificate.hpp"
#include "proof/known_keys.hpp"

namespace ligase::peers {

constexpr std::size_t kMostPeers = 50'000;  // beyond, what is no longer in use is forgotten, learned or not
constexpr auto kLearned = std::chrono::hours(24), kLearnedOfHarm = std::chrono::hours(7 * 24);

// A connection that is being made.
struct Connecting {
  explicit Connecting(const Executor& executor)
      : decided(executor), passed(std::make_shared<ground::Gate<bool>>(executor)) {}
  ground::Gate<bool> decided;  // for those of the same domain: it stands, or not
  // For those of another domain, which it may carry too: the same; or it is held up, and they go on.
  std::shared_ptr<ground::Gate<bool>> passed;
  bool is_judged = false;
  // The peer opened one itself: those that wait look at that one, and come back if it is not for them.
  void look_elsewhere(const Executor& executor) {
    std::exchange(passed, std::make_shared<ground::Gate<bool>>(executor))->open(true);
  }
};

struct Peer {
  Peer(std::string name, std::uint16_t at, std::uint64_t most, pair::Budget& all)
      : host(std::move(name)), port(at), waiting(most, &all) {}

  std::string host;
  std::uint16_t port;
  pair::Budget waiting;               // bytes in the queues of the pairs that wait for it
  std::set<pair::StreamRef> streams;  // that we opened, and those of its own that may be asked in reverse (BIDI-03)
  std::map<Domain, std::shared_ptr<Connecting>> connecting;  // by target domain
  unsigned kept_by = 0;                                      // procedures that keep a reference
  std::weak_ptr<const proof::Chain> shown;                   // by it on the session before this one, while that lives
  std::optional<bool> takes_targets;                         // <errors/> seen; nullopt: not met yet
  WallTime takes_targets_until{};                            // so long it is remembered over a restart
  WallTime no_extra_targets_until{}, no_extra_senders_until{};  // MUX-06, learned
  WallTime no_external_until{};                                 // EXT-01: it ended the stream at our <auth/>
  WallTime no_certificate_until{};                              // EXT-01: it refused our certificate inside TLS
  WallTime named_authzid_until{};                               // EXT-01: it refused an empty one
  WallTime no_bidi_until{};                                     // BIDI-05: it ended the stream at our <bidi/>
  unsigned failures = 0;                                        // to connect, in a row (ROUTE-04)
  Instant last_try{}, retry_at{};
  std::optional<Error> last_error;
};

class Peers {
 public:
  // `waiting`: of all queues; it outlives this. Recalls the memos of kind "peer" and "key".
  Peers(ground::Ground& ground, pair::Budget& waiting, const std::vector<seams::Memo>& memos);

  Peer& at(std::string_view host, std::uint16_t port);
  void remember(const Peer& peer);  // call it when one of the learned facts changes

  // `chain`, valid to an anchor, has just proven `remote` as its certificate names `name`: the domain itself (pkix), or the
  // host that its signed SRV leads to (dnssec). Another key from another CA than ever before is a `peer_key_changed`.
  void note_key(const proof::Chain& chain, std::string_view name, const Domain& remote);

  // Those that nothing uses and nothing is known of; `in_use`: by a stream, even one that is still being negotiated.
  void forget(const std::set<const Peer*>& in_use);
  // What was learned holds for as long as before: not for as much longer as the clock was wrong.
  void clock_was_set_back(std::chrono::seconds by);
  std::size_t size() const noexcept { return peers_.size(); }
  const auto& all() const noexcept { return peers_; }

  Spellings spellings;

 private:
  ground::Ground& ground_;
  pair::Budget& waiting_;
  std::map<std::pair<std::string, std::uint16_t>, Peer, std::less<>> peers_;
  proof::KnownKeys keys_;
};

}  // namespace ligase::peers
