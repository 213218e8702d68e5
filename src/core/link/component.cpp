// XEP-0114 §3. SHA-1 is the protocol's; the listener is for loopback, and a secret is compared in constant time
// (AB-108).
#include "link/component.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

#include "base/bytes.hpp"
#include "stream/error_element.hpp"
#include "stream/words.hpp"
#include "xml/escape.hpp"

namespace ligase::link {

std::string handshake_digest(std::string_view id, std::string_view secret) {
  std::string input(id);
  input += secret;
  std::array<unsigned char, 20> digest{};
  unsigned length = 0;
  if (EVP_Digest(input.data(), input.size(), digest.data(), &length, EVP_sha1(), nullptr) != 1) return {};
  return hex({digest.data(), length});
}

ComponentMachine::ComponentMachine(Limits limits, const Components& components, std::function<std::string()> new_id,
                                   Instant now)
    : limits_(limits),
      components_(components),
      new_id_(std::move(new_id)),
      parser_(limits.xml),
      opened_at_(now),
      last_sent_(now),
      now_(now) {}
ComponentMachine::~ComponentMachine() = default;

void ComponentMachine::send(std::string bytes) {
  last_sent_ = now_;
  actions_.push_back(Send{std::move(bytes)});
}

void ComponentMachine::send_header(std::string_view from) {
  id_ = new_id_();
  header_sent_ = true;
  send(fmt::format("<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='{}' from='{}' id='{}'>",
                   ns::kComponent, ns::kStreams, xml::escaped(from), id_));
}

void ComponentMachine::end(std::optional<StreamFault> fault, Error why) {
  if (is_over()) return;
  if (fault) {
    if (!header_sent_) send_header("");
    send(stream::error_element(*fault));
  }
  if (header_sent_) send("</stream:stream>");
  phase_ = Phase::over;
  actions_.push_back(Ended{std::move(why)});
}

Actions ComponentMachine::fail(StreamFault fault, Error why) {
  end(std::move(fault), std::move(why));
  return std::exchange(actions_, {});
}
Actions ComponentMachine::close(Error why) {
  end(std::nullopt, std::move(why));
  return std::exchange(actions_, {});
}

Actions ComponentMachine::feed(std::string_view bytes, stream::StanzaSink& sink, Instant now) {
  now_ = now;
  if (is_over()) return {};
  sink_ = &sink;
  return take_fed(parser_.feed(bytes, *this));
}

Actions ComponentMachine::resume(stream::StanzaSink& sink, Instant now) {
  now_ = now;
  if (!has_more()) return {};
  sink_ = &sink;
  parser_is_stopped_ = false;
  return take_fed(parser_.resume(*this));
}

Actions ComponentMachine::take_fed(const xml::Fed& fed) {
  sink_ = nullptr;
  switch (fed.state) {
    case xml::Fed::State::more:
      break;
    case xml::Fed::State::stopped:
      parser_is_stopped_ = true;
      break;
    case xml::Fed::State::closed:
      end(std::nullopt, {Reason::stream_closed, "the component closed its stream"});
      break;
    case xml::Fed::State::failed: {
      const StreamFault fault = fed.fault.value_or(StreamFault{StreamError::not_well_formed, "not well-formed"});
      end(fault, {Reason::stream_protocol, fmt::format("{}: {}", condition_name(fault.error), fault.text)});
      break;
    }
  }
  return std::exchange(actions_, {});
}

namespace {
std::string with_small_letters(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
  return text;
}
}  // namespace

xml::Take ComponentMachine::header(const xml::Header& header) {
  // Without a default namespace, or with that of streams, each stanza names its own (RFC 6120 §4.8.2).
  const bool names_content = header.default_ns() == ns::kComponent;
  const bool leaves_it_open = header.default_ns().empty() || header.default_ns() == ns::kStreams;
  if (header.name != "stream" || header.ns != ns::kStreams || !(names_content || leaves_it_open)) {
    end(StreamFault{StreamError::invalid_namespace,
                    "this port takes XEP-0114 components: jabber:component:accept is expected"},
        {Reason::stream_protocol, "the stream header is not one of jabber:component:accept"});
    return xml::Take::stop;
  }
  auto domain = Domain::parse(header.to.value_or(""));
  if (!domain) {
    end(StreamFault{StreamError::improper_addressing, "the stream header needs a 'to' that is the component's domain"},
        {Reason::stream_protocol, "the component's header names no domain"});
    return xml::Take::stop;
  }
  labels_ = labels_of(*header.to, *domain);
  send_header(domain->as(labels_));
  if (components_.secret_of(*domain) == nullptr) {
    const std::string text = fmt::format("{} is not configured as a component's domain", domain->text());
    end(StreamFault{StreamError::host_unknown, text}, {Reason::host_unknown, text});
    return xml::Take::stop;
  }
  domain_ = std::move(*domain);
  phase_ = Phase::handshake;
  return xml::Take::more;
}

xml::Take ComponentMachine::element(const xml::ElementView& element) {
  if (is_over()) return xml::Take::stop;
  if (phase_ == Phase::handshake) {
    take_handshake(element);
    return xml::Take::stop;
  }
  // Libraries made for clients send jabber:client, and the component ports of stock servers take it.
  const bool is_content = element.ns == ns::kComponent || element.ns == ns::kClient;
  if (const auto kind = is_content ? stream::stanza_kind(element.name) : std::nullopt) {
    const xml::Take take = sink_->stanza(element, *kind);
    return is_over() ? xml::Take::stop : take;
  }
  if (element.ns == ns::kStreams && element.name == "error") {
    end(std::nullopt, {Reason::stream_error, "the component ended its stream with an error"});
    return xml::Take::stop;
  }
  // One that nobody understands costs itself, not all that come behind it (COMP-03, AB-028).
  actions_.push_back(Dropped{Reason::stream_protocol,
                             fmt::format("an unexpected <{}/> from a component", element.name.substr(0, 64))});
  return xml::Take::more;
}

void ComponentMachine::close() {}  // Fed::State::closed tells

void ComponentMachine::take_handshake(const xml::ElementView& element) {
  const auto refuse = [&](const std::string& text) {
    end(StreamFault{StreamError::not_authorized, text}, {Reason::link_unauthorized, text});
  };
  if (element.name != "handshake" || (element.ns != ns::kComponent && element.ns != ns::kClient))
    return refuse("a handshake is expected first");
  const auto node = xml::to_node(element.bytes, parser_.header().declarations);
  const std::string* secret = components_.secret_of(*domain_);
  // XEP-0114 asks for small letters; some send others.
  if (!node || secret == nullptr ||
      !equal_in_constant_time(with_small_letters(node->text), handshake_digest(id_, *secret)))
    return refuse(fmt::format("the secret for {} is wrong", domain_->text()));
  if (!components_.is_connected(*domain_)) return connect();
  phase_ = Phase::contested;
  actions_.push_back(Contested{*domain_});
}

Actions ComponentMachine::settle(Instant now) {
  now_ = now;
  if (phase_ != Phase::contested) return {};
  if (components_.is_connected(*domain_)) {
    const std::string text = fmt::format("another component is connected for {}", domain_->text());
    end(StreamFault{StreamError::conflict, text}, {Reason::link_conflict, text});
  } else {
    connect();
  }
  return std::exchange(actions_, {});
}

void ComponentMachine::connect() {
  phase_ = Phase::connected;
  parser_.set_stanza_size(limits_.stanza_size, xml::Oversize::costs_itself);
  send("<handshake/>");
  actions_.push_back(Connected{*domain_});
}

Instant ComponentMachine::deadline() const noexcept {
  switch (phase_) {
    case Phase::header:
    case Phase::handshake:
    case Phase::contested:
      return opened_at_ + limits_.unproven_timeout;
    case Phase::connected:
      return last_sent_ + limits_.keep_alive;
    case Phase::over:
      break;
  }
  return Instant::max();
}

Actions ComponentMachine::on_time(Instant now) {
  now_ = now;
  if (is_over() || now < deadline()) return {};
  if (phase_ == Phase::connected) {
    send(" ");
    return std::exchange(actions_, {});
  }
  return fail({StreamError::connection_timeout, "no handshake in time"},
              {Reason::stream_unproven, "no handshake in time"});
}

}  // namespace ligase::link
