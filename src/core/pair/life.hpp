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

#include "pair/standing.hpp"

namespace ligase::pair {

class Life {
 public:
  struct Unproven {
    WallTime since;
  };
  struct Proven {
    proof::Proof proof;
    StreamRef stream;   // on which it was proven and which it rides: nowhere else does it hold
    PolicyEpoch epoch;  // under which it was judged, not the one of the moment at which it came here (AB-179)
    WallTime since;
  };
  struct Refused {
    Error why;
    WallTime since;    // for people
    Instant retry_at;  // monotonic: a clock that is set back keeps nobody refused
  };
  struct Closed {
    WallTime since;
  };
  using State = std::variant<Unproven, Proven, Refused, Closed>;
  enum class Weight : std::uint8_t { final, temporary };  // temporary: says nothing against what was proven before

  explicit Life(WallTime wall) : state_(Unproven{wall}) {}

  const State& state() const noexcept { return state_; }
  std::string_view state_name() const noexcept;
  // The Proof under which a stanza may pass on `stream` now; null: it may not. Null too while the pair's earlier stanzas are
  // still on their way on another stream, which these must not overtake (P6).
  const proof::Proof* live_on(StreamRef stream, PolicyEpoch epoch, WallTime wall) const noexcept;
  bool is_being_proven() const noexcept { return is_being_proven_; }
  // A new attempt may begin: none runs, and a refusal has rested.
  bool may_begin(Instant now) const noexcept;
  unsigned refusals_in_a_row() const noexcept { return refusals_; }
  std::optional<StreamRef> draining() const noexcept { return draining_; }

  void begin() noexcept;  // none runs
  void settle(Proven proven);
  void settle(Error why, Weight weight, PolicyEpoch epoch, Instant now, WallTime wall);
  // The stream takes nothing more; what it took may still be on its way.
  void stream_is_over(StreamRef stream, WallTime wall);
  // What this pair gave to the stream has left, or never will.
  void has_drained(StreamRef stream) noexcept;
  void close(WallTime wall);
  void judge_anew(Instant now) noexcept;  // the policy changed: refusals need not rest

 private:
  void leave() noexcept;  // the stream that it rides, if any

  State state_;
  std::optional<StreamRef>
      draining_;  // the one stream that may still hold stanzas of this pair while it rides none, or another
  bool is_being_proven_ = false;
  unsigned refusals_ = 0;  // since the last proof; an attempt that begins does not end the row (MUX-05)
};

// How long a pair rests after so many refusals in a row, 1 or more: 30 s, doubling to an hour (MUX-05).
Duration rest_after(unsigned refusals) noexcept;

}  // namespace ligase::pair
