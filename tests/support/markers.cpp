#include "support/markers.h"

#include <absl/strings/ascii.h>
#include <absl/strings/escaping.h>
#include <absl/strings/match.h>
#include <absl/strings/str_cat.h>
#include <google/protobuf/descriptor.h>

#include <functional>
#include <random>
#include <vector>

namespace warmline::testing {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using Rule = Markers::Rule;

constexpr char kPackage[] = "warmline.v1.";
constexpr std::size_t kNumberBytes = 3;

const std::map<std::string, Rule>& Rules() {
  static const std::map<std::string, Rule> kRules = {
      // Personal text.
      {"Member.display_name", Rule::kText},
      {"Member.conflict_keys", Rule::kText},
      {"Interest.interest", Rule::kText},
      {"Offer.places", Rule::kText},
      {"Offer.seeker_interests", Rule::kText},
      {"NeedConstraints.places", Rule::kText},
      {"Showcase.title", Rule::kText},
      {"Showcase.description", Rule::kText},
      {"Showcase.url", Rule::kText},
      {"RequestRequest.message", Rule::kText},
      {"AskTarget.message", Rule::kText},
      {"AssignRequest.message", Rule::kText},
      {"ForwardIntroductionRequest.note", Rule::kText},
      {"DeclineIntroductionRequest.note", Rule::kText},
      {"AskMoreRequest.question", Rule::kText},
      {"AnswerMoreRequest.answer", Rule::kText},
      {"ReportOutcomeRequest.note", Rule::kText},
      {"ReportAbuseRequest.note", Rule::kText},
      {"SuggestInterestsRequest.prefix", Rule::kText},
      {"SuggestInterestsRequest.related_to", Rule::kText},
      // Chosen by the caller, often after the member.
      {"CreateMemberRequest.request_id", Rule::kText},
      {"CreateNeedRequest.request_id", Rule::kText},
      {"CreateConnectionRequest.request_id", Rule::kText},
      {"RequestRequest.request_id", Rule::kText},
      {"AssignRequest.request_id", Rule::kText},
      {"CreatePoolRequest.request_id", Rule::kNotPersonal},
      // Ids and resource names.
      {"*.name", Rule::kName},
      {"Actor.acting_member", Rule::kName},
      {"CreateMemberRequest.member_id", Rule::kName},
      {"CreateNeedRequest.need_id", Rule::kName},
      {"Need.seeker", Rule::kName},
      {"NeedConstraints.exclude_members", Rule::kName},
      {"Connection.member_a", Rule::kName},
      {"Connection.member_b", Rule::kName},
      {"Connection.proposed_by", Rule::kName},
      {"Block.blocker", Rule::kName},
      {"Block.blocked", Rule::kName},
      {"AskTarget.helper", Rule::kName},
      {"AskTarget.introducer", Rule::kName},
      {"RequestRequest.need", Rule::kName},
      {"AssignRequest.needs", Rule::kName},
      {"NeedAndHelper.need", Rule::kName},
      {"NeedAndHelper.helper", Rule::kName},
      {"MatchRequest.need", Rule::kName},
      {"WatchMatchesRequest.need", Rule::kName},
      {"ExplainRequest.need", Rule::kName},
      {"ExplainRequest.helper", Rule::kName},
      {"ListBlocksRequest.member", Rule::kName},
      {"ListConnectionsRequest.member", Rule::kName},
      {"ListIntroductionsRequest.member", Rule::kName},
      {"ListNeedsRequest.seeker", Rule::kName},
      {"ResolveReportRequest.member", Rule::kName},
      {"WatchIntroductionsRequest.member", Rule::kName},
      {"WatchMembersRequest.member", Rule::kName},
      // Tokens that the server made, names of fields, and the pool.
      {"*.etag", Rule::kNotPersonal},
      {"*.page_token", Rule::kNotPersonal},
      {"*.resume_token", Rule::kNotPersonal},
      {"*.min_revision", Rule::kNotPersonal},
      {"*.update_mask", Rule::kNotPersonal},
      {"*.parent", Rule::kNotPersonal},
      {"AskTarget.candidate", Rule::kNotPersonal},
      {"ExplainRequest.candidate", Rule::kNotPersonal},
      {"*.exclude_candidates", Rule::kNotPersonal},
      // Output only: written by the server from Interest.interest.
      {"Interest.canonical", Rule::kNotPersonal},
      // Tags of a closed list.
      {"Offer.languages", Rule::kNotPersonal},
      {"NeedConstraints.languages", Rule::kNotPersonal},
      // The operator's, of the whole pool.
      {"Pool.display_name", Rule::kNotPersonal},
      {"Synonym.alias", Rule::kNotPersonal},
      {"Synonym.canonical", Rule::kNotPersonal},
      {"FacetWeightsEntry.key", Rule::kNotPersonal},
  };
  return kRules;
}

bool IsText(const FieldDescriptor& field) { return field.cpp_type() == FieldDescriptor::CPPTYPE_STRING; }

std::string NameOf(const FieldDescriptor& field) {
  return absl::StrCat(field.containing_type()->name(), ".", field.name());
}

// What a field asks of its value beside the marker.
std::string Shaped(const FieldDescriptor& field, const std::string& marker) {
  const std::string name = NameOf(field);
  if (name == "Interest.interest" || name == "Offer.seeker_interests" || name == "SuggestInterestsRequest.related_to")
    return absl::StrCat("Skill:", absl::AsciiStrToUpper(marker));  // typed so that the canonical form is another
  if (absl::StrContains(name, "places")) return absl::StrCat("de/", marker);
  if (name == "Showcase.url") return absl::StrCat("https://example.org/", marker);
  if (field.name() == "message") return absl::StrCat("A message of forty characters or more about ", marker);
  return marker;
}

}  // namespace

