// Namespaces of XMPP streams, once.
#pragma once
#include <string_view>

namespace ligase::ns {

inline constexpr std::string_view kStreams = "http://etherx.jabber.org/streams";
inline constexpr std::string_view kServer = "jabber:server";
inline constexpr std::string_view kClient = "jabber:client";
inline constexpr std::string_view kComponent = "jabber:component:accept";
inline constexpr std::string_view kDialback = "jabber:server:dialback";
inline constexpr std::string_view kDialbackFeature = "urn:xmpp:features:dialback";
inline constexpr std::string_view kTls = "urn:ietf:params:xml:ns:xmpp-tls";
inline constexpr std::string_view kSasl = "urn:ietf:params:xml:ns:xmpp-sasl";
inline constexpr std::string_view kStreamErrors = "urn:ietf:params:xml:ns:xmpp-streams";
inline constexpr std::string_view kStanzaErrors = "urn:ietf:params:xml:ns:xmpp-stanzas";
inline constexpr std::string_view kBidi = "urn:xmpp:bidi";
inline constexpr std::string_view kBidiFeature = "urn:xmpp:features:bidi";
inline constexpr std::string_view kSm = "urn:xmpp:sm:3";
inline constexpr std::string_view kFlow = "urn:xmpp:ligase:flow:0";  // docs/specs/flow.md
inline constexpr std::string_view kLimits = "urn:xmpp:stream-limits:0";

}  // namespace ligase::ns
