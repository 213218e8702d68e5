// Carrying out what the stream machine says. The connection never calls back from inside a call to it, and a session
// that is closed is deleted by the hub one turn later: so `this` stands throughout each function here.
#include "session.hpp"

#include <fmt/format.h>

#include "base/overloaded.hpp"
#include "claims.hpp"
#include "hub.hpp"
#include "learned.hpp"

namespace ligase {
namespace {

constexpr Duration kClosePatience = 5s;  // STR-06

}  // namespace

Session::Session(Hub& hub, pair::StreamRef number, std::unique_ptr<seams::Connection> c, stream::Machine m)
    : ref(number),
      machine(std::move(m)),
      connection(std::move(c)),
      opened_at(hub.wall()),
      created_at(hub.now()),
      unused_since(hub.now()),
      hub_(hub),
      deadline_(hub.ground.world.clock, [this] { on_due(); }) {
  if (machine.role() == Role::initiating) {
    wants_verdict = std::make_shared<ground::Gate<Result<void>>>(hub.ground.world.executor);
    opened = std::make_shared<ground::Gate<Result<void>>>(hub.ground.world.executor);
    targets.insert(*machine.remote());
  }
}

Session::~Session() = default;

void Session::start() {
  connection->start(*this);
  if (machine.role() == Role::initiating) perform(machine.start());
  deadline_.move_to(machine.deadline());
}

void Session::perform(stream::Actions actions) {
  if (is_performing_) {  // a stanza ended its own stream: the loop below is at work further up
    for (stream::Action& action : actions) carry_out(action);
    return;
  }
  is_performing_ = true;
  for (;;) {
    for (stream::Action& action : actions) carry_out(action);
    if (is_ending || !machine.has_more()) break;
    actions = machine.resume(*this, hub_.now());
  }
  is_performing_ = false;
  if (is_ending) return;
  if (machine.waits_for_verdict()) {
    connection->pause_reading();
  } else {
    connection->resume_reading();
  }
  deadline_.move_to(machine.deadline());
}

void Session::carry_out(stream::Action& action) {
  std::visit(Overloaded{
                 [&](stream::Send& send) { connection->write(send.bytes); },
                 [&](stream::StartTls&) {
                   seams::TlsRequest request{machine.role(), machine.local(), {}, {}};
                   if (machine.role() == Role::initiating) request.sni = std::string(machine.remote()->text());
                   connection->start_tls(std::move(request));
                 },
                 [&](stream::AskServerVerdict&) { wants_verdict->open({}); },
                 [&](stream::AskClientVerdict& ask) { hub_.spawn(decide_features(&hub_, ref, std::move(ask.sender))); },
                 [&](stream::AskAuthentication& ask) {
                   const auto record = senders.find(ask.sender);
                   Result<void> verdict;
                   if (hub_.policy_towards(ask.sender).is_blocked) {
                     verdict = fail(Reason::policy_blocked, "this domain is not served here");
                   } else if (record == senders.end() || !record->second.verdict) {
                     verdict = fail(Reason::certificate_none,
                                    "no certificate that could prove this domain was judged in time");
                   } else if (!*record->second.verdict) {
                     verdict = fail(record->second.verdict->error().error);
                   } else if (record->second.live_proof(hub_.ground.rules.epoch(), hub_.wall()) == nullptr) {
                     verdict = fail(Reason::proof_expired, "what proved this domain ran out");
                   }
                   perform(machine.authenticate(verdict, hub_.now()));
                 },
                 [&](stream::Authenticated& authenticated) {
                   is_authenticated = true;
                   if (machine.role() == Role::initiating) return;
                   const auto record = senders.find(authenticated.sender);
                   const proof::Proof* proof = record == senders.end()
                                                   ? nullptr
                                                   : record->second.live_proof(hub_.ground.rules.epoch(), hub_.wall());
                   if (proof != nullptr) hub_.grant(*this, {authenticated.sender, authenticated.target}, *proof);
                 },
                 [&](stream::ExternalRefused& refused) {
                   external_text = refused.text;
                   if (refused.blames_authzid && peer != nullptr) {  // EXT-01: the other form next time
                     const bool was_named = peer->named_authzid_until > hub_.wall();
                     peer->named_authzid_until = was_named ? WallTime{} : hub_.wall() + kLearned;
                     remember(hub_, *peer);
                   }
                   hub_.log(report::Event(report::Level::info, "external_refused")
                                .with("stream", number())
                                .with("local", machine.local()->text())
                                .with("remote", machine.remote()->text())
                                .with("reason", name_of(Reason::external_refused))
                                .with("detail", refused.text));
                 },
                 [&](stream::Opened&) {
                   if (opened) opened->open({});
                 },
                 [&](stream::Claimed& claimed) { take_claim(hub_, *this, std::move(claimed.result)); },
                 [&](stream::ResultAnswered& answered) {
                   // Only what was asked on this very stream is an answer (AB-073).
                   const auto asked_for =
                       machine.role() == Role::initiating
                           ? asked.find(PairView{answered.result.sender.text(), answered.result.target.text()})
                           : asked.end();
                   if (asked_for == asked.end()) {
                     hub_.count_drop(Reason::unsolicited, "db:result answer", this);
                     return;
                   }
                   asked_for->second->open(DbAnswer(*answered.result.verdict));
                 },
                 [&](stream::VerifyAsked& asked_verify) { answer_as_authority(hub_, *this, asked_verify.verify); },
                 [&](stream::VerifyAnswered& answered) {
                   const auto question =
                       machine.role() == Role::initiating
                           ? verifying.find({answered.verify.sender, answered.verify.target, answered.verify.id})
                           : verifying.end();
                   if (question == verifying.end()) {
                     hub_.count_drop(Reason::unsolicited, "db:verify answer", this);
                     return;
                   }
                   question->second->open(DbAnswer(*answered.verify.verdict));
                 },
                 [&](stream::Dropped& dropped) { hub_.count_drop(dropped.reason, dropped.what, this); },
                 [&](stream::Ended& ended) {
                   if (!ended_by) ended_by = ended.why;
                   is_ending = true;
                   connection->close(kClosePatience);
                   hub_.session_is_over(*this);
                 },
             },
             action);
}

void Session::end(StreamFault fault, Error why) { perform(machine.fail(std::move(fault), std::move(why))); }
void Session::close(Error why) { perform(machine.close(std::move(why))); }

void Session::write(std::string_view bytes) {
  bytes_out += bytes.size();
  machine.sent_something(hub_.now());
  connection->write(bytes);
}

void Session::carry(std::string_view stanza) {
  const Instant at = hub_.now();
  bytes_out += stanza.size();
  ++stanzas_out;
  machine.sent_something(at);
  machine.carried_stanza(at);
  connection->write(stanza);
}

void Session::on_due() {
  bool is_busy = reserved > 0 || !asked.empty() || !verifying.empty();
  for (const OutPair* pair : riding)
    if (pair->queue && !pair->queue->is_empty()) is_busy = true;
  perform(machine.on_time(hub_.now(), is_busy));
}

void Session::on_bytes(std::string_view bytes) {
  if (is_ending) return;
  bytes_in += bytes.size();
  perform(machine.feed(bytes, *this, hub_.now()));
}

void Session::on_tls(const Result<seams::TlsFacts>& result) {
  if (is_ending) return;
  if (!result) {
    if (!ended_by) ended_by = result.error();
    is_ending = true;
    connection->close(kClosePatience);
    hub_.session_is_over(*this);
    return;
  }
  facts = *result;
  perform(machine.on_tls(hub_.now()));
}

void Session::on_writable() {
  is_stalled = false;
  if (!is_ending) hub_.drain(*this);
}

void Session::on_closed(const Error& why) {
  if (!ended_by) ended_by = why;
  if (!is_ending) {
    is_ending = true;
    hub_.session_is_over(*this);
  }
  hub_.session_is_closed(*this);
}

xml::Take Session::stanza(const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_in;
  return hub_.from_peer(*this, element, kind);
}

}  // namespace ligase
