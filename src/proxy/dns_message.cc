#include "proxy/dns_message.h"

#include <algorithm>

#include "proxy/limits.h"
#include "proxy/target.h"

namespace ferrule::proxy {

namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::uint16_t kClassInternet = 1;
constexpr std::uint16_t kTypeAlias = 5;
constexpr std::uint16_t kTypeStart = 6;
constexpr std::uint16_t kTypeOptions = 41;
constexpr std::uint16_t kUdpBytes = 1232;  // fits any path, as resolvers have agreed
constexpr unsigned kMaxPointers = 32;
constexpr unsigned kMaxRecords = 256;
constexpr unsigned kMaxAliases = 16;
constexpr std::size_t kMaxNameBytes = 255;

void put16(std::string& text, std::uint16_t value) {
  text += static_cast<char>(value >> 8);
  text += static_cast<char>(value & 0xff);
}

char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

std::string canonical(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::string text(name);
  std::ranges::transform(text, text.begin(), lower);
  return text;
}

// Reads a message from its start; after a failure it gives nothing more.
class Reader {
 public:
  explicit Reader(Bytes message) noexcept : message_(message) {}

  [[nodiscard]] bool failed() const noexcept { return failed_; }
  std::uint16_t u16() noexcept {
    const Bytes bytes = take(2);
    return failed_ ? std::uint16_t{0} : load_be16(bytes.data());
  }
  std::uint32_t u32() noexcept {
    const Bytes bytes = take(4);
    return failed_ ? 0 : load_be32(bytes.data());
  }
  Bytes take(std::size_t size) noexcept {
    if (failed_ || message_.size() - at_ < size) {
      failed_ = true;
      return {};
    }
    at_ += size;
    return message_.subspan(at_ - size, size);
  }
  // A name, in small letters and with dots between its labels. Pointers lead back only.
  std::string name();

