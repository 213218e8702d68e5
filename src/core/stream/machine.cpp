// The stream machine: its life, what goes out, what comes in, the verdicts it was given, and time. What headers do stands in
// machine_header.cpp, what elements do in machine_element.cpp.
#include "stream/machine.hpp"

#include <fmt/format.h>

#include "stream/error_element.hpp"
#include "stream/words.hpp"

namespace ligase::stream {
namespace {

constexpr std::size_t kMostHeld = 64 * 1024;

}  // namespace

Machine::Machine(Role role, Limits limits, const Hosting* hosting, std::function<std::string()> new_id, Instant now)
    : role_(role),
      limits_(limits),
      hosting_(hosting),
      new_id_(std::move(new_id)),
      parser_(limits.xml),
      opened_at_(now),
      last_sent_(now),
      last_heard_(now),
      last_stanza_(now),
      now_(now),
      idle_since_(now) {}
Machine::Machine(Machine&&) noexcept = default;
Machine::~Machine() = default;

Machine Machine::initiate(Limits limits, Domain local, Domain remote, Encryption encryption, Instant now,
                          Labels remote_labels) {
  Machine machine(Role::initiating, limits, nullptr, {}, now);
  machine.local_ = std::move(local);
  machine.remote_ = std::move(remote);
  machine.encryption_ = encryption;
  machine.remote_labels_ = remote_labels;
  return machine;
}

Machine Machine::receive(Limits limits, const Hosting& hosting, std::function<std::string()> new_id, Instant now) {
  return Machine(Role::receiving, limits, &hosting, std::move(new_id), now);
}

// ---- what goes out

Actions Machine::take_actions() noexcept { return std::exchange(actions_, {}); }

void Machine::send(std::string bytes) {
  last_sent_ = now_;
  if (!actions_.empty())
    if (auto* last = std::get_if<Send>(&actions_.back())) {
      last->bytes += bytes;
      return;
    }
  actions_.push_back(Send{std::move(bytes)});
}

void Machine::send_header() {
  std::string out = fmt::format("<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' xmlns:db='{}'",
                                ns::kServer, ns::kStreams, ns::kDialback);
  if (role_ == Role::receiving) {
    id_ = new_id_();
    out += fmt::format(" id='{}'", id_);
  }
  if (local_) out += fmt::format(" from='{}'", local_->as(local_labels_));
  if (remote_) out += fmt::format(" to='{}'", remote_->as(remote_labels_));
  out += " version='1.0'>";
  header_sent_ = true;
  send(std::move(out));
}

void Machine::end(std::optional<StreamFault> fault, Error why) {
  if (phase_ == Phase::over) return;
  if (phase_ == Phase::closing) {
    phase_ = Phase::over;
    actions_.push_back(Ended{*closing_why_});
    return;
  }
  if (phase_ != Phase::tls) {  // in the middle of a handshake nothing can be said
    if (fault) {
      if (!header_sent_) send_header();
      send(error_element(*fault));
    }
    if (header_sent_) send("</stream:stream>");
  }
  ended_at_auth_ = phase_ == Phase::auth;
  phase_ = Phase::over;
  actions_.push_back(Ended{std::move(why)});
}

// AB-040: what lies behind <starttls/> or <proceed/> was sent in clear by somebody on the path, or by a broken peer.
void Machine::end_for_injection() {
  phase_ = Phase::over;
  actions_.push_back(Ended{{Reason::tls_injection, "clear bytes behind the STARTTLS negotiation"}});
}

Actions Machine::fail(StreamFault fault, Error why) {
  end(std::move(fault), std::move(why));
  return take_actions();
}

Actions Machine::close(Error why, Instant now) { return wind_down(std::nullopt, std::move(why), now); }

Actions Machine::wind_down(std::optional<StreamFault> fault, Error why, Instant now) {
  now_ = now;
  if (phase_ == Phase::closing) return {};
  if ((role_ == Role::initiating && !is_bidi_) || phase_ != Phase::open || !is_proven_) {
    end(std::move(fault), std::move(why));
    return take_actions();
  }
  if (fault) send(error_element(*fault));
  send("</stream:stream>");
  closing_why_ = std::move(why);
  closing_since_ = now_;
  phase_ = Phase::closing;
  return take_actions();
}

Actions Machine::start() {
  send_header();
  return take_actions();
}

// ---- what comes in

bool Machine::waits_for_verdict() const noexcept { return phase_ == Phase::verdict; }

Actions Machine::feed(std::string_view bytes, StanzaSink& sink, Instant now) {
  now_ = last_heard_ = now;
  if (is_over()) return {};
  if (phase_ == Phase::tls) {
    end_for_injection();
    return take_actions();
  }
  if (waits_for_verdict() || parser_is_stopped_ || !held_.empty()) {
    if (held_.size() + bytes.size() > kMostHeld)
      return fail({StreamError::policy_violation, "too much sent before it was asked for"},
                  {Reason::stream_limit, "over 64 KiB came while a verdict was awaited"});
    held_ += bytes;
    return {};
  }
  sink_ = &sink;
  const std::uint64_t before = elements_;
  const xml::Fed fed = parser_.feed(bytes, *this);
  if (elements_ == before && fed.state == xml::Fed::State::more && parser_.buffered() == 0 && !parser_.is_discarding())
    count_idle(bytes.size());
  return take_fed(fed);
}

// White space and elements that say nothing to us cost us a read each and the peer next to nothing: a minute has room for
// keep-alives, not for a flood (AB-014). They never move the unproven timer.
void Machine::count_idle(std::uint64_t bytes) {
  if (now_ - idle_since_ >= 60s) {
    idle_since_ = now_;
    idle_bytes_ = 0;
  }
  idle_bytes_ += bytes;
  if (idle_bytes_ > limits_.idle_bytes_per_minute)
    end(StreamFault{StreamError::policy_violation, "too much white space, or too many elements that mean nothing here"},
        {Reason::stream_limit, "a flood of what is no stanza"});
}

Actions Machine::count_useless(std::size_t bytes, Instant now) {
  now_ = now;
  count_idle(256 + bytes);
  return take_actions();
}

Actions Machine::resume(StanzaSink& sink, Instant now) {
  now_ = now;
  if (!has_more()) return {};
  sink_ = &sink;
  if (parser_is_stopped_) {
    parser_is_stopped_ = false;
    return take_fed(parser_.resume(*this));
  }
  const std::string held = std::exchange(held_, {});
  return take_fed(parser_.feed(held, *this));
}

Actions Machine::take_fed(const xml::Fed& fed) {
  sink_ = nullptr;
  if (is_over()) return take_actions();
  switch (fed.state) {
    case xml::Fed::State::more:
      break;
    case xml::Fed::State::stopped:
      if (phase_ == Phase::tls && fed.unconsumed > 0) {
        actions_.clear();
        end_for_injection();
        break;
      }
      if (restart_is_due_) {
        restart_is_due_ = false;
        parser_.restart();
        send_header();
      } else {
        parser_is_stopped_ = true;
      }
      break;
    case xml::Fed::State::closed:
      end(std::nullopt, {Reason::stream_closed, "the peer closed the stream"});
      break;
    case xml::Fed::State::failed: {
      const StreamFault fault = fed.fault.value_or(StreamFault{StreamError::not_well_formed, "not well-formed"});
      const bool is_limit = fault.error == StreamError::policy_violation;
      end(fault, {is_limit ? Reason::stream_limit : Reason::stream_protocol,
                  fmt::format("{}: {}", condition_name(fault.error), fault.text)});
      break;
    }
  }
  return take_actions();
}

// ---- verdicts

Actions Machine::on_tls(Instant now) {
  now_ = now;
  if (phase_ != Phase::tls) return {};
  is_encrypted_ = true;
  parser_.restart();  // STR-04: nothing said in clear counts any more
  parser_is_stopped_ = false;
  held_.clear();
  features_ = {};
  has_claimed_ = false;
  header_sent_ = false;
  if (role_ == Role::receiving) {
    local_.reset();
    remote_.reset();
    phase_ = Phase::header_tls;
  } else {
    phase_ = Phase::verdict;
    actions_.push_back(AskServerVerdict{});
  }
  return take_actions();
}

Actions Machine::go_on(External external, Bidi bidi, Instant now) {
  now_ = now;
  if (phase_ != Phase::verdict || role_ != Role::initiating) return {};
  external_ = external;
  bidi_ = bidi;
  if (is_encrypted_) {
    phase_ = Phase::header_tls;
    send_header();
  } else {
    open();
  }
  return take_actions();
}

Actions Machine::offer_features(bool external, Instant now) {
  now_ = now;
  if (phase_ != Phase::verdict || role_ != Role::receiving) return {};
  external_offered_ = external;
  offer();
  return take_actions();
}

// ---- time

void Machine::pair_proven(Instant now) {
  now_ = now;
  if (is_proven_) return;
  is_proven_ = true;
  last_stanza_ = now;
  parser_.set_stanza_size(limits_.stanza_size, xml::Oversize::costs_itself);
}

// Stanzas keep a stream; the one who answers it waits for any byte, as its limits say, where it has sent nothing either.
Instant Machine::idle_from() const noexcept {
  return role_ == Role::initiating ? last_stanza_ : std::max(last_stanza_, last_heard_);
}

// White space leaves well before the peer takes the stream for idle (XEP-0478), and at most once a second whatever it says.
Duration Machine::keep_alive() const noexcept {
  if (!features_.idle_seconds) return limits_.keep_alive;
  return std::min(limits_.keep_alive, std::max<Duration>(1s, *features_.idle_seconds * Duration(1s) / 2));
}

Instant Machine::deadline() const noexcept {
  if (is_over()) return Instant::max();
  if (is_closing()) return closing_since_ + kClosePatience;
  const bool is_pending = role_ == Role::receiving ? !is_proven_ : !was_opened_;
  Instant next = is_pending ? opened_at_ + limits_.unproven_timeout : Instant::max();
  if (phase_ == Phase::open) {
    next = std::min(next, last_sent_ + keep_alive());
    if (!is_pending) next = std::min(next, idle_from() + limits_.idle_timeout);
  }
  return next;
}

Actions Machine::on_time(Instant now, bool is_busy) {
  now_ = now;
  if (is_over()) return {};
  if (is_closing()) {
    if (now >= deadline()) end(std::nullopt, {});
    return take_actions();
  }
  const bool is_pending = role_ == Role::receiving ? !is_proven_ : !was_opened_;
  if (is_pending && now >= opened_at_ + limits_.unproven_timeout) {
    return fail(
        {StreamError::connection_timeout, "no domain was proven in time"},
        {Reason::stream_unproven, fmt::format("nothing was proven within {} s", limits_.unproven_timeout / 1s)});
  }
  if (phase_ != Phase::open) return {};
  if (!is_pending && now >= idle_from() + limits_.idle_timeout) {
    if (!is_busy)
      return close({Reason::stream_idle, role_ == Role::initiating ? "no stanza for a long time"
                                                                   : "nothing came for as long as was announced"},
                   now);
    last_stanza_ = now;
  }
  if (now >= last_sent_ + keep_alive()) send(" ");
  return take_actions();
}

}  // namespace ligase::stream
