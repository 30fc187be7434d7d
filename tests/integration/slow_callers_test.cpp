// Callers of the operations port who take their time hold a place there, and nothing else: probes and scrapes are
// answered meanwhile.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <httplib.h>

#include <atomic>
#include <thread>

#include "support/raw_http2.h"
#include "support/test_server.h"

namespace warmline::testing {
namespace {

using ::testing::HasSubstr;

class SlowCallers : public ::testing::TestWithParam<int> {};

TEST_P(SlowCallers, ProbesAndScrapesAreAnsweredMeanwhile) {
  TestServer server;
  const int port = server.server().ops_port();
  std::vector<std::unique_ptr<RawHttp2>> slow;
  const auto begin = [&](std::size_t i) {
    auto one = std::make_unique<RawHttp2>(port, /*greet=*/false);
    one->Send(i % 3 == 0   ? ""
              : i % 3 == 1 ? "GET /console/ HTTP/1.1\r\nX-A: b\r\n"
                           : "POST /warmline.v1.MatchService/Match HTTP/1.1\r\nContent-Length: 60000\r\n\r\n{");
    return one;
  };
  for (int i = 0; i < GetParam(); ++i) slow.push_back(begin(slow.size()));
  // Each sends one more line from time to time, and begins anew when it was cut.
  std::atomic<bool> stop{false};
  std::thread dripping([&] {
    while (!stop) {
      for (std::size_t i = 0; i < slow.size() && !stop; ++i) {
        if (slow[i]->Ended() || !slow[i]->Send("X-More: y\r\n")) slow[i] = begin(i);
      }
      usleep(100'000);
    }
  });
  for (int i = 0; i < 30; ++i) {
    for (const char* path : {"/livez", "/readyz", "/startupz"}) EXPECT_EQ(server.Page(path), "ok\n") << path;
    EXPECT_THAT(server.Page("/metrics"), HasSubstr("warmline_connections{port=\"operations\"}"));
    EXPECT_THAT(server.Page("/console/"), HasSubstr("Warmline console"));
  }
  stop = true;
  dripping.join();
}

INSTANTIATE_TEST_SUITE_P(Many, SlowCallers, ::testing::Values(8, 64, 500));

TEST(OperationsPort, ARequestHasToBeWholeInTime) {
  TestServer server;
  const int port = server.server().ops_port();
  for (const char* begin : {"", "GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nhalf"}) {
    RawHttp2 slow(port, /*greet=*/false);
    slow.Send(begin);
    EXPECT_TRUE(slow.WaitForEnd(60)) << begin;
  }
  EXPECT_THAT(server.Page("/metrics"), HasSubstr("{port=\"operations\",reason=\"slow\"} 3"));
}

TEST(OperationsPort, WhatIsNoRequestIsRefused) {
  TestServer server;
  const auto answer = [&](const std::string& request) {
    RawHttp2 raw(server.server().ops_port(), /*greet=*/false);
    raw.Send(request);
    std::string text;
    for (std::string more; !(more = raw.ReceiveText()).empty();) text += more;
    return text;
  };
  EXPECT_THAT(answer("nonsense\r\n\r\n"), HasSubstr(" 400 "));
  EXPECT_THAT(answer("GET / HTTP/1.1\r\n" + std::string(20'000, 'x')), HasSubstr(" 431 "));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"), HasSubstr(" 411 "));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nContent-Length: much\r\n\r\n"), HasSubstr(" 400 "));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"), HasSubstr(" 400 "));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n"), HasSubstr(" 413 "));
  EXPECT_THAT(answer("POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n{}"), HasSubstr(" 404 "));
  EXPECT_THAT(answer("HEAD /livez HTTP/1.1\r\n\r\n"), HasSubstr(" 200 "));
}

}  // namespace
}  // namespace warmline::testing
