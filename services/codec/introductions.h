// Introductions as messages: whole, as the store keeps them; and as one viewer may see them. Pure functions.
#pragma once

#include "codec/resources.h"
#include "domain/introduction.h"
#include "domain/introduction_visibility.h"
#include "warmline/store/v1/record.pb.h"
#include "warmline/v1/introduction_service.pb.h"

namespace warmline::codec {

[[nodiscard]] warmline::store::v1::Introduction ToStored(const std::string& pool,
                                                         const domain::Introduction& introduction);
[[nodiscard]] warmline::store::v1::IntroductionChanged ToStored(const domain::IntroductionChanged& change);
[[nodiscard]] domain::Introduction FromStored(const std::string& pool, const warmline::store::v1::Introduction& message,
                                              domain::Violations& violations);
[[nodiscard]] domain::IntroductionChanged FromStored(const warmline::store::v1::IntroductionChanged& message,
                                                     domain::Violations& violations);

// What the viewer may see of it (domain/introduction_visibility.h), with the moves that are the viewer's now.
[[nodiscard]] warmline::v1::Introduction ToProto(const std::string& pool, const domain::Introduction& introduction,
                                                 domain::Viewer viewer);

}  // namespace warmline::codec
