// Features by expanded name; what is unknown is ignored (STR-11).
#include "stream/features.hpp"

#include <fmt/format.h>

#include <charconv>

#include "stream/flow.hpp"
#include "stream/words.hpp"

namespace ligase::stream {
namespace {
constexpr std::size_t kMostNames = 32;
constexpr std::size_t kLongestName = 64;

std::string limits_element(std::uint64_t most_bytes, std::uint64_t idle_seconds) {
  return fmt::format("<limits xmlns='{}'><max-bytes>{}</max-bytes><idle-seconds>{}</idle-seconds></limits>",
                     ns::kLimits, most_bytes, idle_seconds);
}

// What a child says; nullopt where it says no such number.
template <class Number>
std::optional<Number> number_in(const xml::Node& node, std::string_view name) {
  const xml::Node* child = node.child(name, node.ns);
  if (child == nullptr) return std::nullopt;
  Number number = 0;
  const char* const last = child->text.data() + child->text.size();
  const auto [end, error] = std::from_chars(child->text.data(), last, number);
  return error == std::errc{} && end == last ? std::optional(number) : std::nullopt;
}
}  // namespace

Features read_features(const xml::Node& node) {
  Features features;
  const auto note = [&](std::string_view name) {
    if (features.names.size() < kMostNames) features.names.emplace_back(name.substr(0, kLongestName));
  };
  for (const xml::Node& child : node.children) {
    if (child.name == "starttls" && child.ns == ns::kTls) {
      features.starttls = true;
      features.starttls_required = child.child("required", ns::kTls) != nullptr;
      note("starttls");
    } else if (child.name == "mechanisms" && child.ns == ns::kSasl) {
      for (const xml::Node& mechanism : child.children)
        if (mechanism.name == "mechanism" && mechanism.ns == ns::kSasl && mechanism.text == "EXTERNAL")
          features.external = true;
      if (features.external) note("external");
    } else if (child.name == "dialback" && child.ns == ns::kDialbackFeature) {
      features.dialback = true;
      features.dialback_errors = child.child("errors", ns::kDialbackFeature) != nullptr;
      note(features.dialback_errors ? "dialback+errors" : "dialback");
    } else if (child.name == "bidi" && (child.ns == ns::kBidiFeature || child.ns == ns::kBidi)) {
      features.bidi = true;  // ejabberd 24.12 offers it under urn:xmpp:bidi
      note("bidi");
    } else if (child.name == "sm" && child.ns == ns::kSm) {
      features.sm = true;
      note("sm");
    } else if (child.name == "limits" && child.ns == ns::kLimits) {
      features.most_bytes = number_in<std::uint64_t>(child, "max-bytes");
      features.idle_seconds = number_in<std::uint32_t>(child, "idle-seconds");
      if (features.idle_seconds == 0u) features.idle_seconds.reset();  // nobody can obey that
      note("limits");
    } else if (child.name == "flow" && child.ns == ns::kFlow) {
      features.window = read_window(child);
      note("flow");
    } else {
      note(child.name);
    }
  }
  return features;
}

std::string write_features(const Offer& offer) {
  std::string out = "<stream:features>";
  if (offer.starttls)
    out += fmt::format("<starttls xmlns='{}'>{}</starttls>", ns::kTls, offer.starttls_required ? "<required/>" : "");
  if (offer.external)
    out += fmt::format("<mechanisms xmlns='{}'><mechanism>EXTERNAL</mechanism></mechanisms>", ns::kSasl);
  if (offer.dialback) out += fmt::format("<dialback xmlns='{}'><errors/></dialback>", ns::kDialbackFeature);
  // Twice: ejabberd before 26.07 looks for the namespace of the request.
  if (offer.bidi) out += fmt::format("<bidi xmlns='{}'/><bidi xmlns='{}'/>", ns::kBidiFeature, ns::kBidi);
  if (offer.most_bytes > 0) out += limits_element(offer.most_bytes, offer.idle_seconds);
  if (offer.window > 0) out += offer_flow(offer.window);
  out += "</stream:features>";
  return out;
}

std::string ask_for_bidi(std::uint64_t most_bytes, std::uint64_t idle_seconds) {
  return fmt::format("<bidi xmlns='{}'><dialback xmlns='{}'><errors/></dialback>{}</bidi>", ns::kBidi,
                     ns::kDialbackFeature, limits_element(most_bytes, idle_seconds));
}

}  // namespace ligase::stream