 private:
  Bytes message_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

std::string Reader::name() {
  std::string text;
  std::size_t at = at_;
  std::size_t limit = message_.size();
  bool jumped = false;
  for (unsigned pointers = 0; at < limit;) {
    const std::uint8_t size = message_[at];
    if (size == 0) {
      if (!jumped) at_ = at + 1;
      return text;
    }
    if ((size & 0xc0) == 0xc0) {
      if (at + 1 >= limit || ++pointers > kMaxPointers) break;
      const std::size_t to = static_cast<std::size_t>(load_be16(&message_[at]) & 0x3fff);
      if (!jumped) at_ = at + 2;
      if (to >= at) break;
      jumped = true;
      at = to;
      continue;
    }
    if (size > 63 || at + 1 + size > limit || text.size() + size + 1 > kMaxNameBytes) break;
    if (!text.empty()) text += '.';
    for (std::size_t i = 0; i < size; ++i) text += lower(static_cast<char>(message_[at + 1 + i]));
    at += 1 + size;
  }
  failed_ = true;
  return {};
}

struct Record {
  std::string name;
  std::uint16_t type = 0;
  std::uint32_t ttl_s = 0;
  Bytes data;
  std::string alias;  // of a CNAME
};

Record read_record(Reader& reader, Bytes message) {
  Record record;
  record.name = reader.name();
  record.type = reader.u16();
  (void)reader.u16();  // the class
  record.ttl_s = reader.u32();
  const std::uint16_t size = reader.u16();
  record.data = reader.take(size);
  if (!reader.failed() && record.type == kTypeAlias) {
    Reader within(
        message.first(static_cast<std::size_t>(record.data.data() - message.data()) + size));
    (void)within.take(static_cast<std::size_t>(record.data.data() - message.data()));
    record.alias = within.name();
  }
  return record;
}

std::vector<Record> read_records(Reader& reader, Bytes message, unsigned count) {
  std::vector<Record> records;
  for (unsigned i = 0; i < std::min(count, kMaxRecords) && !reader.failed(); ++i) {
    Record record = read_record(reader, message);
    if (!reader.failed()) records.push_back(std::move(record));
  }
  return records;
}

void shorten(DnsAnswer& answer, std::uint32_t ttl_s) {
  // RFC 2181, section 8: with the first bit set it counts as none.
  const std::uint32_t read = ttl_s > 0x7fffffff ? 0 : ttl_s;
  answer.ttl_s = answer.has_ttl ? std::min(answer.ttl_s, read) : read;
  answer.has_ttl = true;
}

void take_addresses(DnsAnswer& answer, const std::vector<Record>& records, std::string name,
                    DnsType type) {
  const std::size_t size = type == DnsType::a ? 4 : 16;
  for (unsigned alias = 0; alias <= kMaxAliases; ++alias) {
    const Record* next = nullptr;
    for (const Record& record : records) {
      if (record.name != name) continue;
      if (record.type == kTypeAlias) next = &record;
      if (record.type != static_cast<std::uint16_t>(type) || record.data.size() != size) continue;
      if (answer.addresses.size() >= kMaxAddresses) continue;
      answer.addresses.push_back(type == DnsType::a ? IpAddress::v4(record.data.first<4>())
                                                    : IpAddress::v6(record.data.first<16>()));
      shorten(answer, record.ttl_s);
    }
    if (!answer.addresses.empty() || next == nullptr) return;
    shorten(answer, next->ttl_s);
    name = next->alias;
  }
}

// How long an absence may be believed (RFC 2308): the lesser of the record's life and its last field.
void take_absence(DnsAnswer& answer, const std::vector<Record>& authority) {
  for (const Record& record : authority) {
    if (record.type != kTypeStart || record.data.size() < 20) continue;
    shorten(answer, record.ttl_s);
    shorten(answer, load_be32(record.data.last(4).data()));
    return;
  }
}

}  // namespace

std::string dns_question(std::uint16_t id, std::string_view name, DnsType type) {
  if (!is_host_name(name)) return {};
  std::string text;
  put16(text, id);
  put16(text, 0x0100);  // recursion is wanted
  put16(text, 1);
  put16(text, 0);
  put16(text, 0);
  put16(text, 1);
  const std::string labels = canonical(name);
  for (std::size_t start = 0; start <= labels.size();) {
    const std::size_t end = std::min(labels.find('.', start), labels.size());
    text += static_cast<char>(end - start);
    text.append(labels, start, end - start);
    start = end + 1;
  }
  text += '\0';
  put16(text, static_cast<std::uint16_t>(type));
  put16(text, kClassInternet);
  text += '\0';  // EDNS: the root's name, and how much we take
  put16(text, kTypeOptions);
  put16(text, kUdpBytes);
  text.append(6, '\0');
  return text;
}

std::optional<DnsAnswer> parse_dns_answer(Bytes message, std::uint16_t id, std::string_view name,
                                          DnsType type) {
  if (message.size() < kHeaderBytes) return std::nullopt;
  Reader reader(message);
  const bool is_ours = reader.u16() == id;
  const std::uint16_t flags = reader.u16();
  const std::uint16_t questions = reader.u16();
  const std::uint16_t answers = reader.u16();
  const std::uint16_t authorities = reader.u16();
  (void)reader.u16();
  if (!is_ours || (flags & 0x8000) == 0) return std::nullopt;
  DnsAnswer answer;
  answer.is_truncated = (flags & 0x0200) != 0;
  const unsigned code = flags & 0xf;
  if (questions == 0 && code != 0) return answer;  // some do not repeat what they refuse
  if (questions != 1 || reader.name() != canonical(name) ||
      reader.u16() != static_cast<std::uint16_t>(type) || reader.u16() != kClassInternet ||
      reader.failed()) {
    return std::nullopt;
  }
  if (code != 0 && code != 3) return answer;
  const std::vector<Record> records = read_records(reader, message, answers);
  take_addresses(answer, records, canonical(name), type);
  if (!answer.addresses.empty()) {
    answer.outcome = DnsOutcome::found;
    return answer;
  }
  answer.outcome = code == 3 ? DnsOutcome::no_such_name : DnsOutcome::no_address;
  answer.has_ttl = false;
  if (records.size() == answers) take_absence(answer, read_records(reader, message, authorities));
  return answer;
}

}  // namespace ferrule::proxy
