// The rows as the JSON of the contract, keys in its order.
#include "report/snapshot.hpp"

#include "report/json.hpp"

namespace ligase::report {
namespace {

void write_strings(JsonWriter& json, std::string_view name, const std::vector<std::string>& strings) {
  json.key(name).begin_array();
  for (const std::string& string : strings) json.value(std::string_view(string));
  json.end_array();
}

void write_counts(JsonWriter& json, std::string_view name, const Counts& counts) {
  json.key(name).begin_object();
  for (const auto& [reason, count] : counts) json.field(reason, count);
  json.end_object();
}

void write_tls(JsonWriter& json, const std::optional<TlsRow>& tls) {
  json.key("tls");
  if (!tls) {
    json.null();
    return;
  }
  json.begin_object()
      .field("version", tls->version)
      .field("cipher", tls->cipher)
      .field("alpn", tls->alpn)
      .field("peer_sha256", tls->peer_sha256)
      .end_object();
}

void write_row(JsonWriter& json, const StreamRow& row) {
  json.begin_object()
      .field("id", row.id)
      .field("direction", row.direction)
      .field("kind", row.kind)
      .field("address", row.address)
      .field("peer_host", row.peer_host);
  write_tls(json, row.tls);
  write_strings(json, "features", row.features);
  json.field("bidi", row.bidi)
      .field("sm", row.sm)
      .field("pairs", row.pairs)
      .field("stanzas_in", row.stanzas_in)
      .field("stanzas_out", row.stanzas_out)
      .field("bytes_in", row.bytes_in)
      .field("bytes_out", row.bytes_out)
      .field("queued_bytes", row.queued_bytes)
      .field("opened_at", row.opened_at)
      .field("flow", row.flow)
      .end_object();
}

void write_row(JsonWriter& json, const PairRow& row) {
  json.begin_object()
      .field("local", row.local)
      .field("remote", row.remote)
      .field("direction", row.direction)
      .field("state", row.state)
      .field("stream", row.stream)
      .field("proof", row.proof)
      .field("evidence", row.evidence)
      .field("proven_at", row.proven_at)
      .field("expires_at", row.expires_at)
      .field("queued", row.queued)
      .field("stanzas", row.stanzas)
      .field("last_error", row.last_error)
      .field("waits_for", row.waits_for)
      .end_object();
}

void write_row(JsonWriter& json, const LinkRow& row) {
  json.begin_object().field("id", row.id).field("kind", row.kind);
  write_strings(json, "domains", row.domains);
  json.field("address", row.address)
      .field("up", row.up)
      .field("stanzas_in", row.stanzas_in)
      .field("stanzas_out", row.stanzas_out)
      .field("queued_bytes", row.queued_bytes)
      .end_object();
}

template <class Row>
std::string list_json(const std::vector<Row>& rows) {
  JsonWriter json;
  json.begin_array();
  for (const Row& row : rows) write_row(json, row);
  json.end_array();
  return json.take();
}

}  // namespace

std::string to_json(const Status& status) {
  JsonWriter json;
  json.begin_object()
      .field("version", status.version)
      .field("hostname", status.hostname)
      .field("started_at", status.started_at)
      .field("ready", status.ready)
      .field("streams_in", status.streams_in)
      .field("streams_out", status.streams_out)
      .field("pairs", status.pairs)
      .field("links", status.links)
      .field("stanzas_per_s", status.stanzas_per_s)
      .field("connections_saved", status.connections_saved);
  write_strings(json, "not_ready", status.not_ready);
  write_counts(json, "bounced", status.bounced);
  write_counts(json, "dropped", status.dropped);
  json.end_object();
  return json.take();
}

std::string to_json(const std::vector<StreamRow>& streams) { return list_json(streams); }
std::string to_json(const std::vector<PairRow>& pairs) { return list_json(pairs); }
std::string to_json(const std::vector<LinkRow>& links) { return list_json(links); }

}  // namespace ligase::report
