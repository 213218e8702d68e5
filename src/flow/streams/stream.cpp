// Carrying out what the stream machine says. The connection never calls back from inside a call to it, and a session
// that is closed is deleted by its table one turn later: so `this` stands throughout each function here.
#include "streams/stream.hpp"

#include "base/on_leaving.hpp"
#include "base/overloaded.hpp"
#include "stream/words.hpp"
#include "xml/alone.hpp"

namespace ligase::streams {
namespace {

using stream::kClosePatience;
// What a peer has sent at the very least until TLS is up, beside its chain and what is read as clear text: ClientHello,
// Finished, and the packets around them.
constexpr std::uint64_t kLeastHandshake = 512;

}  // namespace

Stream::Stream(ground::Ground& ground, peers::Peers& peers, Owner& owner, PairWindow::Due& due, pair::StreamRef number,
               std::unique_ptr<seams::Connection> c, stream::Machine m)
    : ref(number),
      machine(std::move(m)),
      connection(std::move(c)),
      opened_at(ground.wall()),
      began_at(ground.now()),
      windows(due),
      unused_since(ground.now()),
      ground_(ground),
      peers_(peers),
      owner_(owner),
      deadline_(ground.world.clock, [this] { on_due(); }),
      tap_(*connection) {
  if (machine.role() == Role::initiating) {
    wants_verdict = std::make_shared<ground::Gate<Result<void>>>(ground.world.executor);
    opened = std::make_shared<ground::Gate<Result<void>>>(ground.world.executor);
    targets.insert(*machine.remote());
  }
}

Stream::~Stream() = default;

void Stream::start() {
  guarded([&] {
    connection->start(*this);
    if (machine.role() == Role::initiating) perform(machine.start());
    if (!is_ending) deadline_.move_to(machine.deadline());
  });
}

template <class Step>
void Stream::guarded(Step step) noexcept {
  try {
    step();
  } catch (const std::bad_alloc&) {
    break_off(Reason::memory, "no memory");
  } catch (const std::exception& fault) {
    break_off(Reason::internal, fault.what());
  }
}

void Stream::break_off(Reason reason, const char* what) noexcept {
  ground_.scope.attempt(
      [&] { ground_.log(report::Event(report::Level::error, "internal_fault").with("detail", what)); });
  try {
    connection->abort();
    on_closed({reason, what});
  } catch (const std::exception&) {  // not even that: it is looked for in the table (is_gone())
  }
}

void Stream::perform(stream::Actions actions) noexcept {
  guarded([&] { work_off(actions); });
}

void Stream::work_off(stream::Actions& actions) {
  if (is_performing_) {  // a stanza ended its own stream: the loop below is at work further up
    for (stream::Action& action : actions) carry_out(action);
    look_at_closing();
    return;
  }
  is_performing_ = true;
  const OnLeaving over([this] { is_performing_ = false; });
  for (;;) {
    for (stream::Action& action : actions) carry_out(action);
    look_at_closing();
    if (is_ending || is_held() || !machine.has_more()) break;
    actions = machine.resume(*this, ground_.now());
  }
  if (is_ending) return;
  if (machine.waits_for_verdict()) {
    connection->pause_reading();
  } else {
    connection->resume_reading();
  }
  deadline_.move_to(machine.deadline());
}

void Stream::look_at_closing() {
  if (!machine.is_closing() || is_ending || std::exchange(is_closing_, true)) return;
  owner_.on_closing(*this);
}

void Stream::carry_out(stream::Action& action) {
  std::visit(
      Overloaded{
          [&](stream::Send& send) { put(send.bytes); },
          [&](stream::StartTls&) {
            forget_clear_half();
            seams::TlsRequest request{machine.role(), machine.local(), {}, {}};
            if (machine.role() == Role::initiating) request.sni = std::string(machine.remote()->text());
            request.shows_certificate = shows_certificate;
            is_tls_begun = true;
            connection->start_tls(std::move(request));
          },
          [&](stream::AskServerVerdict&) { wants_verdict->open({}); },
          [&](stream::AskClientVerdict& ask) { owner_.on_wants_features(*this, std::move(ask.sender)); },
          [&](stream::AskAuthentication& ask) {
            const auto record = senders.find(ask.sender);
            Result<void> verdict;
            if (ground_.rules.towards(ask.sender).is_blocked) {
              verdict = fail(Reason::policy_blocked, "this domain is not served here");
            } else if (record == senders.end() || !record->second.verdict) {
              verdict =
                  fail(Reason::certificate_none, "no certificate that could prove this domain was judged in time");
            } else if (!*record->second.verdict) {
              verdict = fail(record->second.verdict->error().error);
            } else if (record->second.live_proof(ground_.rules.epoch(), ground_.wall()) == nullptr) {
              verdict = fail(Reason::proof_expired, "what proved this domain ran out");
            }
            perform(machine.authenticate(verdict, ground_.now()));
          },
          [&](stream::Authenticated& authenticated) {
            is_authenticated = true;
            if (machine.role() == Role::initiating) return;
            owner_.on_authenticated(*this, authenticated.sender, authenticated.target);
          },
          [&](stream::ExternalRefused& refused) { on_external_refused(refused); },
          [&](stream::Opened&) {
            if (machine.role() == Role::initiating && machine.remote_labels() == Labels::ascii)
              in_ascii.insert(*machine.remote());
            if (opened) opened->open({});
          },
          [&](stream::Claimed& claimed) { owner_.on_claim(*this, std::move(claimed.result)); },
          [&](stream::ResultAnswered& answered) {
            // Only what was asked on this very stream is an answer (AB-073).
            const auto asked_for = asked.find(pairs::PairKey{answered.result.sender, answered.result.target});
            if (asked_for == asked.end()) {
              owner_.on_dropped(*this, Reason::unsolicited, "db:result answer");
              return;
            }
            if (answered.result.spelling.target == Labels::ascii) in_ascii.insert(answered.result.target);
            asked_for->second.answer->open(DbAnswer(*answered.result.verdict));
          },
          [&](stream::VerifyAsked& asked_verify) { owner_.on_verify(*this, asked_verify.verify); },
          [&](stream::VerifyAnswered& answered) {
            const auto question = verifying.find({answered.verify.sender, answered.verify.target, answered.verify.id});
            if (question == verifying.end()) {
              owner_.on_dropped(*this, Reason::unsolicited, "db:verify answer");
              return;
            }
            question->second->open(DbAnswer(*answered.verify.verdict));
          },
          [&](stream::CreditGiven& given) { owner_.on_credit(*this, given.credit); },
          [&](stream::Dropped& dropped) { owner_.on_dropped(*this, dropped.reason, dropped.what); },
          [&](stream::Ended& ended) {
            if (!ended_by) ended_by = ended.why;
            is_ending = true;
            connection->close(kClosePatience);
            tell_over();
          },
      },
      action);
}

// STR-04, AB-185: claims made in clear are nobody's, and what was judged without TLS says nothing of who speaks inside it. Who
// still decides one of them sees by the machine's half that nobody wants to know.
void Stream::forget_clear_half() {
  claims.clear();
  for (auto& [sender, record] : std::exchange(senders, {}))
    if (record.done) record.done->open(false);
}

void Stream::on_external_refused(stream::ExternalRefused& refused) {
  external_text = refused.text;
  external_refused_at = ground_.now();
  if (refused.blames_authzid && peer != nullptr) {  // EXT-01: the other form next time
    const bool was_named = peer->named_authzid_until > ground_.wall();
    peer->named_authzid_until = was_named ? WallTime{} : ground_.wall() + peers::kLearned;
    peers_.remember(*peer);
  }
  ground_.log(report::Event(report::Level::info, "external_refused")
                  .with("stream", number())
                  .with("local", machine.local()->text())
                  .with("remote", machine.remote()->text())
                  .with("reason", name_of(Reason::external_refused))
                  .with("detail", refused.text));
}

void Stream::end(StreamFault fault, Error why) {
  is_ended_by_us |= !is_ending;
  guarded([&] { perform(machine.fail(std::move(fault), std::move(why))); });
}
void Stream::close(Error why) {
  is_ended_by_us |= !is_ending;
  guarded([&] { perform(machine.close(std::move(why), ground_.now())); });
}
void Stream::wind_down(StreamFault fault, Error why) {
  is_ended_by_us |= !is_ending;
  guarded([&] { perform(machine.wind_down(std::move(fault), std::move(why), ground_.now())); });
}

void Stream::count_useless(std::size_t bytes) {
  guarded([&] { perform(machine.count_useless(bytes, ground_.now())); });
}

void Stream::write(std::string_view bytes) {
  if (machine.is_closing()) return;  // the last word is said
  bytes_out += bytes.size();
  machine.sent_something(ground_.now());
  put(bytes);
}

void Stream::put(std::string_view bytes) {
  written_ += bytes.size();
  connection->write(bytes);
}

void Stream::answer(std::string_view bytes) {
  write(bytes);
  if (connection->queued() > seams::kHighMark && !tap_.is_held(seams::Pause::answers)) tap_.hold(seams::Pause::answers);
}

void Stream::let_go(seams::Pause why) {
  tap_.let_go(why);
  if (is_ending) return;
  if (!is_held() && machine.has_more()) guarded([&] { perform(machine.resume(*this, ground_.now())); });
  if (!is_ending) tap_.settle();
}

void Stream::carry(const pairs::PairKey& pair, std::string_view stanza) {
  xml::ensure_stands_alone(stanza, ns::kServer);
  pair::Credit* credit = machine.flow() ? &credits.try_emplace(pair, machine.flow()->theirs).first->second : nullptr;
  const Instant at = ground_.now();
  bytes_out += stanza.size();
  ++stanzas_out;
  machine.sent_something(at);
  machine.carried_stanza(at);
  put(stanza);
  if (credit != nullptr) credit->spend(stanza.size());  // what was thrown cost none
}

void Stream::give_credit(PairWindow& window) {
  for (;;) {
    const pair::Window before = window.window;
    const std::uint32_t bytes = window.window.give(ground_.now(), connection->round_trip());
    if (bytes == 0) return;
    try {
      write(stream::give_credit(window.key.sender, window.key.target, bytes));
    } catch (...) {
      window.window = before;  // nobody was told
      throw;
    }
  }
}

void Stream::on_due() {
  // While we do not read, that nothing came says nothing of the peer.
  const bool is_busy =
      reserved > 0 || !asked.empty() || !verifying.empty() || !turns.is_empty() || !without_credit.empty() || is_held();
  guarded([&] { perform(machine.on_time(ground_.now(), is_busy)); });
}

bool Stream::pays_for_questions(std::size_t bytes) {
  std::uint64_t sent = bytes_in;
  if (machine.is_encrypted()) sent += kLeastHandshake;
  for (std::size_t i = 0; facts.peer_chain != nullptr && i < facts.peer_chain->size(); ++i)
    sent += facts.peer_chain->der(i).size();
  if (bytes_asked + bytes > sent) return false;
  bytes_asked += bytes;
  return true;
}

void Stream::on_bytes(std::string_view bytes) {
  if (is_ending) return;
  bytes_in += bytes.size();
  guarded([&] { perform(machine.feed(bytes, *this, ground_.now())); });
}

void Stream::on_tls(const Result<seams::TlsFacts>& result) {
  if (is_ending) return;
  bytes_in_clear_ = bytes_in;
  if (!result) {
    certificate_is_refused = result.error().reason == Reason::external_refused;
    if (!ended_by) ended_by = result.error();
    is_ending = true;
    connection->close(kClosePatience);
    return tell_over();
  }
  facts = *result;
  perform(machine.on_tls(ground_.now()));
}

void Stream::on_writable() {
  if (is_ending) return;
  owner_.on_writable(*this);
  if (!is_ending && tap_.is_held(seams::Pause::answers)) let_go(seams::Pause::answers);
}

void Stream::on_closed(const Error& why) {
  is_gone_ = true;
  if (!is_ending) certificate_is_refused = why.reason == Reason::external_refused;
  is_ending = true;
  if (!ended_by) ended_by = why;
  tell_over();
  owner_.on_closed(*this);
}

void Stream::tell_over() {
  if (is_over_told_) return;
  owner_.on_over(*this);
  is_over_told_ = true;
}

xml::Take Stream::stanza(const xml::ElementView& element, stream::StanzaKind kind) {
  ++stanzas_in;
  return owner_.on_stanza(*this, element, kind);
}

}  // namespace ligase::streams
