// Routes to the gateway's rows.
#include "http/api.hpp"

#include <array>

#include "report/json.hpp"

namespace ligase::http {
namespace {

using report::Observable;

Answer error(unsigned status, Reason reason, std::string_view message) {
  return {status, "application/json", report::error_document(name_of(reason), message)};
}

Answer ready(const Observable& gateway) {
  const report::Status status = gateway.status();
  if (status.ready) return {200, "text/plain", "ready\n"};
  std::string reasons = "not ready\n";
  for (const std::string& reason : status.not_ready) reasons += reason + "\n";
  return {503, "text/plain", std::move(reasons)};
}

struct Route {
  std::string_view target;
  Answer (*answer)(const Observable&);
};
constexpr std::array<Route, 6> kRoutes{{
    {"/api/v1/status", [](const Observable& gateway) { return Answer{.body = to_json(gateway.status())}; }},
    {"/api/v1/streams", [](const Observable& gateway) { return Answer{.body = to_json(gateway.streams())}; }},
    {"/api/v1/pairs", [](const Observable& gateway) { return Answer{.body = to_json(gateway.pairs())}; }},
    {"/api/v1/links", [](const Observable& gateway) { return Answer{.body = to_json(gateway.links())}; }},
    {"/healthz",
     [](const Observable&) {
       return Answer{200, "text/plain", "alive\n"};
     }},
    {"/readyz", ready},
}};

}  // namespace

Handler make_api(const Observable& gateway) {
  return [&gateway](const Request& request) {
    for (const Route& route : kRoutes) {
      if (route.target != request.target) continue;
      if (request.method == "GET" || request.method == "HEAD") return route.answer(gateway);
      return error(405, Reason::config_invalid, "only GET is answered here");
    }
    return error(
        404, Reason::config_invalid,
        "no such path; there are /api/v1/status, /api/v1/streams, /api/v1/pairs, /api/v1/links, /healthz, /readyz");
  };
}

}  // namespace ligase::http
