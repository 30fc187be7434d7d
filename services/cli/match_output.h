// Matches as people read them. Pure.
#pragma once

#include <ostream>

#include "warmline/v1/match_service.pb.h"

namespace warmline::cli {

void Print(const warmline::v1::MatchResponse& response, std::ostream& out);
void Print(const warmline::v1::ExplainResponse& response, std::ostream& out);
// One line of JSON.
void PrintJson(const google::protobuf::Message& message, std::ostream& out);

}  // namespace warmline::cli
