// What comes in reverse of a pair of ours, on the stream that carries it: only the inverse of a pair that is proven there, by the
// very proof of that pair (BIDI-03, AB-094). A peer may use its half a moment before we have seen that ours is proven.
#include "base/on_leaving.hpp"
#include "route/router.hpp"
#include "stream/words.hpp"

namespace ligase::route {

xml::Take Router::in_reverse(streams::Stream& session, pairs::OutPair& own, const xml::ElementView& element,
                             stream::StanzaKind kind, const pairs::PairKey* canonical) {
  hosting::HostedDomain& to = *hosted_.find(own.key.sender);
  ++own.stanzas_in_reverse;
  deliver(to, element, kind, session.machine.peer_header(), pair::Source{session.ref.number}, canonical);
  return session.is_held() ? xml::Take::stop : xml::Take::more;
}

bool Router::is_live_in_reverse(const pairs::OutPair& own, const streams::Stream& session) const {
  return own.reverse == nullptr && ground_.proof_in_reverse(own.life, session.ref) != nullptr &&
         hosted_.is_hosted(own.key.sender);
}

bool Router::waits_in_reverse(streams::Stream& session, const xml::ElementView& element, stream::StanzaKind kind,
                              const pairs::PairKey& key) {
  pairs::OutPair* own = out_pairs_.find(key.reversed());
  if (own == nullptr || element.cannot_pass || own->life.resting(ground_.now()) != nullptr) return false;
  // On a stream of the peer's what it claimed itself is the rule, and this is what we asked for there.
  if (!session.is_ours() && own->accepted_on != session.ref && !session.asked.contains(own->key)) return false;
  if (!own->life.is_being_proven()) {
    // Accepted here, and not proven any more (MUX-09): anew, as for a stanza of its own.
    if (own->accepted_on != session.ref) return false;
    if (const auto* proven = own->life.as<pair::Life::Proven>())
      if (streams::Stream* rides = streams_.find(proven->stream)) rides->leave(*own);
    owner_.set_up(*own);
    if (!own->life.is_being_proven()) return false;
  }
  if (own->reverse == nullptr)
    own->reverse = std::make_unique<pairs::Reverse>(session.ref, own->accepted_on == session.ref, waiting_);
  if (own->reverse->stream != session.ref) return false;
  const auto find = [this, out = own->key]() -> pair::Backlog* {
    const pairs::OutPair* found = out_pairs_.find(out);
    return found == nullptr || found->reverse == nullptr ? nullptr : &found->reverse->held;
  };
  const pair::Source source{session.ref.number};
  const OnLeaving not_empty([&] {  // also where something was thrown
    if (own->reverse != nullptr && own->reverse->held.queue.is_empty()) own->reverse.reset();
  });
  pair::Stanza stanza = keep_for(ns::kComponent, element, kind, session.machine.peer_header(), &key);
  if (keep_in(own->reverse->held, stanza, ground_.rules.limits().queue_per_pair, source, find)) return true;
  if (own->reverse->was_proven) {
    bounce_to_remote(stanza, {Reason::queue_full, "this pair is being proven anew"}, source);
  } else {
    owner_.count_drop(Reason::queue_full, "unproven_reply", &session);
  }
  return true;
}

void Router::settle_reverse(pairs::OutPair& own) {
  const std::unique_ptr<pairs::Reverse> reverse = std::move(own.reverse);
  if (reverse == nullptr) return;
  streams::Stream* session = streams_.find(reverse->stream);
  hosting::HostedDomain* to = hosted_.find(own.key.sender);
  const bool may_pass = session != nullptr && to != nullptr && lives_here(*session, own.key.reversed());
  go_on(reverse->held.brake.has_emptied());
  while (!reverse->held.queue.is_empty()) {
    pair::Stanza stanza = reverse->held.queue.pop();
    alone([&] {
      if (!may_pass && reverse->was_proven)
        return bounce_to_remote(stanza, {Reason::sender_not_proven, "this pair is proven no more on its stream"});
      if (!may_pass) return owner_.count_drop(Reason::sender_not_proven, "unproven_reply", session);
      ++own.stanzas_in_reverse;
      deliver_kept(*to, std::move(stanza), pair::Source{reverse->stream.number});
    });
  }
  give_credit();
  // The peer goes on to use what it cannot know to be over: it comes again, with what proves it by then (AB-254).
  const auto* elsewhere = own.life.as<pair::Life::Proven>();
  if (!may_pass && reverse->was_proven && session != nullptr && elsewhere != nullptr &&
      elsewhere->stream != session->ref)
    session->close({Reason::proof_expired, "a pair of it is proven no more, and its peer cannot be told otherwise"});
}

}  // namespace ligase::route
