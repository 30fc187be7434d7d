#include "cli/csv_rows.h"

#include <absl/strings/ascii.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/time.h>

#include <map>

#include "cli/rows_file.h"
#include "codec/time.h"
#include "domain/error.h"
#include "domain/text.h"

namespace warmline::cli {
namespace {

namespace pb = warmline::v1;
using Setter = std::function<std::string(const std::string&, FileRow&)>;

constexpr char kMemberColumns[] =
    "id, kind, display_name, interests, introduces, conflict_keys, help_kinds, open_asks, asks_per_week, languages, "
    "places, remote, open_to, involvement, "
    "seeker_interests, confirmation, helped, not_helpful, no_reply, last_outcome";

std::vector<std::string> Items(const std::string& text) {
  std::vector<std::string> items;
  for (absl::string_view item : absl::StrSplit(text, ';')) {
    item = absl::StripAsciiWhitespace(item);
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

std::string NotA(const std::string& text, const std::string& what) {
  return absl::StrCat(domain::Quoted(text), " is not ", what);
}

template <typename Enum>
std::string ParseEnum(const std::string& text, bool (*parse)(google::protobuf::ConstStringParam, Enum*),
                      const char* what, Enum* value) {
  return parse(absl::AsciiStrToUpper(text), value) ? std::string() : NotA(text, what);
}

// A column of a list of enum values, parted by `;`.
template <typename Enum>
Setter EnumList(bool (*parse)(google::protobuf::ConstStringParam, Enum*), const char* what,
                std::function<void(pb::Member&, Enum)> add) {
  return [=](const std::string& text, FileRow& result) -> std::string {
    for (const std::string& item : Items(text)) {
      Enum value{};
      if (auto error = ParseEnum(item, parse, what, &value); !error.empty()) return error;
      add(*result.row.mutable_member(), value);
    }
    return {};
  };
}

Setter TextList(const std::function<void(pb::Member&, const std::string&)>& add) {
  return [=](const std::string& text, FileRow& result) -> std::string {
    for (const std::string& item : Items(text)) add(*result.row.mutable_member(), item);
    return {};
  };
}

Setter Flag(const std::function<void(pb::Member&, bool)>& set) {
  return [=](const std::string& text, FileRow& result) -> std::string {
    bool value = false;
    if (!absl::SimpleAtob(text, &value)) return NotA(text, "yes or no");
    set(*result.row.mutable_member(), value);
    return {};
  };
}

Setter Number(const std::function<void(pb::Member&, std::int32_t)>& set) {
  return [=](const std::string& text, FileRow& result) -> std::string {
    std::int32_t value = 0;
    if (!absl::SimpleAtoi(text, &value)) return NotA(text, "a whole number");
    set(*result.row.mutable_member(), value);
    return {};
  };
}

Setter Count(pb::OutcomeKind kind) {
  return Number([kind](pb::Member& member, std::int32_t count) {
    if (count == 0) return;
    pb::Evidence* evidence = member.add_evidence();
    evidence->set_outcome(kind);
    evidence->set_count(count);
  });
}

// `skill:sql` or `skill:sql|0.8`.
std::string AddInterests(const std::string& text, FileRow& result) {
  for (const std::string& item : Items(text)) {
    const std::vector<std::string> parts = absl::StrSplit(item, absl::MaxSplits('|', 1));
    pb::Interest* interest = result.row.mutable_member()->add_interests();
    interest->set_interest(parts[0]);
    double strength = 1;
    if (parts.size() == 2 && !absl::SimpleAtod(parts[1], &strength))
      return NotA(parts[1], "a strength: write, for example, skill:sql|0.8");
    interest->set_strength(strength);
  }
  return {};
}

// Comes after the counts of outcomes, whose time it is.
std::string SetOutcomeTime(const std::string& text, FileRow& result) {
  absl::Time time;
  std::string error;
  if (!absl::ParseTime("%Y-%m-%d", text, &time, &error) && !absl::ParseTime(absl::RFC3339_full, text, &time, &error))
    return NotA(text, "a date: write, for example, 2026-05-01");
  for (pb::Evidence& evidence : *result.row.mutable_member()->mutable_evidence())
    codec::SetTime(time, evidence.mutable_time());
  return {};
}

const std::map<std::string, Setter>& MemberColumns() {
  static const std::map<std::string, Setter> columns = {
      {"id",
       [](const std::string& text, FileRow& r) {
         r.row.mutable_member()->set_name(text);
         return std::string();
       }},
      {"kind",
       [](const std::string& text, FileRow& r) {
         pb::MemberKind kind{};
         auto error = ParseEnum(text, pb::MemberKind_Parse, "PERSON or ORGANIZATION", &kind);
         r.row.mutable_member()->set_kind(kind);
         return error;
       }},
      {"display_name",
       [](const std::string& text, FileRow& r) {
         r.row.mutable_member()->set_display_name(text);
         return std::string();
       }},
      {"interests", AddInterests},
      {"introduces", Flag([](pb::Member& m, bool v) { m.set_introduces(v); })},
      {"conflict_keys", TextList([](pb::Member& m, const std::string& v) { m.add_conflict_keys(v); })},
      {"help_kinds",
       EnumList<pb::HelpKind>(pb::HelpKind_Parse, "a kind of help such as ADVICE",
                              [](pb::Member& m, pb::HelpKind v) { m.mutable_offer()->add_help_kinds(v); })},
      {"open_asks",
       Number([](pb::Member& m, std::int32_t v) { m.mutable_offer()->mutable_capacity()->set_open_asks(v); })},
      {"asks_per_week",
       Number([](pb::Member& m, std::int32_t v) { m.mutable_offer()->mutable_capacity()->set_asks_per_week(v); })},
      {"languages", TextList([](pb::Member& m, const std::string& v) { m.mutable_offer()->add_languages(v); })},
      {"places", TextList([](pb::Member& m, const std::string& v) { m.mutable_offer()->add_places(v); })},
      {"remote", Flag([](pb::Member& m, bool v) { m.mutable_offer()->set_remote(v); })},
      {"open_to", EnumList<pb::Reach>(pb::Reach_Parse, "a reach: FIRST_DEGREE, SECOND_DEGREE, CIRCLE or POOL",
                                      [](pb::Member& m, pb::Reach v) { m.mutable_offer()->add_open_to(v); })},
      {"involvement",
       EnumList<pb::Involvement>(pb::Involvement_Parse, "an involvement such as RECRUITER",
                                 [](pb::Member& m, pb::Involvement v) { m.mutable_offer()->set_involvement(v); })},
      {"seeker_interests",
       TextList([](pb::Member& m, const std::string& v) { m.mutable_offer()->add_seeker_interests(v); })},
      {"confirmation",
       EnumList<pb::Confirmation>(pb::Confirmation_Parse, "UNCONFIRMED, SELF_CONFIRMED or VOUCHED",
                                  [](pb::Member& m, pb::Confirmation v) { m.mutable_offer()->set_confirmation(v); })},
      {"helped", Count(pb::HELPED)},
      {"not_helpful", Count(pb::NOT_HELPFUL)},
      {"no_reply", Count(pb::NO_REPLY)},
      {"last_outcome", SetOutcomeTime},
  };
  return columns;
}

const std::map<std::string, Setter>& TieColumns() {
  static const std::map<std::string, Setter> columns = {
      {"member_a",
       [](const std::string& text, FileRow& r) {
         r.row.mutable_connection()->set_member_a(text);
         return std::string();
       }},
      {"member_b",
       [](const std::string& text, FileRow& r) {
         r.row.mutable_connection()->set_member_b(text);
         return std::string();
       }},
      {"strength",
       [](const std::string& text, FileRow& r) {
         double strength = 0;
         if (!absl::SimpleAtod(text, &strength)) return NotA(text, "a strength: write, for example, 0.8");
         r.row.mutable_connection()->set_strength(strength);
         return std::string();
       }},
      {"state",
       [](const std::string& text, FileRow& r) {
         pb::ConnectionState state{};
         auto error = ParseEnum(text, pb::ConnectionState_Parse, "PENDING or CONFIRMED", &state);
         r.row.mutable_connection()->set_state(state);
         return error;
       }},
  };
  return columns;
}

}  // namespace

CsvColumns CsvColumns::FromHeader(const CsvRow& header) {
  CsvColumns columns;
  bool ties = false;
  for (const CsvField& field : header.fields) ties = ties || field.text == "member_a";
  const auto& known = ties ? TieColumns() : MemberColumns();
  for (const CsvField& field : header.fields) {
    const std::string name(absl::StripAsciiWhitespace(field.text));
    const auto found = known.find(name);
    if (found == known.end()) {
      columns.error_ = absl::StrCat(domain::Quoted(name), " is not a column: use some of ",
                                    ties ? "member_a, member_b, strength, state" : kMemberColumns);
      columns.error_column_ = field.column;
      return columns;
    }
    columns.setters_.push_back(found->second);
    columns.names_.push_back(name);
  }
  const auto has = [&](const char* name) {
    return std::find(columns.names_.begin(), columns.names_.end(), name) != columns.names_.end();
  };
  for (const char* needed : ties ? std::vector<const char*>{"member_a", "member_b"}
                                 : std::vector<const char*>{"id", "kind", "display_name"}) {
    if (!has(needed))
      columns.error_ = absl::StrCat("the header lacks the column ", needed, ": add it (docs/import.md lists all)");
  }
  return columns;
}

void CsvColumns::Read(const CsvRow& row, FileRow& result) const {
  const auto fail = [&](const std::string& what, int column) {
    result.row.Clear();
    result.error = what;
    result.column = column;
  };
  if (row.fields.size() != setters_.size()) {
    return fail(
        absl::StrCat("has ", row.fields.size(), " fields, the header ", setters_.size(), ": check commas and quotes"),
        row.fields.empty() ? 1 : row.fields.back().column);
  }
  // The time of the outcomes comes last, wherever its column stands.
  for (const bool times : {false, true}) {
    for (std::size_t i = 0; i < setters_.size(); ++i) {
      const std::string text(absl::StripAsciiWhitespace(row.fields[i].text));
      if (text.empty() || (names_[i] == "last_outcome") != times) continue;
      if (domain::CountCodePoints(text) < 0)
        return fail(absl::StrCat(names_[i], " is not valid UTF-8: save the file as UTF-8"), row.fields[i].column);
      if (auto error = setters_[i](text, result); !error.empty())
        return fail(absl::StrCat(names_[i], ": ", error), row.fields[i].column);
    }
  }
}

}  // namespace warmline::cli
