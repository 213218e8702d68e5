// What an element does in each situation is the table kCells; the functions below it do what a cell says. Nothing in the
// table defaults to "accept" (STR-05, P3).
#include <fmt/format.h>

#include <array>

#include "base/bytes.hpp"
#include "base/told.hpp"
#include "stream/machine.hpp"
#include "stream/words.hpp"
#include "xml/escape.hpp"

namespace ligase::stream {
namespace {

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
  bidi,
  flow,
  credit,
  stream_error,
  header,
  stanza,
  other,
};
constexpr std::size_t kKinds = 19;

// Where an element can arrive at all; elsewhere the parser is stopped or a header must come first.
enum class Situation : std::uint8_t {
  features_clear,
  starttls_clear,
  proceed,
  features_tls,
  auth,
  features_auth,
  open_initiating,
  open_initiating_bidi,
  open_receiving,
  closing,
};
constexpr std::size_t kSituations = 10;

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
    // startls proceed tlsfail features auth  saslother success saslfail r-ask r-answer v-ask v-answer bidi
    // flow credit error header stanza other
    {{U, U, U, T, U, U, U, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_clear
    {{T, U, U, U, P, P, U, U, P, P, P, P, P, P, P, T, U, P, U}},  // starttls_clear
    {{U, T, T, U, U, U, U, U, U, U, U, U, U, U, U, T, U, N, U}},  // proceed
    {{U, U, U, T, U, U, U, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_tls
    {{U, U, U, U, U, U, T, T, U, U, U, U, U, U, U, T, U, N, U}},  // auth
    {{U, U, U, T, U, U, U, U, U, U, U, U, U, U, U, T, U, N, U}},  // features_auth
    {{U, U, U, I, U, U, U, U, I, T, T, T, U, U, T, T, U, S, I}},  // open_initiating: nothing is asked in reverse
    {{U, U, U, I, U, U, U, U, T, T, T, T, U, U, T, T, U, S, I}},  // open_initiating_bidi
    {{T, U, U, U, T, T, U, U, T, T, T, T, T, T, T, T, U, S, I}},  // open_receiving
    {{I, I, I, I, I, I, I, I, I, T, I, T, I, I, I, T, U, S, I}},  // closing: nothing can be asked any more
}};

Kind kind_of(const xml::ElementView& element) {
  if (element.ns == ns::kServer && stanza_kind(element.name)) return Kind::stanza;
  if (element.ns == ns::kDialback) {
    if (element.name == "result") return element.type ? Kind::result_answer : Kind::result_ask;
    if (element.name == "verify") return element.type ? Kind::verify_answer : Kind::verify_ask;
  } else if (element.ns == ns::kBidi) {
    if (element.name == "bidi") return Kind::bidi;
  } else if (element.ns == ns::kFlow) {
    if (element.name == "enable") return Kind::flow;
    if (element.name == "credit") return Kind::credit;
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

std::optional<Situation> situation_of(Machine::Phase phase, Role role, bool is_bidi) {
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
      if (role == Role::receiving) return Situation::open_receiving;
      return is_bidi ? Situation::open_initiating_bidi : Situation::open_initiating;
    case Phase::closing:
      return Situation::closing;
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

}  // namespace

std::optional<StanzaKind> stanza_kind(std::string_view name) noexcept {
  if (name == "message") return StanzaKind::message;
  if (name == "presence") return StanzaKind::presence;
  if (name == "iq") return StanzaKind::iq;
  return std::nullopt;
}

xml::Take Machine::element(const xml::ElementView& element) {
  if (is_over()) return xml::Take::stop;
  ++elements_;
  const auto situation = situation_of(phase_, role_, is_bidi_);
  const Kind kind = kind_of(element);
  if (element.cannot_pass == Reason::stanza_too_big &&
      kind != Kind::stanza) {  // nothing of it is there to be understood
    actions_.push_back(Dropped{Reason::stanza_too_big, std::string(element.name.substr(0, 64))});
    return xml::Take::stop;
  }
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
      refuse_authentication("malformed-request", {});
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
      take_dialback(*node, element.bytes.size());
      return;
    case Kind::bidi:
      take_bidi(*node, element.bytes.size());
      return;
    case Kind::flow:
      take_flow(*node, element.bytes.size());
      return;
    case Kind::credit:
      take_credit(*node, element.bytes.size());
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

// BIDI-01: inside TLS, once, and before the peer has said who it is; else it changes nothing, and costs itself (AB-027).
void Machine::take_bidi(const xml::Node& node, std::size_t size) {
  const bool may_be_asked =
      is_encrypted_ && !is_bidi_ && !has_claimed_ && !is_proven_ && remote_ && hosting_->offers_bidi(*remote_);
  if (!may_be_asked) {
    actions_.push_back(Dropped{Reason::stream_protocol, "bidi"});
    return count_idle(256 + size);
  }
  is_bidi_ = true;
  features_ = read_features(node);
}

// FLOW-01: what was offered, once, inside TLS and before anything is proven; else it changes nothing, and costs itself.
void Machine::take_flow(const xml::Node& node, std::size_t size) {
  if (!is_encrypted_ || flow_ || is_proven_ || limits_.window == 0) {
    actions_.push_back(Dropped{Reason::stream_protocol, "enable"});
    return count_idle(256 + size);
  }
  const auto theirs = read_window(node);
  if (!theirs)  // it would count by a window that we do not know
    return end(StreamFault{StreamError::policy_violation, "flow control needs a window of 4096 to 16777216 bytes"},
               {Reason::stream_protocol, "flow control was asked for with an impossible window"});
  flow_ = Flow{limits_.window, *theirs};
}

// FLOW-04: of a number that there is none of, or in bad addresses, it would leave both sides with another count each.
void Machine::take_credit(const xml::Node& node, std::size_t size) {
  if (!flow_) {
    actions_.push_back(Dropped{Reason::unsolicited, "credit"});
    return count_idle(256 + size);
  }
  auto credit = read_credit(node);
  if (!credit) return end(StreamFault{StreamError::policy_violation, credit.error().detail}, credit.error());
  actions_.push_back(CreditGiven{std::move(*credit)});
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
  if (features_.bidi && bidi_ == Bidi::where_offered && is_encrypted_ && !is_bidi_) {
    is_bidi_ = true;
    send(ask_for_bidi(limits_.stanza_size, static_cast<std::uint64_t>(limits_.idle_timeout / 1s)));
  }
  if (features_.window && limits_.window > 0 && is_encrypted_ && !flow_) {
    flow_ = Flow{limits_.window, *features_.window};
    send(enable_flow(limits_.window));
  }
  const bool is_wanted = external_ != External::never && (external_ != External::last_resort || !features_.dialback);
  if (features_.external && is_wanted && is_encrypted_ && !external_tried_) {
    external_tried_ = true;
    const std::string authzid = external_ == External::named ? base64(as_bytes(local_->as(local_labels_))) : "=";
    send(fmt::format("<auth xmlns='{}' mechanism='EXTERNAL'>{}</auth>", ns::kSasl, authzid));
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

// Each refusal is answered; the third ends the stream (AB-062).
void Machine::refuse_authentication(std::string_view condition, std::string_view text) {
  std::string out = fmt::format("<failure xmlns='{}'><{}/>", ns::kSasl, condition);
  if (!text.empty()) out += fmt::format("<text xml:lang='en'>{}</text>", xml::escaped(text));
  send(out + "</failure>");
  if (++failed_authentications_ >= limits_.failed_authentications)
    end(StreamFault{StreamError::policy_violation, "too many failed authentications"},
        {Reason::external_refused, "too many failed authentications"});
}

void Machine::take_auth(const xml::Node& node) {
  const auto refuse = [&](std::string_view condition, std::string_view text) {
    refuse_authentication(condition, text);
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
  has_claimed_ = true;
  actions_.push_back(AskAuthentication{*remote_});
}

Actions Machine::authenticate(const Result<void>& verdict, Instant now) {
  now_ = now;
  if (is_over()) return {};
  if (!verdict) {
    refuse_authentication("not-authorized", told(verdict.error().reason));
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
  const auto says = [&](std::string_view condition) { return node.child(condition, ns::kSasl) != nullptr; };
  actions_.push_back(ExternalRefused{
      said.substr(0, 256), says("invalid-authzid") || says("incorrect-encoding") || says("malformed-request")});
  open();
}

void Machine::take_dialback(const xml::Node& node, std::size_t size) {
  const auto refuse = [&](const Error& error) {
    if (is_proven_) {  // it costs itself, not what else lives on the stream (AB-186)
      actions_.push_back(Dropped{error.reason, error.detail});
      return count_idle(256 + size);
    }
    end(StreamFault{StreamError::improper_addressing, error.detail}, error);
  };
  if (node.name == "result") {
    auto result = read_result(node);
    if (!result) return refuse(result.error());
    if (result->verdict) {
      actions_.push_back(ResultAnswered{std::move(*result)});
    } else {
      has_claimed_ = true;
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
  peer_error_ = StreamError::undefined_condition;
  for (const xml::Node& child : node.children) {
    if (child.ns != ns::kStreamErrors) continue;
    if (child.name == "text") {
      text = child.text.substr(0, 256);
    } else if (const auto known = parse_stream_error(child.name)) {
      condition = child.name;
      peer_error_ = known;
    }
  }
  end(std::nullopt, {Reason::stream_error, text.empty() ? condition : fmt::format("{}: {}", condition, text)});
}

}  // namespace ligase::stream
