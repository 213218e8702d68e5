// A guess that costs a peer's other habits nothing is made at once; one that does not help is taken back by the next stream's end.
#include "streams/lessons.hpp"

#include <fmt/format.h>

#include "streams/streams.hpp"

namespace ligase::streams {
namespace {

constexpr Duration kBlamed = 5s;  // what ends a stream within it of what we did there was done to it by that

bool is_recent(const ground::Ground& ground, const std::optional<Instant>& when) {
  return when && ground.now() - *when < kBlamed;
}

// EXT-01: some cannot bear <auth/>, and end the stream where it should have been answered; others refuse it and then end it.
bool learn_of_external(const ground::Ground& ground, Stream& stream, Error& why) {
  const bool is_cut = stream.machine.awaits_authentication() && why.reason != Reason::stream_error;
  const bool is_refused = is_recent(ground, stream.external_refused_at) && !stream.machine.is_proven();
  if (!is_peer_s_end(why.reason) || (!is_cut && !is_refused)) return false;
  if (is_refused) {
    why = {Reason::external_refused, fmt::format("{}; then it ended the stream ({}), so the next one goes without",
                                                 stream.external_text, reason_text(why))};
  } else {
    why.detail += "; it was cut where EXTERNAL should have been answered, so the next one goes without";
  }
  stream.peer->no_external_until = ground.wall() + peers::kLearnedOfHarm;
  return true;
}

// EXT-01: others judge our certificate inside the handshake. In TLS 1.3 that comes to light after it, and a reset that follows
// the alert may swallow it: then what ended before a word was heard inside is a guess.
bool learn_of_certificate(const ground::Ground& ground, Stream& stream, Error& why) {
  const bool is_silent =
      stream.facts.has_shown_certificate && !stream.is_heard_inside_tls() && is_peer_s_end(why.reason);
  if (stream.certificate_is_refused || is_silent) {
    why = {Reason::external_refused, why.detail + "; the next one goes without our certificate"};
    stream.peer->no_certificate_until =
        ground.wall() + (stream.certificate_is_refused ? peers::kLearnedOfHarm : peers::kLearned);
    return true;
  }
  const bool is_useless = !stream.shows_certificate && !stream.is_heard_inside_tls() && stream.is_tls_begun &&
                          (is_peer_s_end(why.reason) || why.reason == Reason::tls_failed);
  if (is_useless) stream.peer->no_certificate_until = {};
  return is_useless;
}

// BIDI-05: it offers to be asked, and cannot bear it. What was cut at <auth/> is blamed on that first.
bool learn_of_bidi(const ground::Ground& ground, Stream& stream, Error& why) {
  if (!stream.machine.is_bidi() || stream.opened->is_open() || !is_peer_s_end(why.reason)) return false;
  why.detail += "; both directions were asked for on it, so the next one goes one way";
  stream.peer->no_bidi_until = ground.wall() + peers::kLearned;
  return true;
}

bool learn_of_multiplexing(const ground::Ground& ground, Stream& stream, const Error& why) {
  // A peer that says that it is being stopped minds no further pair.
  if (!is_peer_s_end(why.reason) || stream.machine.peer_error() == StreamError::system_shutdown) return false;
  const bool by_target = is_recent(ground, stream.last_extra_target);
  const bool by_sender = is_recent(ground, stream.last_extra_sender);
  if (by_target) stream.peer->no_extra_targets_until = ground.wall() + peers::kLearned;
  if (by_sender) stream.peer->no_extra_senders_until = ground.wall() + peers::kLearned;
  return by_target || by_sender;
}

// AB-215: nobody of that name there; written the other way it may be known.
void learn_of_spelling(peers::Peers& peers, const Stream& stream, Error& why) {
  const Domain& target = *stream.machine.remote();
  if (stream.machine.peer_error() != StreamError::host_unknown || stream.opened->is_open() ||
      !peers::has_two_spellings(target))
    return;
  peers.spellings.is_unknown_as(target, stream.spelled);
  why.detail += fmt::format("; the next one names it as {}", target.as(peers.spellings.labels_of(target)));
}

}  // namespace

void learn_from_end(const ground::Ground& ground, peers::Peers& peers, Stream& stream, Error& why) {
  if (stream.peer == nullptr || stream.machine.role() != Role::initiating) return;
  if (stream.is_ended_by_us) return;
  learn_of_spelling(peers, stream, why);
  const bool of_multiplexing = learn_of_multiplexing(ground, stream, why);
  const bool of_certificate = learn_of_certificate(ground, stream, why);
  const bool of_external = !of_certificate && learn_of_external(ground, stream, why);
  const bool of_bidi = !of_certificate && !of_external && learn_of_bidi(ground, stream, why);
  if (of_multiplexing || of_certificate || of_external || of_bidi) peers.remember(*stream.peer);
}

}  // namespace ligase::streams
