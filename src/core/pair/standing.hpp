// The heart: is there a live Proof for this pair, in this direction, on this stream, under today's policy? One function
// answers, every path of a stanza passes it (MUX-02, MUX-09, P1, P2).
#pragma once
#include <cstdint>
#include <variant>

#include "base/result.hpp"
#include "base/time.hpp"
#include "proof/judge.hpp"

namespace ligase::pair {

// Our number for a stream: never reused, so that a stale reference finds nothing.
struct StreamRef {
  std::uint64_t number = 0;  // 0: none
  auto operator<=>(const StreamRef&) const = default;
};
// Counts the policies this process has had. A proof made under another policy must be judged anew (AB-179).
struct PolicyEpoch {
  std::uint64_t number = 0;
  auto operator<=>(const PolicyEpoch&) const = default;
};

struct Proving {
  WallTime since;
};
struct Proven {
  proof::Proof proof;
  StreamRef stream;  // the stream it was proven on and rides: nowhere else does it hold
  PolicyEpoch epoch;
  WallTime since;
};
struct Refused {
  Error why;
  WallTime since;
  Instant retry_at;  // of the clock that nobody sets: a step back must not keep a domain refused
  unsigned times;    // in a row (MUX-05)
};
struct Expired {
  WallTime since;
};
using PairState = std::variant<Proving, Proven, Refused, Expired>;

inline std::string_view name_of(const PairState& state) noexcept {
  constexpr std::string_view names[] = {"proving", "proven", "refused", "expired"};
  return names[state.index()];
}

// The Proof under which a stanza of this pair may pass on `stream` now; null: it may not.
inline const proof::Proof* live_proof(const PairState& state, StreamRef stream, PolicyEpoch epoch,
                                      WallTime now) noexcept {
  const auto* proven = std::get_if<Proven>(&state);
  if (proven == nullptr || proven->stream != stream || proven->epoch != epoch || proven->proof.expires <= now)
    return nullptr;
  return &proven->proof;
}

// ---- a stanza from a peer with a pair that is not proven on its stream: the table MUX-08
// ------------------------------
enum class SenderProof : std::uint8_t { none, certificate, dialback };  // of F on this stream, for whatever target
struct Arrival {
  SenderProof sender = SenderProof::none;
  bool target_is_hosted = false;
  bool target_was_hosted = false;  // within the last hour
  bool own_pair_lives = false;     // our pair T→F (out) lives
};
enum class Verdict : std::uint8_t {
  prove_and_deliver,  // I-15: the same certificate proves it for the new target
  deliver,            // D-11: a reply to a pair of ours
  judge_certificate,  // proven by this session's certificate: delivered; else dropped and counted `unproven_reply`
  refuse_stanza,      // stanza error not-authorized, stream stays
  refuse_host,        // stanza error item-not-found, stream stays
  close_host_unknown,
  close_invalid_from,
};
constexpr Verdict judge_arrival(const Arrival& arrival) noexcept {
  if (!arrival.target_is_hosted) return arrival.target_was_hosted ? Verdict::refuse_host : Verdict::close_host_unknown;
  switch (arrival.sender) {
    case SenderProof::certificate:
      return Verdict::prove_and_deliver;
    case SenderProof::dialback:
      return arrival.own_pair_lives ? Verdict::deliver : Verdict::refuse_stanza;
    case SenderProof::none:
      break;
  }
  return arrival.own_pair_lives ? Verdict::judge_certificate : Verdict::close_invalid_from;
}

}  // namespace ligase::pair
