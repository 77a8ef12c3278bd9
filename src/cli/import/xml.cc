#include "cli/import/xml.h"

#include <array>
#include <optional>
#include <utility>

#include "control/conf_document.h"

namespace ferrule::cli {

namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kEntities{
    {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}, {"&apos;", "'"}}};

// False: there is an entity that we don't know.
bool append_decoded(control::WipedText& to, std::string_view text) {
  while (!text.empty()) {
    const std::size_t plain = std::min(text.find('&'), text.size());
    to.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) return true;
    bool is_known = false;
    for (const auto& [entity, character] : kEntities) {
      if (!text.starts_with(entity)) continue;
      to.append(character);
      text.remove_prefix(entity.size());
      is_known = true;
      break;
    }
    if (!is_known) return false;
  }
  return true;
}

// Reads from the front; what is wrong ends it.
class XmlReader {
 public:
  explicit XmlReader(std::string_view text) : rest_(text) {}

  [[nodiscard]] std::expected<XmlElement, std::string> read() {
    skip_prologue();
    XmlElement root;
    if (!read_element(root, 0)) return std::unexpected(why_);
    return root;
  }

 private:
  bool fail(std::string why) {
    why_ = std::move(why);
    return false;
  }
  void skip_prologue() {
    while (true) {
      rest_ = control::trimmed(rest_);
      if (!rest_.starts_with("<?") && !rest_.starts_with("<!")) return;
      skip_behind(rest_.starts_with("<!--") ? "-->" : ">");
    }
  }
  void skip_behind(std::string_view end) {
    const std::size_t at = rest_.find(end);
    rest_.remove_prefix(at == rest_.npos ? rest_.size() : at + end.size());
  }
  bool read_element(XmlElement& element, std::size_t depth);
  bool read_head(XmlElement& element, bool& is_closed);
  bool read_content(XmlElement& element, std::size_t depth);

  std::string_view rest_;
  std::string why_;
};

bool XmlReader::read_element(XmlElement& element, std::size_t depth) {
  if (depth > kMostXmlDepth) return fail("elements nest too deep");
  bool is_closed = false;
  if (!read_head(element, is_closed)) return false;
  return is_closed || read_content(element, depth);
}

// `<name attribute="value">`.
bool XmlReader::read_head(XmlElement& element, bool& is_closed) {
  if (!rest_.starts_with('<')) return fail("an element is expected");
  const std::size_t end = rest_.find('>');
  if (end == rest_.npos) return fail("a `<' is not closed");
  std::string_view head = rest_.substr(1, end - 1);
  rest_.remove_prefix(end + 1);
  is_closed = head.ends_with('/');
  if (is_closed) head.remove_suffix(1);
  const std::size_t name_end = std::min(head.find_first_of(" \t\r\n"), head.size());
  element.name = head.substr(0, name_end);
  head.remove_prefix(name_end);
  for (std::size_t equals = head.find("=\""); equals != head.npos; equals = head.find("=\"")) {
    const std::size_t close = head.find('"', equals + 2);
    if (close == head.npos) return fail("a quote is not closed");
    element.attributes.emplace(control::trimmed(head.substr(0, equals)),
                               head.substr(equals + 2, close - equals - 2));
    head.remove_prefix(close + 1);
  }
  return true;
}

bool XmlReader::read_content(XmlElement& element, std::size_t depth) {
  constexpr std::string_view kData = "<![CDATA[";
  while (true) {
    const std::size_t plain = rest_.find('<');
    if (plain == rest_.npos) return fail("<" + element.name + "> is not closed");
    if (!append_decoded(element.content, rest_.substr(0, plain))) return fail("an unknown entity");
    rest_.remove_prefix(plain);
    if (rest_.starts_with("<!--")) {
      skip_behind("-->");
    } else if (rest_.starts_with(kData)) {
      rest_.remove_prefix(kData.size());
      element.content.append(rest_.substr(0, rest_.find("]]>")));
      skip_behind("]]>");
    } else if (rest_.starts_with("</")) {
      const bool is_own = control::trimmed(rest_.substr(2, rest_.find('>') - 2)) == element.name;
      skip_behind(">");
      return is_own || fail("</" + element.name + "> is expected");
    } else if (!read_element(element.children.emplace_back(), depth + 1)) {
      return false;
    }
  }
}

}  // namespace

std::string_view XmlElement::text(std::string_view child) const noexcept {
  for (const XmlElement& element : children) {
    if (element.name == child) return control::trimmed(element.content.view());
  }
  return {};
}

std::string_view XmlElement::attribute(const std::string& key) const noexcept {
  const auto found = attributes.find(key);
  return found == attributes.end() ? std::string_view() : found->second;
}

void XmlElement::each(std::string_view wanted,
                      const std::function<void(const XmlElement&)>& found) const {
  if (name == wanted) found(*this);
  for (const XmlElement& element : children) element.each(wanted, found);
}

std::expected<XmlElement, std::string> read_xml(std::string_view text) {
  return XmlReader(text).read();
}

}  // namespace ferrule::cli
