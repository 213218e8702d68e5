// The pairs of this gateway: outgoing ones in a table of their own, incoming ones in the table of the stream they are proven on,
// and the claims that were refused lately.
#pragma once
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "ground/tally.hpp"
#include "pair/backlog.hpp"
#include "pair/life.hpp"
#include "pairs/pair_key.hpp"
#include "pairs/renewals.hpp"
#include "peers/peers.hpp"

namespace ligase::pairs {

// What came in reverse of a pair while it is being proven: it passes when the pair is, on the stream it came by.
struct Reverse {
  Reverse(pair::StreamRef came_by, bool was_proven_there, pair::Budget& at)
      : stream(came_by), was_proven(was_proven_there), held(at) {}
  pair::StreamRef stream;
  bool was_proven;  // there, before: whom it came from may be told, and counts on it
  pair::Backlog held;
};

struct OutPair {             // ours → theirs
  PairKey key;               // sender: ours
  std::uint64_t number = 0;  // in the order they came
  pair::Life life;
  pair::StreamRef accepted_on;             // the stream on which the peer took us for the sender
  std::unique_ptr<pair::Backlog> backlog;  // null at rest
  std::unique_ptr<Reverse> reverse;        // likewise
  std::uint64_t stanzas = 0, stanzas_in_reverse = 0;
  std::optional<Error> last_error;
  Renewals::Ticket renewal;
  ground::Tally<Domain>::Token counted{};  // among its sender's
};

// Ordered by what is the same in every run, never by where a pair lies in memory.
struct ByNumber {
  bool operator()(const OutPair* a, const OutPair* b) const noexcept { return a->number < b->number; }
};
using OutPairSet = std::set<OutPair*, ByNumber>;

class OutPairs {
 public:
  OutPair* find(PairView key) noexcept {
    const auto found = pairs_.find(key);
    return found == pairs_.end() ? nullptr : found->second.get();
  }
  OutPair& add(const PairKey& key);  // or the one that is there
  // It is there, or one more of its sender's is within `most`, of which each sender has a quarter (AB-276).
  bool may_add(const PairKey& key, std::uint64_t most) const;
  void erase(PairView key) { pairs_.erase(pairs_.find(key)); }
  template <class Is>
  void erase_if(Is is) {
    std::erase_if(pairs_, [&](const auto& entry) { return is(*entry.second); });
  }
  std::size_t size() const noexcept { return pairs_.size(); }
  const auto& all() const noexcept { return pairs_; }

 private:
  ground::Tally<Domain> of_senders_;
  std::unordered_map<PairKey, std::unique_ptr<OutPair>, PairHash, PairEqual> pairs_;
  std::uint64_t next_number_ = 1;
};

// The key of a claim, with which the authority can be asked again, and in which labels it was made.
struct ClaimKey {
  std::string text;
  stream::Spelling spelling{};
};

struct InPair {  // theirs → ours, on one stream
  pair::Life life;
  std::unique_ptr<pair::Backlog> held;  // while no proof of it holds (MUX-09); null otherwise
  std::uint64_t stanzas = 0;
  ClaimKey claim_key;
  Renewals::Ticket renewal;
  ground::Tally<Address>::Token counted{};  // among what the far end's site makes us remember
};
using InPairs = std::unordered_map<PairKey, InPair, PairHash, PairEqual>;

// Claims refused lately, for `ctl pairs` and the negative cache (30 s, AB-081), which holds for who made the claim and
// for nobody else: a forger must not speak for the domain by being refused. Bounded.
class Refusals {
 public:
  struct Refused {
    Error why;
    Address from;
    WallTime since;
    Instant until;
  };
  void note(const PairKey& key, Refused refused, Instant now);
  const Refused* find(const PairKey& key) const;
  bool erase(const PairKey& key) { return refused_.erase(key) > 0; }
  void clear() {
    refused_.clear();
    oldest_.clear();
  }
  const auto& all() const noexcept { return refused_; }

 private:
  std::map<PairKey, Refused> refused_;
  std::deque<std::pair<Instant, PairKey>>
      oldest_;  // in the order of their ends: what is over goes, and nothing is scanned
};

}  // namespace ligase::pairs
