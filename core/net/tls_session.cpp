#include "core/net/tls_session.hpp"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "core/net/tls_fault.hpp"

namespace rr::net {
namespace {

constexpr size_t kRecord = 16 * 1024;
constexpr size_t kRecordOverhead = 64;  // header, tag and padding, with some air
// OpenSSL answers each request for a new handshake (31 bytes), also to a client that does not read.
constexpr size_t kMostAnswers = 16 * 1024;

// The first of the queue that is TLS's own: a signature that does not fit leaves others before it.
unsigned long FirstError() {
    const unsigned long first = ERR_peek_error();
    unsigned long code = first;
    while (code != 0 && ERR_GET_LIB(code) != ERR_LIB_SSL) {
        ERR_get_error();
        code = ERR_peek_error();
    }
    return code != 0 ? code : first;
}

}  // namespace

// The one BIO of a session: reads what was fed, writes into wire_. No copy of OpenSSL's own.
const bio_method_st* TlsSession::Method() {
    static const BIO_METHOD* const method = [] {
        BIO_METHOD* m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "rr session");
        RR_CHECK(m != nullptr);
        BIO_meth_set_create(m, [](BIO* bio) {
            BIO_set_init(bio, 1);
            return 1;
        });
        BIO_meth_set_read(m, [](BIO* bio, char* out, int size) noexcept {
            auto* self = static_cast<TlsSession*>(BIO_get_data(bio));
            BIO_clear_retry_flags(bio);
            size_t got = self->TakeInput(out, static_cast<size_t>(std::max(size, 0)));
            if (got == 0) {
                BIO_set_retry_read(bio);
                return -1;
            }
            return static_cast<int>(got);
        });
        BIO_meth_set_write(m, [](BIO* bio, const char* bytes, int size) noexcept {
            auto* self = static_cast<TlsSession*>(BIO_get_data(bio));
            BIO_clear_retry_flags(bio);
            self->wire_.Append(Bytes(bytes, static_cast<size_t>(std::max(size, 0))));
            self->answers_ += static_cast<size_t>(std::max(size, 0));
            return size;
        });
        BIO_meth_set_ctrl(m, [](BIO*, int command, long, void*) noexcept {
            return command == BIO_CTRL_FLUSH ? 1L : 0L;
        });
        return m;
    }();
    return method;
}

TlsSession::TlsSession(std::shared_ptr<TlsContext> context, const std::string& host)
    : context_(std::move(context)), ssl_(SSL_new(context_->raw())) {
    BIO* bio = BIO_new(Method());
    RR_CHECK(ssl_ != nullptr && bio != nullptr);
    BIO_set_data(bio, this);
    SSL_set_bio(ssl_, bio, bio);
    if (!context_->client()) {
        SSL_set_accept_state(ssl_);
        return;
    }
    SSL_set_connect_state(ssl_);
    if (!host.empty()) {
        Expect(host);
    }
}

TlsSession& TlsSession::Of(ssl_st* ssl) {
    return *static_cast<TlsSession*>(BIO_get_data(SSL_get_rbio(ssl)));
}

