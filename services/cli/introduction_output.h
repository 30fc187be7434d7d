// Introductions as people read them. Pure.
#pragma once

#include <ostream>

#include "warmline/v1/introduction_service.pb.h"

namespace warmline::cli {

void Print(const warmline::v1::Introduction& introduction, std::ostream& out);
void Print(const warmline::v1::ListIntroductionsResponse& response, std::ostream& out);
void Print(const warmline::v1::ReviewResponse& response, std::ostream& out);

}  // namespace warmline::cli
