#include "dns/unbound_context.hpp"

#include <event2/event.h>
#include <unbound-event.h>
#include <unbound.h>

#include <array>
#include <utility>

namespace ligase::dns {
namespace {

using Setting = std::pair<const char*, const char*>;
constexpr std::array kSettings{
    // Its caches hold 1 MiB by default: 4,000 names push each other out. More than this a stranger could fill with record
    // sets of 60 KB (AB-226), and answers are kept by flow's own cache in front.
    Setting{"msg-cache-size:", "16m"}, Setting{"rrset-cache-size:", "16m"},
    // 16 ports and 2 TCP connections by default.
    Setting{"outgoing-range:", "4096"}, Setting{"outgoing-num-tcp:", "64"}, Setting{"num-queries-per-thread:", "2048"},
    // Signatures count as good for 1-24 h after their end by default.
    Setting{"val-sig-skew-min:", "0"}, Setting{"val-sig-skew-max:", "0"},
    // A server that was down is taken for down during 15 minutes by default: keep asking it, and forget soon.
    Setting{"infra-keep-probing:", "yes"}};

// A name server that leaves a question open is slow for itself, and is rested for a minute.
constexpr std::array kTowardsNameServers{Setting{"infra-host-ttl:", "60"}};
// A forwarder answers for the whole world: that it leaves questions for one dead domain open says nothing of the next one
// (AB-137). So nothing is held against it for longer than a second, and it has the time that a domain takes which it must
// look up itself; else two dead names would stop all others, at a stranger's will.
constexpr std::array kTowardsForwarders{Setting{"infra-host-ttl:", "0"}, Setting{"infra-cache-min-rtt:", "1500"},
                                        Setting{"unknown-server-time-limit:", "1500"}};

// Zones of RFC 6761 and such, which it would answer by itself. They are refused by policy where they are not wanted,
// and asked where they are; .onion stays with libunbound: nobody is to be asked of it (RFC 7686).
constexpr std::array kOwnZones{"localhost.", "test.", "invalid.", "home.arpa."};

tl::unexpected<Error> failure(const std::string& doing, int code) {
  return fail(Reason::internal, "libunbound: " + doing + ": " + ub_strerror(code));
}

}  // namespace

void FreeEventBase::operator()(event_base* base) const noexcept { event_base_free(base); }
void FreeContext::operator()(ub_ctx* context) const noexcept { ub_ctx_delete(context); }

Result<Context> make_context(event_base* base, const std::vector<std::string>& anchors,
                             const std::vector<std::string>& forwarders) {
  Context context(ub_ctx_create_event(base));
  if (!context) return fail(Reason::internal, "libunbound: no context");
  ub_ctx_debugout(context.get(), nullptr);  // its log is not ours
  for (const auto& [name, value] : kSettings) {
    if (const int code = ub_ctx_set_option(context.get(), name, value)) return failure(name, code);
  }
  const auto set = [&](const auto& settings) -> Result<void> {
    for (const auto& [name, value] : settings)
      if (const int code = ub_ctx_set_option(context.get(), name, value)) return failure(name, code);
    return {};
  };
  if (Result<void> done = forwarders.empty() ? set(kTowardsNameServers) : set(kTowardsForwarders); !done)
    return fail(done.error());
  if (anchors.empty()) {
    if (const int code = ub_ctx_set_option(context.get(), "module-config:", "iterator")) {
      return failure("module-config", code);
    }
  }
  for (const std::string& anchor : anchors) {
    if (const int code = ub_ctx_add_ta(context.get(), anchor.c_str()))
      return failure("the trust anchor " + anchor, code);
  }
  for (const std::string& forwarder : forwarders) {
    if (const int code = ub_ctx_set_fwd(context.get(), forwarder.c_str())) {
      return fail(Reason::config_invalid, "libunbound cannot ask " + forwarder + ": " + ub_strerror(code));
    }
  }
  for (const char* zone : kOwnZones) {  // the last calls: they end configuration
    if (const int code = ub_ctx_zone_remove(context.get(), zone)) return failure(std::string("zone ") + zone, code);
  }
  return context;
}

}  // namespace ligase::dns
