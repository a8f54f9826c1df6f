#include "core/rpc/calls.hpp"

#include <utility>

namespace rr::rpc {
namespace {

void WriteError(Caller& caller, const AnswerHead& head, std::string_view text) {
    if (Buffer* out = caller.AnswerBuffer()) {
        AnswerWriter(*out, head).Fail(text);
        caller.OnAnswered();
    }
}

void WriteAnswer(Caller& caller, const AnswerHead& head, const RpcType& type,
                 const MethodResult& result) {
    Buffer* out = caller.AnswerBuffer();
    if (out == nullptr) {
        return;
    }
    std::string problem;
    AnswerWriter writer(*out, head);
    Codec codec = head.codec;
    if (!result.Encode(codec, type, *out, problem)) {
        writer.Fail(problem);
    } else if (!writer.End(codec)) {
        writer.Fail("the answer is longer than a frame can be");
    }
    caller.OnAnswered();
}

}  // namespace

// One call that runs. Linked into the list of its caller and of its Calls, while they live.
class Call final : public RpcCall {
public:
    void Begin(Calls& calls, Caller& caller, const Request& request, Methods::Entry& entry) {
        calls_ = &calls;
        head_ = {request.dialect, request.answer_codec, request.id, entry.full_name};
        type_ = entry.method.result;
        all_.Link(calls.running_, this, &Call::all_);
        caller_ = &caller;
        own_.Link(caller.call_list(), this, &Call::own_);
    }

    void Answer(const RpcValue& value) override { Finish(MethodResult(value)); }
    void AnswerMessage(const google::protobuf::MessageLite& message) override {
        Finish(MethodResult(message));
    }
    void AnswerBytes(Bytes bytes) override { Finish(MethodResult(bytes)); }
    void AnswerError(std::string_view text) override {
        if (Caller* caller = Leave()) {
            WriteError(*caller, head_, text);
        }
        End();
    }

    // The caller wants no answer of the method any more. Returns it, null if that was so before.
    Caller* Leave() {
        Caller* caller = std::exchange(caller_, nullptr);
        if (caller != nullptr) {
            own_.Unlink(caller->call_list(), &Call::own_);
        }
        return caller;
    }

    // The Calls die; the names that they borrowed die with them.
    void Orphan() {
        Leave();
        all_.Unlink(calls_->running_, &Call::all_);
        calls_ = nullptr;
    }

    const AnswerHead& head() const { return head_; }

private:
    struct Links {
        void Link(CallList& list, Call* self, Links Call::* which) {
            before = nullptr;
            after = list.first;
            if (after != nullptr) {
                (after->*which).before = self;
            }
            list.first = self;
            ++list.size;
        }
        void Unlink(CallList& list, Links Call::* which) {
            if (after != nullptr) {
                (after->*which).before = before;
            }
            (before != nullptr ? (before->*which).after : list.first) = after;
            before = after = nullptr;
            --list.size;
        }
        Call* before = nullptr;
        Call* after = nullptr;
    };

    void Finish(const MethodResult& result) {
        if (Caller* caller = Leave()) {
            WriteAnswer(*caller, head_, type_, result);
        }
        End();
    }

    void End() {
        if (calls_ == nullptr) {
            delete this;  // nobody else knows it any more
            return;
        }
        all_.Unlink(calls_->running_, &Call::all_);
        std::exchange(calls_, nullptr)->GiveBack(*this);
    }

    Calls* calls_ = nullptr;
    Caller* caller_ = nullptr;
    AnswerHead head_;
    RpcType type_;
    Links all_;
    Links own_;
};

void Caller::FailCalls(std::string_view text) {
    while (calls_.first != nullptr) {
        Call& call = *calls_.first;
        call.Leave();
        WriteError(*this, call.head(), text);
    }
}

void Caller::ForgetCalls() {
    while (calls_.first != nullptr) {
        calls_.first->Leave();
    }
}

Calls::Calls(Methods& methods) : methods_(methods) {}

Calls::~Calls() {
    while (running_.first != nullptr) {
        running_.first->Orphan();
    }
}

void Calls::Run(const Request& request, Caller& caller) {
    AnswerHead head{request.dialect, request.answer_codec, request.id, request.method};
    Methods::Entry* entry = methods_.Find(request.method);
    if (entry == nullptr) {
        WriteError(caller, head, methods_.Missing(request.method));
        return;
    }
    if (caller.running() >= kMostRunning) {
        WriteError(caller, head, "rpc: too many calls of one connection are waiting");
        return;
    }
    std::string problem;
    if (!argument_.Decode(request, entry->method.argument, problem)) {
        WriteError(caller, head, problem);
        return;
    }
    Call& call = Take();
    call.Begin(*this, caller, request, *entry);
    entry->method.call(argument_.view(), RpcReply(call));
    argument_.Clear();
}

Call& Calls::Take() {
    if (spare_.empty()) {
        return *new Call;
    }
    Call& call = *spare_.back().release();
    spare_.pop_back();
    return call;
}

void Calls::GiveBack(Call& call) {
    std::unique_ptr<Call> owned(&call);
    if (spare_.size() < kSpare) {
        spare_.push_back(std::move(owned));
    }
}

}  // namespace rr::rpc
