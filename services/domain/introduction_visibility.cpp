#include "domain/introduction_visibility.h"

#include <absl/strings/str_cat.h>

#include <array>

namespace warmline::domain {
namespace {

struct Row {
  const char* name;
  std::array<Shown, kViewers> shown;  // by Viewer
};

constexpr Shown kNo = Shown::kNever;
constexpr Shown kYes = Shown::kAlways;

constexpr std::array<Row, kIntroductionFields> kTable = {{
    {"seeker, need, showcase, message, times", {kNo, kYes, kYes, kYes, kYes}},
    {"helper", {kNo, Shown::kAfterConsent, kYes, kYes, kYes}},
    {"introducer", {kNo, kYes, kYes, kYes, kYes}},
    {"reasons, shared interests, evidence", {kNo, kYes, kNo, kYes, kYes}},
    {"introducer's note", {kNo, kNo, kYes, kYes, kYes}},
    {"questions and answers", {kNo, kYes, kNo, kYes, kYes}},
    {"note with a no", {kNo, kNo, Shown::kByDecliner, Shown::kByDecliner, kYes}},
    {"outcomes", {kNo, kYes, kNo, kYes, kYes}},
    {"reports of abuse", {kNo, kNo, kNo, kNo, kYes}},
}};

}  // namespace

Shown ShownTo(Viewer viewer, IntroductionField field) {
  return kTable[static_cast<std::size_t>(field)].shown[static_cast<std::size_t>(viewer)];
}

bool Sees(Viewer viewer, IntroductionField field, const Introduction& introduction) {
  switch (ShownTo(viewer, field)) {
    case Shown::kNever:
      return false;
    case Shown::kAlways:
      return true;
    case Shown::kAfterConsent:
      return !introduction.masked || introduction.state == IntroductionState::kAccepted ||
             introduction.state == IntroductionState::kConcluded;
    case Shown::kByDecliner:
      return (viewer == Viewer::kHelper) == introduction.forward_time.has_value();
  }
  return false;
}

Viewer ViewerOf(const Introduction& introduction, const std::string& member) {
  if (member.empty()) return Viewer::kNobody;
  if (member == introduction.seeker) return Viewer::kSeeker;
  if (member == introduction.helper && introduction.forward_time) return Viewer::kHelper;
  if (member == introduction.introducer && introduction.ask_time) return Viewer::kIntroducer;
  return Viewer::kNobody;
}

std::string VisibilityTable() {
  std::string text =
      "| | seeker | introducer, once asked | helper, once it is their turn | operator |\n|---|---|---|---|---|\n";
  for (const Row& row : kTable) {
    absl::StrAppend(&text, "| ", row.name, " |");
    for (int v = 1; v < kViewers; ++v) {
      switch (row.shown[static_cast<std::size_t>(v)]) {
        case Shown::kNever:
          absl::StrAppend(&text, " no |");
          break;
        case Shown::kAlways:
          absl::StrAppend(&text, " yes |");
          break;
        case Shown::kAfterConsent:
          absl::StrAppend(&text, " where masked: once accepted |");
          break;
        case Shown::kByDecliner:
          absl::StrAppend(&text, " their own |");
          break;
      }
    }
    absl::StrAppend(&text, "\n");
  }
  return text;
}

}  // namespace warmline::domain
