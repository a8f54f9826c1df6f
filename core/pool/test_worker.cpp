// A worker for pool_test: a real process that speaks Goridge v3 over its standard pipes. The body
// of a request says what to do:
//   echo TEXT | pid | sleep MS TEXT | exit CODE | kill | error TEXT | double | garbage | replace
//   stream N | hang (never answers, obeys nothing) | count (bytes received)
// For events, which may be answered otherwise than once:
//   none | times N | streams N (of three chunks each) | oops (answer, two errors, answer)
//   leave (answers, then exits) | return (answers, then asks to be replaced)
//   unended (a stream without its end) | flow (the same, and obeys nothing) | options (one too many)
//   swallow N (a stream with a PING that eats N frames of ours before its end)
// It reads a frame's header with one call, as SDKs do: one that comes in pieces is its end.
// Environment: BOOT_EXIT=CODE ends it at once, BOOT_SILENT=1 never answers the handshake,
// NUMBERED=1 negotiates request numbers, STUBBORN=1 ignores the stop command, V2=1 speaks Goridge v2
// and echoes (a v3 frame is its end, as of workers of RoadRunner 1.x). RR_RELAY=tcp://... or
// unix://... makes it connect instead of using its pipes.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <string>

#include "relay/frame.hpp"
#include "relay/frame_v2.hpp"

namespace {

using rr::relay::FrameHeader;

bool ReadAll(char* out, size_t size) {
    while (size > 0) {
        ssize_t got = read(0, out, size);
        if (got <= 0) {
            return false;
        }
        out += got;
        size -= static_cast<size_t>(got);
    }
    return true;
}

struct Request {
    FrameHeader header;
    std::string payload;
};

bool ReadRequest(Request& r) {
    std::string head(rr::relay::kFrameBase, '\0');
    ssize_t got = read(0, head.data(), head.size());
    if (got != static_cast<ssize_t>(head.size())) {
        if (got > 0) {
            fprintf(stderr, "a header in pieces\n");
            exit(9);
        }
        return false;
    }
    size_t options = (static_cast<unsigned char>(head[0]) & 0x0f) - 3;
    head.resize(head.size() + 4 * options);
    if (!ReadAll(head.data() + rr::relay::kFrameBase, 4 * options)) {
        return false;
    }
    rr::relay::ScanFrameHeader(head, UINT32_MAX, r.header);
    r.payload.resize(r.header.payload);
    return ReadAll(r.payload.data(), r.payload.size());
}

bool numbered = false;
uint32_t number = 0;

void Answer(const std::string& context, const std::string& body, uint8_t flags = 0,
            uint8_t stream = 0) {
    FrameHeader h;
    h.flags = flags;
    h.stream = stream;
    bool control = (flags & rr::relay::flag::kControl) != 0;
    h.options = control ? 0 : numbered ? 2 : 1;
    h.option[0] = static_cast<uint32_t>(context.size());
    h.option[1] = number;
    h.payload = static_cast<uint32_t>(context.size() + body.size());
    std::string frame(h.size(), '\0');
    rr::relay::EncodeFrameHeader(h, frame.data());
    frame += context + body;
    for (size_t done = 0; done < frame.size();) {
        ssize_t put = write(1, frame.data() + done, frame.size() - done);
        if (put <= 0) {
            exit(3);
        }
        done += static_cast<size_t>(put);
    }
}

void Obey(const std::string& body) {
    std::string verb = body.substr(0, body.find(' '));
    std::string rest = body.size() > verb.size() ? body.substr(verb.size() + 1) : "";
    const std::string context = "{\"status\":200}";
    if (verb == "echo") {
        Answer(context, rest);
    } else if (verb == "pid") {
        Answer(context, std::to_string(getpid()));
    } else if (verb == "sleep") {
        usleep(static_cast<useconds_t>(atoi(rest.c_str())) * 1000);
        Answer(context, rest);
    } else if (verb == "exit") {
        exit(atoi(rest.c_str()));
    } else if (verb == "kill") {
        raise(SIGKILL);
    } else if (verb == "error") {
        Answer("", rest, rr::relay::flag::kError);
    } else if (verb == "double") {
        Answer(context, "first");
        Answer(context, "second");
    } else if (verb == "late") {
        // The second answer comes when the next request is on its way already.
        Answer(context, "first");
        usleep(static_cast<useconds_t>(atoi(rest.c_str())) * 1000);
        Answer(context, "second");
    } else if (verb == "cut") {
        if (write(1, "\x14\x00\x13\x00\x00\x00\x5f\x19\x29\x6b\x00", 11) != 11) {
            exit(3);
        }
        raise(SIGKILL);
    } else if (verb == "garbage") {
        if (write(1, "Warning: this is no frame at all\n", 33) != 33) {
            exit(3);
        }
        Answer(context, "late");
    } else if (verb == "replace") {
        Answer("{\"stop\":true}", "");
    } else if (verb == "stream") {
        for (int i = 0; i < atoi(rest.c_str()); ++i) {
            Answer(i == 0 ? context : "", "chunk", 0, rr::relay::stream::kStream);
        }
        Answer("", "end");
    } else if (verb == "none") {
        return;
    } else if (verb == "times") {
        for (int i = 0; i < atoi(rest.c_str()); ++i) {
            Answer(context, std::to_string(i));
        }
    } else if (verb == "streams") {
        for (int i = 0; i < atoi(rest.c_str()); ++i) {
            for (int chunk = 0; chunk < 3; ++chunk) {
                Answer(chunk == 0 ? context : "", "c", 0, rr::relay::stream::kStream);
            }
            Answer("", "e");
        }
    } else if (verb == "oops") {
        Answer(context, "before");
        Answer("", "the first", rr::relay::flag::kError);
        Answer("", "the second", rr::relay::flag::kError);
        Answer(context, "after");
    } else if (verb == "leave") {
        Answer(context, "bye");
        exit(3);
    } else if (verb == "return") {
        Answer(context, "one");
        Answer("{\"stop\":true}", "");
    } else if (verb == "unended" || verb == "flow") {
        Answer(context, "c", 0, rr::relay::stream::kStream);
        while (verb == "flow") {
            pause();
        }
    } else if (verb == "swallow") {
        Answer(context, "c", 0, rr::relay::stream::kStream | rr::relay::stream::kPing);
        Request eaten;
        for (int i = 0; i < atoi(rest.c_str()); ++i) {
            ReadRequest(eaten);
        }
        Answer("", "e");
    } else if (verb == "options") {
        numbered = !numbered;
        Answer(context, "x");
        numbered = !numbered;
    } else if (verb == "hang") {
        while (true) {
            pause();
        }
    } else if (verb == "big") {
        Answer(context, std::string(static_cast<size_t>(atoi(rest.c_str())), 'b'));
    } else {
        Answer(context, std::to_string(body.size()));
    }
}

// Goridge v2: two messages a request and two an answer.
int ServeV2() {
    namespace v2 = rr::relay::v2;
    auto answer = [](uint8_t flags, const std::string& text) {
        std::string message(v2::kPrefixSize, '\0');
        v2::EncodePrefix({flags, text.size()}, message.data());
        message += text;
        return write(1, message.data(), message.size()) == static_cast<ssize_t>(message.size());
    };
    std::string head(v2::kPrefixSize, '\0');
    while (ReadAll(head.data(), head.size())) {
        v2::Prefix prefix;
        if (v2::ScanPrefix(head, UINT32_MAX, prefix) != v2::Scan::kPrefix) {
            fprintf(stderr, "invalid prefix\n");
            return 255;
        }
        std::string text(prefix.payload, '\0');
        if (!ReadAll(text.data(), text.size())) {
            return 0;
        }
        bool control = prefix.flags == v2::flag::kControl;
        if (control && text.find("stop") != std::string::npos) {
            return 0;
        }
        if (control) {
            answer(v2::flag::kControl, "{\"pid\":" + std::to_string(getpid()) + "}");
        } else if (prefix.flags == 0) {
            answer(v2::flag::kControl | v2::flag::kRaw, "{\"status\":200}");
            answer(0, text);
        }
    }
    return 0;
}

// Puts a connection where the pipes would be.
bool Connect(const std::string& relay) {
    int fd = -1;
    int status = -1;
    if (relay.rfind("unix://", 0) == 0) {
        sockaddr_un to{};
        to.sun_family = AF_UNIX;
        strncpy(to.sun_path, relay.c_str() + 7, sizeof(to.sun_path) - 1);
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
        status = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
    } else {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(static_cast<uint16_t>(atoi(relay.c_str() + relay.rfind(':') + 1)));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        fd = socket(AF_INET, SOCK_STREAM, 0);
        status = connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
    }
    return status == 0 && dup2(fd, 0) == 0 && dup2(fd, 1) == 1;
}

}  // namespace

