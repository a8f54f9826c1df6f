#include "plugins/app/error_stream.hpp"

#include <utility>

namespace rr::app {

ErrorStream::ErrorStream(Loop& loop, log::Logger log, std::shared_ptr<log::Output> output)
    : LoopBound(loop), log_(log), output_(std::move(output)) {}

void ErrorStream::Write(std::string_view text) {
    AssertInLoop();
    if (!waiting_.empty() && waiting_.size() + text.size() > kMost) {
        ++dropped_;
        return;
    }
    waiting_ += text;
    if (!writing_) {
        Next();
    }
}

void ErrorStream::Finish(Callback<void()> written) {
    AssertInLoop();
    finished_ = std::move(written);
    if (!writing_) {
        loop_.Post([this] { finished_(); });
    }
}

void ErrorStream::Next() {
    if (dropped_ > 0) {
        log_.Warn("texts for standard error were dropped, it is not read fast enough",
                  {{"count", dropped_}});
        dropped_ = 0;
    }
    writing_ = !waiting_.empty();
    if (!writing_) {
        if (finished_) {
            finished_();
        }
        return;
    }
    auto text = std::make_shared<const std::string>(std::exchange(waiting_, {}));
    loop_.Offload(
        [output = output_, text] {
            // Where to say that standard error does not take text? Nowhere.
            static_cast<void>(output->Write(*text).has_value());
        },
        [this] { Next(); });
}

}  // namespace rr::app
