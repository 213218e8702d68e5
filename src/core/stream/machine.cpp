// The stream machine. What each element does in each situation is the table kCells; the functions below it do what a
// cell says. Nothing in the table defaults to "accept" (STR-05, P3).
#include "stream/machine.hpp"

#include <fmt/format.h>

#include <array>

#include "base/bytes.hpp"
#include "stream/words.hpp"
#include "xml/writer.hpp"

namespace ligase::stream {
namespace {

constexpr std::size_t kMostHeld = 64 * 1024;

enum class Kind : std::uint8_t {
  starttls,
  proceed,
  tls_failure,
  features,
  auth,
  sasl_other,
  success,
  sasl_failure,
  result_ask,
  result_answer,
  verify_ask,
  verify_answer,
  stream_error,
  header,
  stanza,
  other,
};
constexpr std::size_t kKinds = 16;

// Where an element can arrive at all; elsewhere the parser is stopped or a header must come first.
enum class Situation : std::uint8_t {
  features_clear,
  starttls_clear,
  proceed,
  features_tls,
  auth,
  features_auth,
  open_initiating,
  open_receiving,
};
constexpr std::size_t kSituations = 8;

enum class Cell : std::uint8_t {
  take,          // handled by its kind
  stanza,        // to the sink
  ignored,       // dropped and counted
  unsupported,   // unsupported-stanza-type, closed
  unauthorized,  // not-authorized, closed (AB-025)
  tls_first,     // policy-violation, closed (AB-042)
};
constexpr Cell T = Cell::take, S = Cell::stanza, I = Cell::ignored, U = Cell::unsupported, N = Cell::unauthorized,
               P = Cell::tls_first;

constexpr std::array<std::array<Cell, kKinds>, kSituations> kCells{{
    // startls proceed tlsfail features auth  saslother success saslfail r-ask r-answer v-ask v-answer error header
    // stanza other
    {{U, U, U, T, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_clear
    {{T, U, U, U, P, P, U, U, P, P, P, P, T, U, P, U}},  // starttls_clear
    {{U, T, T, U, U, U, U, U, U, U, U, U, T, U, N, U}},  // proceed
    {{U, U, U, T, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_tls
    {{U, U, U, U, U, U, T, T, U, U, U, U, T, U, N, U}},  // auth
    {{U, U, U, T, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_auth
    {{U, U, U, I, U, U, U, U, I, T, T, T, T, U, S, I}},  // open_initiating: no bidi, so nothing is asked in reverse
    {{T, U, U, U, T, T, U, U, T, T, T, T, T, U, S, I}},  // open_receiving
}};

Kind kind_of(const xml::ElementView& element) {
  if (element.ns == ns::kServer && stanza_kind(element.name)) return Kind::stanza;
  if (element.ns == ns::kDialback) {
    if (element.name == "result") return element.type ? Kind::result_answer : Kind::result_ask;
    if (element.name == "verify") return element.type ? Kind::verify_answer : Kind::verify_ask;
  } else if (element.ns == ns::kTls) {
    if (element.name == "starttls") return Kind::starttls;
    if (element.name == "proceed") return Kind::proceed;
    if (element.name == "failure") return Kind::tls_failure;
  } else if (element.ns == ns::kSasl) {
    if (element.name == "auth") return Kind::auth;
    if (element.name == "success") return Kind::success;
    if (element.name == "failure") return Kind::sasl_failure;
    if (element.name == "abort" || element.name == "response" || element.name == "challenge") return Kind::sasl_other;
  } else if (element.ns == ns::kStreams) {
    if (element.name == "features") return Kind::features;
    if (element.name == "error") return Kind::stream_error;
    if (element.name == "stream") return Kind::header;
  }
  return Kind::other;
}

std::optional<Situation> situation_of(Machine::Phase phase, Role role) {
  using Phase = Machine::Phase;
  switch (phase) {
    case Phase::features_clear:
      return Situation::features_clear;
    case Phase::starttls_clear:
      return Situation::starttls_clear;
    case Phase::proceed:
      return Situation::proceed;
    case Phase::features_tls:
      return Situation::features_tls;
    case Phase::auth:
      return Situation::auth;
    case Phase::features_auth:
      return Situation::features_auth;
    case Phase::open:
      return role == Role::initiating ? Situation::open_initiating : Situation::open_receiving;
    case Phase::header_clear:
    case Phase::tls:
    case Phase::verdict:
    case Phase::header_tls:
    case Phase::header_auth:
    case Phase::over:
      break;
  }
  return std::nullopt;
}

int major_version(const std::optional<std::string>& version) {
  if (!version || version->empty() || version->size() > 8) return 0;
  int major = 0;
  for (const char digit : *version) {
    if (digit == '.') return major;
    if (digit < '0' || digit > '9') return 0;
    major = major * 10 + (digit - '0');
  }
  return 0;
}

}  // namespace

std::optional<StanzaKind> stanza_kind(std::string_view name) noexcept {
  if (name == "message") return StanzaKind::message;
  if (name == "presence") return StanzaKind::presence;
  if (name == "iq") return StanzaKind::iq;
  return std::nullopt;
}

Machine::Machine(Role role, Limits limits, const Hosting* hosting, std::function<std::string()> new_id, Instant now)
    : role_(role),
      limits_(limits),
      hosting_(hosting),
      new_id_(std::move(new_id)),
      parser_(limits.xml),
      opened_at_(now),
      last_sent_(now),
      last_stanza_(now),
      now_(now),
      idle_since_(now) {}
Machine::Machine(Machine&&) noexcept = default;
Machine::~Machine() = default;

Machine Machine::initiate(Limits limits, Domain local, Domain remote, Encryption encryption, Instant now) {
  Machine machine(Role::initiating, limits, nullptr, {}, now);
  machine.local_ = std::move(local);
  machine.remote_ = std::move(remote);
  machine.encryption_ = encryption;
  return machine;
}

Machine Machine::receive(Limits limits, const Hosting& hosting, std::function<std::string()> new_id, Instant now) {
  return Machine(Role::receiving, limits, &hosting, std::move(new_id), now);
}

// ---- what goes out
// ----------------------------------------------------------------------------------------------------

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
  if (local_) out += fmt::format(" from='{}'", local_->text());
  if (remote_) out += fmt::format(" to='{}'", remote_->text());
  out += " version='1.0'>";
  header_sent_ = true;
  send(std::move(out));
}

void Machine::end(std::optional<StreamFault> fault, Error why) {
  if (phase_ == Phase::over) return;
  if (phase_ != Phase::tls) {  // in the middle of a handshake nothing can be said
    if (fault) {
      if (!header_sent_) send_header();
      std::string out = fmt::format("<stream:error><{} xmlns='{}'/>", condition_name(fault->error), ns::kStreamErrors);
      if (!fault->text.empty()) {
        out += fmt::format("<text xmlns='{}' xml:lang='en'>", ns::kStreamErrors);
        xml::append_escaped(out, fault->text);
        out += "</text>";
      }
      send(out + "</stream:error>");
    }
    if (header_sent_) send("</stream:stream>");
  }
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

Actions Machine::close(Error why) {
  end(std::nullopt, std::move(why));
  return take_actions();
}

Actions Machine::start() {
  send_header();
  return take_actions();
}

// ---- what comes in
// ----------------------------------------------------------------------------------------------------

bool Machine::waits_for_verdict() const noexcept { return phase_ == Phase::verdict; }

Actions Machine::feed(std::string_view bytes, StanzaSink& sink, Instant now) {
  now_ = now;
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
  if (elements_ == before && fed.state == xml::Fed::State::more && parser_.buffered() == 0) count_idle(bytes.size());
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

xml::Take Machine::header(const xml::Header& header) {
  ++elements_;
  if (header.name != "stream" || header.ns != ns::kStreams || header.default_ns() != ns::kServer) {
    end(StreamFault{StreamError::invalid_namespace,
                    "this is a server-to-server port: a stream of jabber:server is expected"},
        {Reason::stream_protocol, "the stream header is not one of jabber:server"});
    return xml::Take::stop;
  }
  header_declares_dialback_ = false;
  for (const xml::Declaration& declaration : header.declarations)
    if (declaration.uri == ns::kDialback) header_declares_dialback_ = true;
  if (role_ == Role::receiving) {
    receiving_header(header);
  } else {
    initiating_header(header);
  }
  return xml::Take::stop;
}

void Machine::receiving_header(const xml::Header& header) {
  std::optional<Domain> to, from;
  if (header.to)
    if (auto parsed = Domain::parse(*header.to)) to = std::move(*parsed);
  const bool from_is_bad = header.from && !Domain::parse(*header.from);
  if (header.from && !from_is_bad) from = *Domain::parse(*header.from);

  if (header.to && to && phase_ != Phase::header_auth) local_ = to;
  header_sent_ = false;  // each header of the peer is answered by one of ours, an error's too (STR-02)
  if (!to) {
    end(StreamFault{StreamError::improper_addressing, "the stream header needs a 'to' that is a domain"},
        {Reason::stream_protocol, "the header's to is missing or no domain"});
    return;
  }
  if (from_is_bad) {
    end(StreamFault{StreamError::improper_addressing, "the stream header's 'from' is no domain"},
        {Reason::stream_protocol, "the header's from is no domain"});
    return;
  }
  if (phase_ == Phase::header_auth && (to != local_ || (from && from != remote_))) {
    // What was proven was proven for those names (AB-030, AB-045).
    end(StreamFault{StreamError::invalid_from, "after authentication 'from' and 'to' must stay what they were"},
        {Reason::stream_protocol, "the header after SASL names another from or to"});
    return;
  }
  if (phase_ != Phase::header_auth) remote_ = from;
  if (!hosting_->is_hosted(*to)) {
    end(StreamFault{StreamError::host_unknown, fmt::format("{} is not hosted here", to->text())},
        {Reason::host_unknown, fmt::format("{} is not hosted here", to->text())});
    return;
  }
  if (remote_ && (hosting_->is_hosted(*remote_) || *remote_ == *local_)) {
    end(StreamFault{StreamError::invalid_from,
                    fmt::format("{} is hosted here and comes in by no stream", remote_->text())},
        {Reason::sender_hosted, fmt::format("the peer claims {}, which is hosted here", remote_->text())});
    return;
  }
  encryption_ = hosting_->encryption_towards(remote_ ? &*remote_ : nullptr);
  const bool has_features = major_version(header.version) >= 1;
  if (!is_encrypted_ && encryption_ == Encryption::required && !has_features) {
    end(StreamFault{StreamError::policy_violation,
                    "TLS is required, and a stream without version='1.0' cannot negotiate it"},
        {Reason::tls_required, "the peer's stream has no version, so it cannot use STARTTLS"});
    return;
  }
  send_header();
  if (!is_encrypted_) {
    if (has_features)
      send(write_features({.starttls = true,
                           .starttls_required = encryption_ == Encryption::required,
                           .external = false,
                           .dialback = encryption_ == Encryption::preferred}));
    if (encryption_ == Encryption::required) {
      phase_ = Phase::starttls_clear;
    } else {
      open();
    }
    return;
  }
  if (phase_ == Phase::header_auth || !remote_) {
    offer();
    return;
  }
  phase_ = Phase::verdict;
  actions_.push_back(AskClientVerdict{*remote_});
}

void Machine::offer() {
  if (major_version(parser_.header().version) >= 1)
    send(write_features({.starttls = false,
                         .starttls_required = false,
                         .external = external_offered_ && !is_proven_,
                         .dialback = true,
                         .most_bytes = limits_.stanza_size,
                         .idle_seconds = static_cast<std::uint64_t>(limits_.idle_timeout / 1s)}));
  open();
}

void Machine::initiating_header(const xml::Header& header) {
  if (header.from) {
    const auto from = Domain::parse(*header.from);
    if (!from || *from != *remote_) {
      end(StreamFault{StreamError::invalid_from, fmt::format("a stream to {} must be answered by it", remote_->text())},
          {Reason::stream_protocol, "the peer answered in the name of another domain"});
      return;
    }
  }
  if (!header.id || header.id->empty() || header.id->size() > 1024) {
    end(StreamFault{StreamError::bad_format, "the stream header has no id"},
        {Reason::stream_protocol, "the peer's header has no id"});
    return;
  }
  id_ = *header.id;
  features_ = {};
  if (major_version(header.version) < 1) {
    if (!is_encrypted_ && encryption_ == Encryption::required) {
      end(StreamFault{StreamError::policy_violation, "TLS is required here"},
          {Reason::tls_required, "the peer speaks a stream without version, so it offers no TLS"});
    } else if (phase_ == Phase::header_clear) {
      phase_ = Phase::verdict;
      actions_.push_back(AskServerVerdict{});
    } else {
      open();
    }
    return;
  }
  if (phase_ == Phase::header_clear) phase_ = Phase::features_clear;
  if (phase_ == Phase::header_tls) phase_ = Phase::features_tls;
  if (phase_ == Phase::header_auth) phase_ = Phase::features_auth;
}

xml::Take Machine::element(const xml::ElementView& element) {
  if (is_over()) return xml::Take::stop;
  ++elements_;
  const auto situation = situation_of(phase_, role_);
  const Kind kind = kind_of(element);
  const Cell cell = situation ? kCells[static_cast<std::size_t>(*situation)][static_cast<std::size_t>(kind)] : U;
  switch (cell) {
    case Cell::stanza: {
      last_stanza_ = now_;
      const xml::Take take = sink_->stanza(element, *stanza_kind(element.name));
      return is_over() ? xml::Take::stop : take;
    }
    case Cell::take:
      take_control(element);
      return xml::Take::stop;
    case Cell::ignored:
      if (role_ == Role::receiving && !is_proven_) break;  // before proof: as unsupported (STR-11)
      actions_.push_back(Dropped{kind == Kind::result_ask ? Reason::unsolicited : Reason::stream_protocol,
                                 std::string(element.name.substr(0, 64))});
      count_idle(256 + element.bytes.size());
      return xml::Take::stop;
    case Cell::unsupported:
      break;
    case Cell::unauthorized:
      end(StreamFault{StreamError::not_authorized, "no stanza may come before the stream is negotiated"},
          {Reason::stream_protocol, "a stanza before the negotiation was done"});
      return xml::Take::stop;
    case Cell::tls_first:
      end(StreamFault{StreamError::policy_violation, "TLS is required: send <starttls/> first"},
          {Reason::tls_required, "the peer went on in clear although TLS is required"});
      return xml::Take::stop;
  }
  end(StreamFault{StreamError::unsupported_stanza_type, "this element is not expected here"},
      {Reason::stream_protocol, fmt::format("an unexpected <{}/>", element.name.substr(0, 64))});
  return xml::Take::stop;
}

void Machine::close() {}  // Fed::State::closed tells

void Machine::take_control(const xml::ElementView& element) {
  const auto node = xml::to_node(element.bytes, parser_.header().declarations);
  if (!node) {
    end(StreamFault{StreamError::bad_format, "a stream-level element that is too deep or too large"},
        {Reason::stream_protocol, "a stream-level element could not be read"});
    return;
  }
  switch (kind_of(element)) {
    case Kind::starttls:
      if (is_encrypted_ || is_proven_) {
        end(StreamFault{StreamError::unsupported_stanza_type, "TLS stands already, or it is too late for it"},
            {Reason::stream_protocol, "a second <starttls/>"});
        return;
      }
      send(fmt::format("<proceed xmlns='{}'/>", ns::kTls));
      phase_ = Phase::tls;
      actions_.push_back(StartTls{});
      return;
    case Kind::proceed:
      phase_ = Phase::tls;
      actions_.push_back(StartTls{});
      return;
    case Kind::tls_failure:
      end(std::nullopt, {Reason::tls_failed, "the peer answered <starttls/> with <failure/>"});
      return;
    case Kind::features:
      take_features(*node);
      return;
    case Kind::auth:
      take_auth(*node);
      return;
    case Kind::sasl_other:
      send(fmt::format("<failure xmlns='{}'><malformed-request/></failure>", ns::kSasl));
      if (++failed_authentications_ >= limits_.failed_authentications)
        end(StreamFault{StreamError::policy_violation, "too many failed authentications"},
            {Reason::external_refused, "too many failed authentications"});
      return;
    case Kind::success:
      phase_ = Phase::header_auth;
      restart_is_due_ = true;
      actions_.push_back(Authenticated{*local_, *remote_});
      return;
    case Kind::sasl_failure:
      take_sasl_failure(*node);
      return;
    case Kind::result_ask:
    case Kind::result_answer:
    case Kind::verify_ask:
    case Kind::verify_answer:
      take_dialback(*node);
      return;
    case Kind::stream_error:
      take_stream_error(*node);
      return;
    case Kind::header:
    case Kind::stanza:
    case Kind::other:
      break;
  }
  end(StreamFault{StreamError::unsupported_stanza_type, "this element is not expected here"},
      {Reason::stream_protocol, "an unexpected element"});
}

void Machine::take_features(const xml::Node& node) {
  features_ = read_features(node);
  if (phase_ == Phase::features_clear) {
    if (features_.starttls) {
      send(fmt::format("<starttls xmlns='{}'/>", ns::kTls));
      phase_ = Phase::proceed;
    } else if (encryption_ == Encryption::required) {
      end(StreamFault{StreamError::policy_violation, "TLS is required here, and it was not offered"},
          {Reason::tls_required, "the peer offers no STARTTLS"});
    } else {
      phase_ = Phase::verdict;
      actions_.push_back(AskServerVerdict{});
    }
    return;
  }
  if (phase_ == Phase::features_tls) {
    try_external_or_open();
    return;
  }
  open();
}

void Machine::try_external_or_open() {
  if (features_.external && may_authenticate_ && is_encrypted_ && !external_tried_) {
    external_tried_ = true;
    send(fmt::format("<auth xmlns='{}' mechanism='EXTERNAL'>=</auth>", ns::kSasl));
    phase_ = Phase::auth;
    return;
  }
  open();
}

void Machine::open() {
  phase_ = Phase::open;
  if (was_opened_) return;
  was_opened_ = true;
  actions_.push_back(Opened{});
}

void Machine::take_auth(const xml::Node& node) {
  const auto refuse = [&](std::string_view condition, std::string_view text) {
    std::string out = fmt::format("<failure xmlns='{}'><{}/>", ns::kSasl, condition);
    if (!text.empty()) out += fmt::format("<text xml:lang='en'>{}</text>", xml::escaped(text));
    send(out + "</failure>");
    if (++failed_authentications_ >= limits_.failed_authentications)
      end(StreamFault{StreamError::policy_violation, "too many failed authentications"},
          {Reason::external_refused, "too many failed authentications"});
  };
  if (!is_encrypted_) return refuse("encryption-required", "EXTERNAL needs TLS");
  if (node.attribute("mechanism") != "EXTERNAL") return refuse("invalid-mechanism", "only EXTERNAL is offered");
  if (!remote_) return refuse("not-authorized", "the stream header has no 'from' to authenticate");
  std::string authzid;
  if (!node.text.empty() && node.text != "=") {
    Bytes decoded;
    if (node.text.size() > 4096 || !from_base64(node.text, decoded)) return refuse("incorrect-encoding", {});
    authzid = std::string(as_text(decoded));
  }
  if (!authzid.empty()) {
    const auto domain = Domain::parse(authzid);
    if (!domain || *domain != *remote_)
      return refuse("invalid-authzid", "the authorization identity is not the header's 'from'");
  }
  if (is_proven_) return refuse("not-authorized", "this stream is authenticated already");
  actions_.push_back(AskAuthentication{*remote_});
}

Actions Machine::authenticate(const Result<void>& verdict, Instant now) {
  now_ = now;
  if (is_over()) return {};
  if (!verdict) {
    send(fmt::format("<failure xmlns='{}'><not-authorized/><text xml:lang='en'>{}: {}</text></failure>", ns::kSasl,
                     name_of(verdict.error().reason), xml::escaped(verdict.error().detail)));
    if (++failed_authentications_ >= limits_.failed_authentications)
      end(StreamFault{StreamError::policy_violation, "too many failed authentications"},
          {Reason::external_refused, "too many failed authentications"});
    return take_actions();
  }
  send(fmt::format("<success xmlns='{}'/>", ns::kSasl));
  actions_.push_back(Authenticated{*remote_, *local_});
  phase_ = Phase::header_auth;
  parser_.restart();
  parser_is_stopped_ = false;
  return take_actions();
}

void Machine::take_sasl_failure(const xml::Node& node) {
  const xml::Node* text = node.child("text", ns::kSasl);
  std::string said = text != nullptr ? text->text : std::string();
  if (said.empty() && !node.children.empty()) said = node.children.front().name;
  actions_.push_back(ExternalRefused{said.substr(0, 256)});
  open();
}

void Machine::take_dialback(const xml::Node& node) {
  const auto refuse = [&](const Error& error) {
    end(StreamFault{StreamError::improper_addressing, error.detail}, error);
  };
  if (node.name == "result") {
    auto result = read_result(node);
    if (!result) return refuse(result.error());
    if (result->verdict) {
      actions_.push_back(ResultAnswered{std::move(*result)});
    } else {
      if (!remote_) remote_ = result->sender;  // STR-02: the claim names the from that the header left out
      actions_.push_back(Claimed{std::move(*result)});
    }
    return;
  }
  auto verify = read_verify(node);
  if (!verify) return refuse(verify.error());
  if (verify->verdict) {
    actions_.push_back(VerifyAnswered{std::move(*verify)});
  } else {
    actions_.push_back(VerifyAsked{std::move(*verify)});
  }
}

void Machine::take_stream_error(const xml::Node& node) {
  std::string condition = "undefined-condition", text;
  for (const xml::Node& child : node.children) {
    if (child.ns != ns::kStreamErrors) continue;
    if (child.name == "text") {
      text = child.text.substr(0, 256);
    } else if (parse_stream_error(child.name)) {
      condition = child.name;
    }
  }
  end(std::nullopt, {Reason::stream_error, text.empty() ? condition : fmt::format("{}: {}", condition, text)});
}

// ---- verdicts
// ---------------------------------------------------------------------------------------------------------

Actions Machine::on_tls(Instant now) {
  now_ = now;
  if (phase_ != Phase::tls) return {};
  is_encrypted_ = true;
  parser_.restart();  // STR-04: nothing said in clear counts any more
  parser_is_stopped_ = false;
  held_.clear();
  features_ = {};
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

Actions Machine::go_on(bool may_authenticate, Instant now) {
  now_ = now;
  if (phase_ != Phase::verdict || role_ != Role::initiating) return {};
  may_authenticate_ = may_authenticate;
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
// -------------------------------------------------------------------------------------------------------------

void Machine::pair_proven(Instant now) {
  now_ = now;
  if (is_proven_) return;
  is_proven_ = true;
  last_stanza_ = now;
  parser_.set_stanza_size(limits_.stanza_size);
}

Instant Machine::deadline() const noexcept {
  if (is_over()) return Instant::max();
  const bool is_pending = role_ == Role::receiving ? !is_proven_ : !was_opened_;
  Instant next = is_pending ? opened_at_ + limits_.unproven_timeout : Instant::max();
  if (phase_ == Phase::open) {
    next = std::min(next, last_sent_ + limits_.keep_alive);
    if (role_ == Role::initiating) next = std::min(next, last_stanza_ + limits_.idle_timeout);
  }
  return next;
}

Actions Machine::on_time(Instant now, bool is_busy) {
  now_ = now;
  if (is_over()) return {};
  const bool is_pending = role_ == Role::receiving ? !is_proven_ : !was_opened_;
  if (is_pending && now >= opened_at_ + limits_.unproven_timeout) {
    return fail(
        {StreamError::connection_timeout, "no domain was proven in time"},
        {Reason::stream_unproven, fmt::format("nothing was proven within {} s", limits_.unproven_timeout / 1s)});
  }
  if (phase_ != Phase::open) return {};
  if (role_ == Role::initiating && now >= last_stanza_ + limits_.idle_timeout) {
    if (!is_busy) return close({Reason::stream_idle, "no stanza for a long time"});
    last_stanza_ = now;
  }
  if (now >= last_sent_ + limits_.keep_alive) send(" ");
  return take_actions();
}

}  // namespace ligase::stream
