#include "cli/quick/difference_json.h"

#include "base/key_text.h"
#include "client/scopes.h"

namespace ferrule::cli {

namespace {

struct ToJson {
  Json operator()(std::monostate) const { return nullptr; }
  Json operator()(std::uint64_t number) const { return number; }
  Json operator()(const Endpoint& endpoint) const {
    return endpoint.is_none() ? Json(nullptr) : Json(client::text_of(endpoint));
  }
  Json operator()(const std::vector<Cidr>& prefixes) const {
    Json list = Json::array();
    for (const Cidr& prefix : prefixes) list.push_back(prefix.to_string());
    return list;
  }
  Json operator()(const std::string& text) const { return text; }
};

void add(Json& json, const char* name, const quick::DifferenceValue& value) {
  if (!std::holds_alternative<std::monostate>(value)) json[name] = std::visit(ToJson{}, value);
}

}  // namespace

Json json_of(const quick::Difference& difference) {
  Json json = Json::object();
  json["change"] = difference.change;
  if (difference.peer) json["peer"] = to_base64(*difference.peer);
  add(json, "from", difference.from);
  add(json, "to", difference.to);
  return json;
}

}  // namespace ferrule::cli