void TlsSession::Expect(const std::string& host) {
    std::string name = host;
    if (name.ends_with('.')) {
        name.pop_back();
    }
    X509_VERIFY_PARAM* rules = SSL_get0_param(ssl_);
    X509_VERIFY_PARAM_set_hostflags(
        rules, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // Of `fe80::1%eth0` the certificate knows the front only.
    const std::string number = name.substr(0, name.find('%'));
    if (X509_VERIFY_PARAM_set1_ip_asc(rules, number.c_str()) == 1) {
        return;
    }
    ERR_clear_error();
    // A number is never the name that a client asks for.
    if (name.empty() || X509_VERIFY_PARAM_set1_host(rules, name.data(), name.size()) != 1 ||
        SSL_set_tlsext_host_name(ssl_, name.c_str()) != 1) {
        ERR_clear_error();
        Lose("not the name of a server: " + host);
    }
}

bool TlsSession::begins() const {
    return context_->client() && SSL_get_state(ssl_) == TLS_ST_BEFORE;
}

TlsSession::~TlsSession() {
    if (!failed()) {
        // A socket that was simply closed, as most clients do, is no reason against resuming.
        SSL_set_shutdown(ssl_, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    }
    SSL_free(ssl_);
}

void TlsSession::Feed(Bytes ciphertext) {
    RR_ASSERT(lent_.empty());
    if (last_ == Status::kNeedMore) {
        lent_ = ciphertext;
    }
}

void TlsSession::Keep() {
    kept_.Append(lent_);
    lent_ = {};
    if (kept_.empty()) {
        kept_.Clear(0);
    }
}

size_t TlsSession::TakeInput(char* out, size_t size) {
    if (!kept_.empty()) {
        size = std::min(size, kept_.size());
        std::memcpy(out, kept_.data(), size);
        kept_.Consume(size);
        return size;
    }
    size = std::min(size, lent_.size());
    if (size > 0) {
        std::memcpy(out, lent_.data(), size);
        lent_.remove_prefix(size);
    }
    return size;
}

// What a call that did not succeed means.
TlsSession::Status TlsSession::Judge(int returned) {
    switch (SSL_get_error(ssl_, returned)) {
        case SSL_ERROR_WANT_READ: return Status::kNeedMore;
        case SSL_ERROR_ZERO_RETURN: last_ = Status::kEnd; break;
        default: {
            bool first =
                SSL_get_state(ssl_) == (context_->client() ? TLS_ST_CW_CLNT_HELLO : TLS_ST_BEFORE);
            const unsigned long code = FirstError();
            fault_ = TlsFault(peer(), code, certificate_fault_, first);
            if (first && ERR_GET_REASON(code) == SSL_R_HTTP_REQUEST) {
                wire_.Append(context_->http_answer());
            }
            last_ = Status::kFailed;
        }
    }
    ERR_clear_error();
    // Nothing that follows counts.
    kept_.Clear(0);
    lent_ = {};
    return last_;
}

TlsSession::Status TlsSession::Handshake() {
    if (last_ != Status::kNeedMore) {
        return last_;
    }
    ERR_clear_error();
    int done = SSL_do_handshake(ssl_);
    if (done == 1) {
        answers_ = 0;
        return Status::kData;
    }
    Status status = Judge(done);
    if (status == Status::kEnd) {
        fault_ = "the " + std::string(peer()) + " broke the handshake off";
        last_ = status = Status::kFailed;
    }
    return status;
}

TlsSession::Status TlsSession::Ready() {
    if (last_ != Status::kNeedMore) {
        return last_;
    }
    if (answers_ > kMostAnswers) {
        Lose("the " + std::string(peer()) + " asks for a new handshake again and again");
        return last_;
    }
    if (SSL_pending(ssl_) > 0) {
        return Status::kData;
    }
    ERR_clear_error();
    char first;
    int got = SSL_peek(ssl_, &first, 1);
    return got > 0 ? Status::kData : Judge(got);
}

size_t TlsSession::Read(char* out, size_t size) {
    size_t total = 0;
    while (total < size && last_ == Status::kNeedMore) {
        ERR_clear_error();
        size_t got = 0;
        int done = SSL_read_ex(ssl_, out + total, size - total, &got);
        if (done != 1) {
            Judge(done);
            break;
        }
        total += got;
    }
    return total;
}

bool TlsSession::Write(Bytes plaintext) {
    if (last_ == Status::kFailed) {
        return false;
    }
    if (plaintext.empty()) {
        return true;
    }
    wire_.Reserve(plaintext.size() + (plaintext.size() / kRecord + 1) * kRecordOverhead);
    ERR_clear_error();
    size_t wrote = 0;
    size_t answers = answers_;
    // Whole or not at all: the BIO takes everything.
    if (SSL_write_ex(ssl_, plaintext.data(), plaintext.size(), &wrote) == 1) {
        answers_ = answers;
        return true;
    }
    Judge(0);
    return false;
}

void TlsSession::Lose(std::string_view why) {
    if (!failed()) {
        last_ = Status::kFailed;
        fault_ = why;
        kept_.Clear(0);
        lent_ = {};
    }
}

void TlsSession::Close() {
    if (last_ != Status::kFailed) {
        ERR_clear_error();
        SSL_shutdown(ssl_);
        ERR_clear_error();
    }
}

bool TlsSession::HasInput() const {
    return !kept_.empty() || !lent_.empty() || last_ != Status::kNeedMore || SSL_pending(ssl_) > 0;
}

std::string_view TlsSession::protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_, &name, &size);
    return {reinterpret_cast<const char*>(name), size};
}

}  // namespace rr::net
