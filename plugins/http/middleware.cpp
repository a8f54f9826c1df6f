#include "plugins/http/middleware.hpp"

#include <algorithm>
#include <cstring>

#include "core/config/nearest.hpp"
#include "plugins/http/canonical.hpp"
#include "plugins/http/response.hpp"

namespace rr::http {

namespace {

// Names whose plugin is there only if it was configured, and by what.
struct Known {
    std::string_view name;
    std::string_view needs;
};
constexpr Known kKnown[] = {
    {"static", "the section http.static"},
    {"headers", "the section http.headers"},
    {"gzip", "a build with the plugin gzip"},
    {"sendfile", "a build with the plugin sendfile"},
    {"proxy_ip_parser", "the key http.trusted_subnets"},
    {"otel", "the section otel"},
    {"rate_limit", "the section http.rate_limit"},
    {"cache", "the section http.cache"},
    // The metrics plugin counts without being asked on the way of a request.
    {"http_metrics", "the section metrics"},
};

constexpr size_t kKeep = 64 * 1024;  // an answer's body that grew beyond is given back

HttpMiddleware* Find(std::string_view name, const std::vector<HttpMiddleware*>& published) {
    auto found = std::find_if(published.begin(), published.end(),
                              [name](HttpMiddleware* m) { return m->middleware_name() == name; });
    return found == published.end() ? nullptr : *found;
}

// Most often there is none.
void EraseNamed(std::vector<AnswerField>& fields, std::string_view name) {
    const auto is_named = [name](const AnswerField& field) {
        return EqualsIgnoreCase(field.name, name);
    };
    for (size_t i = 0; i < fields.size(); ++i) {
        if (is_named(fields[i])) {
            fields.erase(std::remove_if(fields.begin() + static_cast<std::ptrdiff_t>(i),
                                        fields.end(), is_named),
                         fields.end());
            return;
        }
    }
}

}  // namespace

MiddlewareChain SelectMiddleware(const std::vector<std::string>& listed,
                                 const std::vector<HttpMiddleware*>& published) {
    MiddlewareChain chain;
    for (auto name = listed.rbegin(); name != listed.rend(); ++name) {
        HttpMiddleware* found = Find(*name, published);
        if (found != nullptr) {
            chain.push_back(found);
        }
    }
    return chain;
}

std::string MiddlewareWarning(std::string_view listed,
                              const std::vector<HttpMiddleware*>& published) {
    if (Find(listed, published) != nullptr) {
        return {};
    }
    std::vector<std::string_view> known;
    for (HttpMiddleware* middleware : published) {
        known.push_back(middleware->middleware_name());
    }
    for (const Known& each : kKnown) {
        if (each.name == listed) {
            return std::string(listed) + ": does nothing, it needs " + std::string(each.needs);
        }
        known.push_back(each.name);
    }
    std::string text = "requested middleware does not exist: " + std::string(listed);
    std::string_view near = config::Nearest(listed, known);
    if (!near.empty()) {
        text.append("; did you mean ").append(near).append("?");
        return text;
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    for (std::string_view each : known) {
        text.append(each == known.front() ? "; there are " : ", ").append(each);
    }
    return text;
}

// The answer's head as a middleware sees it.
class MiddlewareRun::Editor final : public HttpResponse {
public:
    Editor(MiddlewareRun& run, AnswerDraft& draft) : run_(run), draft_(draft) {}

    int status() const override { return draft_.status; }
    std::string_view Header(std::string_view name) const override {
        for (const AnswerField& field : draft_.fields) {
            if (EqualsIgnoreCase(field.name, name)) {
                return field.value;
            }
        }
        return {};
    }
    size_t headers() const override { return draft_.fields.size(); }
    HttpField header(size_t i) const override {
        return {draft_.fields[i].name, draft_.fields[i].value};
    }
    void SetHeader(std::string_view name, std::string_view value) override {
        const HttpField kept = run_.Copy(name, value);  // both may be views onto the old one
        EraseNamed(draft_.fields, kept.name);
        draft_.fields.push_back({kept.name, kept.value});
    }
    void AddHeader(std::string_view name, std::string_view value) override {
        const HttpField kept = run_.Copy(name, value);
        draft_.fields.push_back({kept.name, kept.value});
    }
    void RemoveHeader(std::string_view name) override { EraseNamed(draft_.fields, name); }

    bool has_body() const override { return draft_.has_body; }
    int64_t body_size() const override { return draft_.body_size; }
    std::string_view body_start() const override { return draft_.body_start; }

    void AddFilter(std::unique_ptr<HttpBodyFilter> filter) override {
        draft_.filters.push_back(std::move(filter));
    }
    void Replace(int status, std::string body, HttpFile file) override {
        draft_.status = status;
        draft_.replaced = true;
        if (!draft_.filters.empty()) {  // what they encoded is gone
            draft_.filters.clear();
            RemoveHeader("Content-Encoding");
        }
        draft_.body = std::move(body);
        draft_.file = std::move(file);
        draft_.body_size = static_cast<int64_t>(draft_.body.size() + draft_.file.size);
        draft_.body_start = draft_.body;
        draft_.has_body = !draft_.head_request && AllowsBody(status) && draft_.body_size > 0;
    }

private:
    MiddlewareRun& run_;
    AnswerDraft& draft_;
};

bool MiddlewareRun::Request(const MiddlewareChain& chain, RequestHead& head, Bytes remote_address,
                            bool debugged) {
    chain_ = &chain;
    debugged_ = debugged;
    kept_.resize(chain.size());
    head_ = &head;
    remote_address_ = remote_address;
    for (passed_ = 0; passed_ < chain.size(); ++passed_) {
        current_ = passed_;
        ClearAnswer();  // the one before may have begun one and thought better of it
        if (!chain[passed_]->OnRequest(*this, answer_)) {
            answered_ = true;
            return false;
        }
    }
    return true;
}

void MiddlewareRun::Response(AnswerDraft& draft) {
    Editor editor(*this, draft);
    for (size_t i = passed_; i-- > 0;) {
        current_ = i;
        (*chain_)[i]->OnResponse(*this, editor);
    }
}

void MiddlewareRun::Finished(const HttpOutcome& outcome) {
    if (chain_ == nullptr) {
        return;
    }
    for (size_t i = std::min(passed_ + (answered_ ? 1 : 0), chain_->size()); i-- > 0;) {
        current_ = i;
        (*chain_)[i]->OnFinished(*this, outcome);
    }
}

void MiddlewareRun::Reset() {
    for (Kept& kept : kept_) {
        kept = Kept();
    }
    used_ = 0;
    more_.release();
    chain_ = nullptr;
    passed_ = 0;
    head_ = nullptr;
    remote_address_ = {};
    moved_ = false;
    answered_ = false;
    if (answer_.body.capacity() > kKeep) {
        answer_.body = std::string();
    }
    answer_.pieces.clear();  // files are not kept open
    attributes_.clear();
}

void MiddlewareRun::ClearAnswer() {
    if (answer_.status == 200 && answer_.headers.empty() && answer_.body.empty() &&
        answer_.pieces.empty()) {
        return;
    }
    answer_.status = 200;
    answer_.headers.Clear();
    answer_.body.clear();
    answer_.pieces.clear();
}

HttpField MiddlewareRun::header(size_t i) const {
    return {head_->fields[i].name, head_->fields[i].value};
}

void MiddlewareRun::SetHeader(std::string_view name, std::string_view value) {
    const HttpField kept = Copy(name, value);  // both may be views onto what goes now
    const HeaderField field = MakeField(kept.name, kept.value);
    head_->Remove(field.name, field.hash);
    head_->fields.push_back(field);
    if (field.id == HeaderId::kHost) {
        head_->host = field.value;
    }
}

void MiddlewareRun::AddHeader(std::string_view name, std::string_view value) {
    const HttpField kept = Copy(name, value);
    const HeaderField field = MakeField(kept.name, kept.value);
    if (field.id == HeaderId::kHost) {  // there is one
        head_->Remove(field.name, field.hash);
        head_->host = field.value;
    }
    head_->fields.push_back(field);
}

void MiddlewareRun::RemoveHeader(std::string_view name) {
    const HeaderField field = MakeField(name, {});
    head_->Remove(name, field.hash);
    if (field.id == HeaderId::kHost) {
        head_->host = {};
    }
}

void MiddlewareRun::SetAttribute(std::string_view name, std::string_view value) {
    for (ContextAttribute& attribute : attributes_) {
        if (attribute.name == name) {
            attribute.value = Copy(value);
            return;
        }
    }
    Bytes kept = Copy(name);
    attributes_.push_back({kept, Copy(value)});
}

void MiddlewareRun::SetRemoteAddress(std::string_view text) {
    remote_address_ = Copy(text);
    moved_ = true;
}

char* MiddlewareRun::Room(size_t size) {
    if (size > first_.size() - used_) {
        return static_cast<char*>(more_.allocate(size, 1));
    }
    char* const room = first_.data() + used_;
    used_ += size;
    return room;
}

Bytes MiddlewareRun::Copy(std::string_view text) {
    if (text.empty()) {
        return {};
    }
    char* const memory = Room(text.size());
    std::memcpy(memory, text.data(), text.size());
    return {memory, text.size()};
}

HttpField MiddlewareRun::Copy(std::string_view name, std::string_view value) {
    char* const memory = Room(name.size() + value.size());
    name.copy(memory, name.size());
    value.copy(memory + name.size(), value.size());
    return {{memory, name.size()}, {memory + name.size(), value.size()}};
}

}  // namespace rr::http
