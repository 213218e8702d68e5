// Routes to the gateway's rows, and to what it can be told to do.
#include "http/api.hpp"

#include <fmt/format.h>

#include <array>
#include <boost/json.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>

#include "report/json.hpp"

namespace ligase::http {
namespace {

namespace json = boost::json;
using report::Observable;
using seams::Control;

Answer error(unsigned status, Reason reason, std::string_view message) {
  return {status, "application/json", report::error_document(name_of(reason), message)};
}

Answer refused(const Error& why) {
  switch (why.reason) {
    case Reason::host_unknown:
    case Reason::stream_closed:
      return error(404, why.reason, why.detail);
    case Reason::limit_reached:
      return error(429, why.reason, why.detail);
    default:
      return error(400, why.reason, why.detail);
  }
}

Answer done(std::string_view faults = "") { return {.body = fmt::format("{{\"ok\":true{}}}", faults)}; }

Answer ready(const Observable& gateway) {
  const report::Status status = gateway.status();
  if (status.ready) return {200, "text/plain", "ready\n"};
  std::string reasons = "not ready\n";
  for (const std::string& reason : status.not_ready) reasons += reason + "\n";
  return {503, "text/plain", std::move(reasons)};
}

struct Route {
  std::string_view path;
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
constexpr std::string_view kExplain = "/api/v1/explain", kClose = "/api/v1/close", kReload = "/api/v1/reload",
                           kDrain = "/api/v1/drain";

// Two domains, or what is wrong with them.
struct Two {
  Domain local, remote;
};
Result<Two> two_domains(std::string_view local, std::string_view remote) {
  const Result<Domain> one = Domain::parse(local), other = Domain::parse(remote);
  if (!one) return fail(Reason::name_invalid, fmt::format("local: {}", one.error().detail));
  if (!other) return fail(Reason::name_invalid, fmt::format("remote: {}", other.error().detail));
  return Two{*one, *other};
}

Task<Answer> explain(Control& control, std::string target, bool may_dial) {
  const auto url = boost::urls::parse_origin_form(target);
  std::string local, remote;
  if (url)
    for (const auto& parameter : url->params()) {
      if (parameter.key == "local") local = parameter.value;
      if (parameter.key == "remote") remote = parameter.value;
    }
  const Result<Two> domains = two_domains(local, remote);
  if (!domains) co_return refused(domains.error());
  const Result<report::Explanation> told = co_await control.explain(domains->local, domains->remote, may_dial);
  if (!told) co_return refused(told.error());
  co_return Answer{.body = to_json(*told)};
}

std::optional<std::string> member(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return std::string(value->as_string());
}

// {"stream": "7"} or {"local": …, "remote": …}
Answer close(Control& control, const std::string& body) {
  boost::system::error_code broken;
  const json::value document = json::parse(body, broken);
  const auto* object = broken ? nullptr : document.if_object();
  const std::optional<std::string> stream = object == nullptr ? std::nullopt : member(*object, "stream");
  const std::optional<std::string> local = object == nullptr ? std::nullopt : member(*object, "local");
  const std::optional<std::string> remote = object == nullptr ? std::nullopt : member(*object, "remote");
  if (stream && !local && !remote) {
    const Result<void> closed = control.close_stream(*stream);
    return closed ? done() : refused(closed.error());
  }
  if (stream || !local || !remote)
    return error(400, Reason::config_invalid,
                 "the body is {\"stream\": \"ID\"} or {\"local\": \"DOMAIN\", \"remote\": \"DOMAIN\"}");
  const Result<Two> domains = two_domains(*local, *remote);
  if (!domains) return refused(domains.error());
  const Result<void> closed = control.close_pair(domains->local, domains->remote);
  return closed ? done() : refused(closed.error());
}

Answer reload(Control& control) {
  const std::vector<std::string> faults = control.reload();
  report::JsonWriter document;
  document.begin_object().field("ok", faults.empty()).key("faults").begin_array();
  for (const std::string& fault : faults) document.value(fault);
  document.end_array().end_object();
  return {.status = faults.empty() ? 200u : 409u, .body = document.take()};
}

Answer drain(Control& control) {
  control.drain();
  return done();
}

Task<Answer> answer(const Observable& gateway, Control& control, Access access, Request request) {
  const std::string_view target = request.target;
  const std::string_view path = target.substr(0, target.find('?'));
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool may_change = access == Access::control;
  if (path == kExplain) {
    if (!reads) co_return error(405, Reason::config_invalid, "this path is read: GET");
    co_return co_await explain(control, std::move(request.target), may_change);
  }
  const bool changes = path == kClose || path == kReload || path == kDrain;
  if (changes && !may_change)
    co_return error(403, Reason::config_invalid, "what changes state is on the control socket only: ligase ctl");
  if (changes && request.method != "POST")
    co_return error(405, Reason::config_invalid, "this path changes state: POST");
  if (path == kClose) co_return close(control, request.body);
  if (path == kReload) co_return reload(control);
  if (path == kDrain) co_return drain(control);
  for (const Route& route : kRoutes) {
    if (route.path != target) continue;
    if (reads) co_return route.answer(gateway);
    co_return error(405, Reason::config_invalid, "this path is read: GET");
  }
  co_return error(404, Reason::config_invalid,
                  "no such path; there are /api/v1/status, /api/v1/streams, /api/v1/pairs, /api/v1/links, "
                  "/api/v1/explain, /healthz, /readyz, and on the control socket /api/v1/close, /api/v1/reload, "
                  "/api/v1/drain");
}

}  // namespace

Handler make_api(const Observable& gateway, Control& control, Access access) {
  return [&gateway, &control, access](Request request) { return answer(gateway, control, access, std::move(request)); };
}

}  // namespace ligase::http