Markers::Markers() : prefix_("zq") {
  std::random_device random;
  for (int i = 0; i < 6; ++i) prefix_ += static_cast<char>('a' + random() % 26);
}

std::string Markers::Make(const std::string& what) {
  const std::string number = std::to_string(100 + made_.size());
  made_[number] = what;
  return absl::StrCat(prefix_, number, "-", prefix_, number, "-", prefix_, number);
}

void Markers::Fill(Message& message) {
  const auto* reflection = message.GetReflection();
  const Descriptor* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const FieldDescriptor& field = *type->field(i);
    if (field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      if (field.is_map()) continue;
      if (field.is_repeated()) {
        for (int k = 0; k < reflection->FieldSize(message, &field); ++k)
          Fill(*reflection->MutableRepeatedMessage(&message, &field, k));
      } else if (reflection->HasField(message, &field)) {
        Fill(*reflection->MutableMessage(&message, &field));
      }
      continue;
    }
    const Rule* rule = IsText(field) ? RuleOf(field) : nullptr;
    if (rule == nullptr || *rule != Rule::kText) continue;
    if (field.is_repeated()) {
      if (reflection->FieldSize(message, &field) > 0) continue;
      reflection->AddString(&message, &field, Shaped(field, Make(NameOf(field))));
    } else {
      if (!reflection->GetString(message, &field).empty()) continue;
      reflection->SetString(&message, &field, Shaped(field, Make(NameOf(field))));
    }
    filled_.insert(NameOf(field));
  }
}

const Rule* Markers::RuleOf(const FieldDescriptor& field) {
  for (const std::string& name : {NameOf(field), absl::StrCat("*.", field.name())}) {
    const auto found = Rules().find(name);
    if (found != Rules().end()) return &found->second;
  }
  return nullptr;
}

std::set<std::string> Markers::FieldsWithoutRule() {
  std::set<std::string> missing;
  std::set<const Descriptor*> seen;
  const std::function<void(const Descriptor*)> visit = [&](const Descriptor* type) {
    if (!absl::StartsWith(type->full_name(), kPackage) || !seen.insert(type).second) return;
    for (int i = 0; i < type->field_count(); ++i) {
      const FieldDescriptor& field = *type->field(i);
      if (IsText(field) && RuleOf(field) == nullptr) missing.insert(NameOf(field));
      if (field.message_type() != nullptr) visit(field.message_type());
    }
  };
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  for (const char* service :
       {"PoolService", "MemberService", "NeedService", "MatchService", "IntroductionService", "AssignmentService"}) {
    const auto* found = pool->FindServiceByName(absl::StrCat(kPackage, service));
    if (found == nullptr) missing.insert(service);
    for (int i = 0; found != nullptr && i < found->method_count(); ++i) visit(found->method(i)->input_type());
  }
  return missing;
}

std::set<std::string> Markers::FieldsNotFilled() const {
  std::set<std::string> missing;
  for (const auto& [name, rule] : Rules()) {
    if (rule == Rule::kText && !filled_.contains(name)) missing.insert(name);
  }
  return missing;
}

std::map<std::string, int> Markers::FoundIn(std::string_view bytes) const {
  std::map<std::string, int> found;
  const std::string lower = absl::AsciiStrToLower(absl::string_view(bytes.data(), bytes.size()));
  const auto look = [&](const std::string& prefix, const std::function<std::string(std::size_t)>& number_at) {
    for (std::size_t at = lower.find(prefix); at != std::string::npos; at = lower.find(prefix, at + 1)) {
      const auto made = made_.find(number_at(at + prefix.size()));
      ++found[made == made_.end() ? "a part of a marker" : made->second];
    }
  };
  look(prefix_, [&](std::size_t at) { return lower.substr(std::min(at, lower.size()), kNumberBytes); });
  for (const std::string& typed : {prefix_, absl::AsciiStrToUpper(prefix_)}) {
    look(absl::BytesToHexString(typed), [&](std::size_t at) {
      return absl::HexStringToBytes(lower.substr(std::min(at, lower.size()), 2 * kNumberBytes));
    });
  }
  return found;
}

}  // namespace warmline::testing
