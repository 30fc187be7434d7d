#include "console/http_connection.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>
#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>
#include <absl/time/clock.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>

namespace warmline::console {
namespace {

constexpr char kHeadEnd[] = "\r\n\r\n";
constexpr char kContinue[] = "HTTP/1.1 100 Continue\r\n\r\n";
constexpr absl::Duration kLinger = absl::Seconds(1);
// In one turn: others wait.
constexpr int kMaxLingerReads = 16;

// The value of a header in a head, without blanks around it; nothing where there is none.
std::optional<absl::string_view> Header(absl::string_view head, absl::string_view name) {
  for (const absl::string_view line : absl::StrSplit(head, "\r\n")) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, absl::MaxSplits(':', 1));
    if (absl::EqualsIgnoreCase(parts.first, name)) return absl::StripAsciiWhitespace(parts.second);
  }
  return std::nullopt;
}

}  // namespace

std::string PlainAnswer(const std::string& status, const std::string& text) {
  return absl::StrCat("HTTP/1.1 ", status,
                      "\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ", text.size(),
                      "\r\nConnection: close\r\n\r\n", text);
}

HttpConnection::HttpConnection(base::Descriptor socket, SSL_CTX* tls, absl::Time deadline)
    : socket_(std::move(socket)), deadline_(deadline) {
  if (tls == nullptr) return;
  ssl_.reset(SSL_new(tls));
  if (ssl_ == nullptr || SSL_set_fd(ssl_.get(), socket_.get()) != 1) {
    stage_ = Stage::kClosed;
    return;
  }
  SSL_set_accept_state(ssl_.get());
}

void HttpConnection::Continue() {
  wants_write_ = false;
  if (stage_ == Stage::kReading) ReadRequest();
  if (stage_ == Stage::kWriting) WriteAnswer();
  if (stage_ == Stage::kLingering) Linger();
}

void HttpConnection::Answer(std::string answer, absl::Time deadline) {
  output_ = std::move(answer);
  written_ = 0;
  deadline_ = deadline;
  stage_ = Stage::kWriting;
}

long HttpConnection::TlsResult(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl_.get(), result);
  ERR_clear_error();
  if (error == SSL_ERROR_WANT_WRITE) wants_write_ = true;
  return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

long HttpConnection::Read(char* to, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    return TlsResult(SSL_read(ssl_.get(), to, static_cast<int>(size)));
  }
  const ssize_t got = recv(socket_.get(), to, size, 0);
  if (got > 0) return got;
  return got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : -1;
}

long HttpConnection::Write(const char* from, std::size_t size) {
  if (ssl_ != nullptr) {
    ERR_clear_error();
    return TlsResult(SSL_write(ssl_.get(), from, static_cast<int>(size)));
  }
  const ssize_t put = send(socket_.get(), from, size, MSG_NOSIGNAL);
  if (put >= 0) return put;
  if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) return -1;
  wants_write_ = true;
  return 0;
}

void HttpConnection::ReadRequest() {
  std::array<char, 16 * 1024> buffer;
  while (stage_ == Stage::kReading) {
    const long got = Read(buffer.data(), buffer.size());
    if (got == 0) return;
    if (got < 0) {
      stage_ = Stage::kClosed;
      return;
    }
    input_.append(buffer.data(), static_cast<std::size_t>(got));
    CheckRequest();
  }
}

void HttpConnection::CheckRequest() {
  if (head_bytes_ == 0) {
    const std::size_t end = input_.find(kHeadEnd);
    if (end == std::string::npos || end > kMaxHeadBytes) {
      if (input_.size() > kMaxHeadBytes)
        Answer(PlainAnswer("431 Request Header Fields Too Large",
                           absl::StrCat("the head has more than ", kMaxHeadBytes, " bytes\n")),
               deadline_);
      return;
    }
    head_bytes_ = end + sizeof(kHeadEnd) - 1;
    const absl::string_view head = absl::string_view(input_).substr(0, end);
    if (Header(head, "Transfer-Encoding")) {
      Answer(PlainAnswer("411 Length Required", "send the body with a Content-Length\n"), deadline_);
      return;
    }
    if (const auto length = Header(head, "Content-Length"); length && !absl::SimpleAtoi(*length, &body_bytes_)) {
      Answer(PlainAnswer("400 Bad Request", "Content-Length is no number\n"), deadline_);
      return;
    }
    if (body_bytes_ > kMaxRequestBytes) {
      Answer(
          PlainAnswer("413 Payload Too Large", absl::StrCat("the body has more than ", kMaxRequestBytes, " bytes\n")),
          deadline_);
      return;
    }
    const auto expect = Header(head, "Expect");
    if (expect && absl::EqualsIgnoreCase(*expect, "100-continue") && input_.size() < head_bytes_ + body_bytes_ &&
        Write(kContinue, sizeof(kContinue) - 1) < 0)
      stage_ = Stage::kClosed;
  }
  if (stage_ == Stage::kReading && input_.size() >= head_bytes_ + body_bytes_) {
    input_.resize(head_bytes_ + body_bytes_);
    stage_ = Stage::kAnswering;
  }
}

void HttpConnection::WriteAnswer() {
  while (written_ < output_.size()) {
    const long put = Write(output_.data() + written_, output_.size() - written_);
    if (put == 0) return;
    if (put < 0) {
      stage_ = Stage::kClosed;
      return;
    }
    written_ += static_cast<std::size_t>(put);
  }
  if (ssl_ != nullptr) SSL_shutdown(ssl_.get());
  shutdown(socket_.get(), SHUT_WR);
  deadline_ = std::min(deadline_, absl::Now() + kLinger);
  stage_ = Stage::kLingering;
}

void HttpConnection::Linger() {
  std::array<char, 16 * 1024> buffer;
  for (int i = 0; i < kMaxLingerReads; ++i) {
    const ssize_t got = recv(socket_.get(), buffer.data(), buffer.size(), 0);
    if (got > 0) continue;
    if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) stage_ = Stage::kClosed;
    return;
  }
}

}  // namespace warmline::console