int main() {
    std::string relay = getenv("RR_RELAY") != nullptr ? getenv("RR_RELAY") : "pipes";
    if (relay != "pipes" && !Connect(relay)) {
        return 5;
    }
    if (const char* code = getenv("BOOT_EXIT")) {
        fprintf(stderr, "cannot start: something is missing\n");
        return atoi(code);
    }
    if (getenv("OTHER_GROUP") != nullptr) {
        setpgid(0, getpgid(getppid()));
    }
    if (getenv("V2") != nullptr) {
        return ServeV2();
    }
    bool stubborn = getenv("STUBBORN") != nullptr;
    bool negotiates = getenv("NUMBERED") != nullptr;
    Request r;
    while (ReadRequest(r)) {
        if ((r.header.flags & rr::relay::flag::kControl) != 0) {
            if (r.payload.find("stop") != std::string::npos) {
                if (stubborn) {
                    continue;
                }
                return 0;
            }
            if (getenv("BOOT_SILENT") != nullptr) {
                continue;
            }
            Answer("", "{\"pid\":" + std::to_string(getpid()) + (negotiates ? ",\"rr\":1}" : "}"),
                   rr::relay::flag::kControl);
            numbered = negotiates;
            continue;
        }
        if (r.header.options == 0) {
            continue;  // STOP or PONG that came late
        }
        number = r.header.option[1];
        Obey(r.payload.substr(r.header.option[0]));
    }
    return 0;
}
