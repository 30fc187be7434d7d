// What the table of introductions keeps beside the payload, for finding them. Pure; thread-safe.
#pragma once

#include <absl/time/time.h>

#include <cstdint>
#include <string>

#include "application/record_store.h"

namespace warmline::storage {

struct IntroductionColumns {
  static constexpr std::int64_t kOpen = 1;
  static constexpr std::int64_t kBars = 2;
  static constexpr std::int64_t kDraft = 4;
  static constexpr std::int64_t kHelped = 8;
  static constexpr std::int64_t kReported = 16;

  std::int64_t flags = 0;
  std::int64_t asked = 0;  // microseconds since 1970; 0: not yet
  std::int64_t due = 0;

  [[nodiscard]] static IntroductionColumns Of(const domain::Introduction& introduction) {
    IntroductionColumns columns;
    const domain::Outcome* outcome = introduction.OutcomeBy(domain::Audience::kSeeker);
    const bool helped = outcome != nullptr && domain::Helps(outcome->kind);
    columns.flags = (introduction.IsOpen() ? kOpen : 0) | (introduction.Bars() ? kBars : 0) |
                    (introduction.state == domain::IntroductionState::kDrafted ? kDraft : 0) | (helped ? kHelped : 0) |
                    (introduction.reports.empty() ? 0 : kReported);
    if (introduction.ask_time) columns.asked = absl::ToUnixMicros(*introduction.ask_time);
    if (const auto due = introduction.Due()) columns.due = absl::ToUnixMicros(*due);
    return columns;
  }

  // A query in the terms of the columns.
  struct Filter {
    const std::string* of = nullptr;  // null: whoever's
    std::int64_t flags = 0;
    std::int64_t asked_since = 0;
    // What the column of the role must be; the pool itself where any role will do.
    [[nodiscard]] const std::string& member(const std::string& pool) const { return of == nullptr ? pool : *of; }
  };
  // Valid while the query is.
  [[nodiscard]] static Filter FilterOf(const application::IntroductionQuery& query) {
    using Role = application::IntroductionQuery::Role;
    Filter filter;
    if (query.role != Role::kAny) filter.of = &query.member;
    filter.flags = (query.open_only ? kOpen : 0) | (query.bars_only ? kBars : 0) | (query.drafts_only ? kDraft : 0) |
                   (query.helped_only ? kHelped : 0) | (query.reported_only ? kReported : 0);
    if (query.asked_since > absl::UnixEpoch()) filter.asked_since = absl::ToUnixMicros(query.asked_since);
    return filter;
  }
};

}  // namespace warmline::storage
