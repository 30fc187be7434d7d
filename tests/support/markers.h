// Text that no other text holds, put into every field that may be personal, and found again wherever it was kept.
// One thread.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <set>
#include <string>
#include <string_view>

namespace warmline::testing {

class Markers {
 public:
  // What a text field of a request may hold.
  enum class Rule {
    kText,  // personal text: Fill puts a marker there
    kName,  // an id or a resource name: the scenario puts one there that holds a marker, where it is the member's
    kNotPersonal,  // a token, a word of a closed list, or something of the pool
  };

  Markers();
  // A new marker, to be kept as `what`; it stands there three times, so that a part of it is found too.
  std::string Make(const std::string& what);
  // Puts a marker into every empty field of `message` whose rule is kText, and of the messages in it that are present.
  void Fill(google::protobuf::Message& message);

  // The rule of a field by its full name ("Member.display_name"), or of every field of that name ("*.etag"); null for a
  // field that no rule names.
  [[nodiscard]] static const Rule* RuleOf(const google::protobuf::FieldDescriptor& field);
  // Text fields of every request of the API without a rule.
  [[nodiscard]] static std::set<std::string> FieldsWithoutRule();
  // Text fields with rule kText that got no marker.
  [[nodiscard]] std::set<std::string> FieldsNotFilled() const;

  // What stands in `bytes`: as it is, in lower case, and in hexadecimal digits. By what it was made for, how often.
  [[nodiscard]] std::map<std::string, int> FoundIn(std::string_view bytes) const;

 private:
  std::string prefix_;
  std::map<std::string, std::string> made_;  // number to what
  std::set<std::string> filled_;
};

}  // namespace warmline::testing
