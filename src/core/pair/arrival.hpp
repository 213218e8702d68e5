// What becomes of a stanza whose pair is not proven on the stream that it came by (MUX-08).
#pragma once
#include <cstdint>

namespace ligase::pair {

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
  drop,               // counted, stream stays: an error could only leave in the name of a domain that is ours no more
  close_host_unknown,
  close_invalid_from,
};
constexpr Verdict judge_arrival(const Arrival& arrival) noexcept {
  if (!arrival.target_is_hosted) return arrival.target_was_hosted ? Verdict::drop : Verdict::close_host_unknown;
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
