#include "plugins/app/app_service.hpp"

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "app_logger.pb.h"

using namespace rr;
using namespace rr::app;

namespace {

class Recorder final : public log::Channel {
public:
    Recorder() { SetLevel(log::Level::kDebug); }
    void Write(log::Level level, std::string_view message, const log::Field* fields,
               size_t count) override {
        text += "DIWE"[static_cast<int>(level)];
        text.append(" ").append(message);
        for (size_t i = 0; i < count; ++i) {
            text.append(" ").append(fields[i].key).append("=");
            text.append(std::get<std::string_view>(fields[i].value));
        }
        text += "\n";
    }
    std::string text;
};

class Text final : public log::Output {
public:
    Result<void> Write(std::string_view more) override {
        text += more;
        return {};
    }
    std::string text;  // of the helper thread, until Finish
};

class Call final : public RpcCall {
public:
    void Answer(const RpcValue& value) override { answer = value.flag() ? "true" : "false"; }
    void AnswerMessage(const google::protobuf::MessageLite&) override { FAIL("no message"); }
    void AnswerBytes(Bytes bytes) override { answer = "bytes " + std::to_string(bytes.size()); }
    void AnswerError(std::string_view text) override { answer = std::string(text); }
    std::string answer;
};

class Server {
public:
    Server() : service(log::Logger(&recorder), errors) { service.Describe(methods); }

    std::string Send(std::string_view name, Bytes bytes) {
        for (RpcMethod& method : methods) {
            if (method.name == name) {
                RpcArgument argument;
                argument.bytes = bytes;
                Call call;
                method.call(argument, RpcReply(call));
                return call.answer;
            }
        }
        return "no such method";
    }
    std::string Errors() {
        bool done = false;
        errors.Finish([&] { done = true; });
        REQUIRE(loop.RunUntil([&] { return done; }));
        return output->text;
    }

    Loop loop{"main"};
    Recorder recorder;
    std::shared_ptr<Text> output = std::make_shared<Text>();
    ErrorStream errors{loop, {}, output};
    AppService service;
    std::vector<RpcMethod> methods;
};

std::string Entry(const char* message,
                  const std::vector<std::pair<const char*, const char*>>& attributes) {
    ::applogger::v1::LogEntry entry;
    entry.set_message(message);
    for (const auto& [key, value] : attributes) {
        auto* added = entry.add_log_attrs();
        added->set_key(key);
        added->set_value(value);
    }
    return entry.SerializeAsString();
}

}  // namespace

TEST_CASE("app: a text becomes a record of its level, and the answer is false as RoadRunner's") {
    Server server;
    REQUIRE(server.service.rpc_name() == "app");
    REQUIRE(server.Send("Error", "e") == "false");
    REQUIRE(server.Send("Warning", "w") == "false");
    REQUIRE(server.Send("Info", "i") == "false");
    REQUIRE(server.Send("Debug", "d") == "false");
    REQUIRE(server.recorder.text == "E e\nW w\nI i\nD d\n");
    REQUIRE(server.Send("Emergency", "x") == "no such method");
}

TEST_CASE("app: attributes become fields, as text and in order") {
    Server server;
    REQUIRE(server.Send("ErrorWithContext", Entry("m", {{"a", "1"}, {"b", "x y"}})) == "bytes 0");
    REQUIRE(server.Send("WarningWithContext", Entry("m", {})) == "bytes 0");
    REQUIRE(server.Send("InfoWithContext", Entry("", {{"", ""}})) == "bytes 0");
    REQUIRE(server.Send("DebugWithContext", "") == "bytes 0");
    REQUIRE(server.recorder.text == "E m a=1 b=x y\nW m\nI  =\nD \n");
}

TEST_CASE("app: Log and LogWithContext go to standard error, to the last character") {
    Server server;
    REQUIRE(server.Send("Log", "plain\n") == "false");
    REQUIRE(server.Send("LogWithContext", Entry("m", {{"k", "v"}, {"k2", "v2"}})) == "bytes 0");
    REQUIRE(server.Send("LogWithContext", Entry("\nalone", {})) == "bytes 0");
    REQUIRE(server.Errors() == "plain\nm k:v,k2:v2\nalone");
    REQUIRE(server.recorder.text.empty());
}

TEST_CASE("app: what is no message is refused") {
    Server server;
    REQUIRE(server.Send("InfoWithContext", "\x0a\x05x") ==
            "goridge_read_request_body: proto: cannot parse invalid wire-format data");
    REQUIRE(server.recorder.text.empty());
}
