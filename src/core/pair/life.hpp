// One pair's life: whether it is proven, on which stream, and what each event makes of that. Nobody edits a state: an event
// comes in, and live_on() is the one question (MUX-02, MUX-09, P1, P2).
//
//            | begin   | settle: proof | refusal, final    | refusal, temporary       | over, close | judge_anew
//   unproven | attempt | proven        | refused           | refused                  | closed      | -
//   proven   | attempt | proven        | refused           | proven while it is live  | closed      | - (its epoch is over)
//   refused  | attempt | proven        | refused, rests on | refused, rests on        | closed      | may be tried at once
//   closed   | attempt | proven        | refused           | refused                  | closed      | -
//
// Contract, section 5, calls these proving, proven, refused and expired.
#pragma once
#include <optional>
#include <variant>

#include "base/result.hpp"
#include "base/time.hpp"
#include "pair/refs.hpp"
#include "proof/judge.hpp"

namespace ligase::pair {

class Life {
 public:
  struct Unproven {};
  struct Proven {
    proof::Proof proof;  // its epoch is that of its judgement, not of the moment at which it came here (AB-179)
    StreamRef stream;    // on which it was proven and which it rides: nowhere else does it hold
    WallTime since;
  };
  struct Refused {
    Error why;
    WallTime since;    // for people
    Instant retry_at;  // monotonic: a clock that is set back keeps nobody refused
  };
  struct Closed {};
  using State = std::variant<Unproven, Proven, Refused, Closed>;
  enum class Weight : std::uint8_t { final, temporary };  // temporary: says nothing against what was proven before

  const State& state() const noexcept { return state_; }
  template <class Of>
  const Of* as() const noexcept {
    return std::get_if<Of>(&state_);
  }
  std::string_view state_name() const noexcept;
  // The Proof under which a stanza may pass on `stream` now; null: it may not. Null too while the pair's earlier stanzas are
  // still on their way on another stream, which these must not overtake (P6).
  const proof::Proof* live_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept;
  // The Proof under which the peer may speak in reverse on `stream` (BIDI-03): it asks for no more than what was proven there.
  const proof::Proof* proven_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept;
  // It holds on a stream, and nothing passes there yet for that very reason: what comes waits, and nothing is to be proven.
  bool is_moving(PolicyEpoch epoch, WallTime wall) const noexcept;
  bool is_being_proven() const noexcept { return is_being_proven_; }
  // The refusal that rests still, and that no attempt questions; null: none.
  const Refused* resting(Instant now) const noexcept;
  unsigned refusals_in_a_row() const noexcept { return refusals_; }
  std::optional<StreamRef> draining() const noexcept { return draining_; }

  void begin() noexcept;  // none runs
  void settle(Proven proven);
  void settle(Refused refused, Weight weight, PolicyEpoch today);
  // The stream takes nothing more; what it took may still be on its way.
  void stream_is_over(StreamRef stream);
  // What this pair gave to the stream has left, or never will.
  void has_drained(StreamRef stream) noexcept;
  void close();
  void judge_anew(Instant now) noexcept;  // the policy changed: refusals need not rest

 private:
  void leave() noexcept;  // the stream that it rides, if any

  State state_;
  std::optional<StreamRef>
      draining_;  // the one stream that may still hold stanzas of this pair while it rides none, or another
  bool is_being_proven_ = false;
  unsigned refusals_ = 0;  // since the last proof; an attempt that begins does not end the row (MUX-05)
};

// How long an outgoing pair rests after so many refusals in a row, 1 or more: 30 s, doubling to an hour (MUX-05). What DNS says
// is remembered by the resolver's cache, what the network does by the back-off of peers and addresses (ROUTE-04): soon again.
Duration rest_after(Reason reason, unsigned refusals) noexcept;

}  // namespace ligase::pair
