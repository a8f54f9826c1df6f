// A plugin of your own: a switch that closes the site while you deploy, and opens it on new workers.
//
// Read from top to bottom; each part stands alone, and what you do not need you leave out:
//
//   Gate          an HTTP middleware and an event listener: runs on a data loop
//   Maintenance   the plugin: its section of .rr.yaml, its RPC methods, other plugins' services
//   Make          what rr looks for
#include <atomic>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/api/container.hpp"
#include "core/api/events.hpp"
#include "core/api/http_middleware.hpp"
#include "core/api/plugin.hpp"
#include "core/api/resettable.hpp"
#include "core/api/rpc.hpp"
#include "core/api/worker_group.hpp"
#include "core/config/config.hpp"

namespace rr::maintenance {
namespace {

// Gate: what happens to requests.
//
// Thread: OnRequest, OnResponse and Count on a data loop, the rest on the main loop. So everything
//         that changes is atomic, and everything else is constant once the plugin was initialised.
class Gate final : public HttpMiddleware {
public:
    explicit Gate(std::string text) : text_(std::move(text)) {}

    // For the main loop.
    void Close() { closed_ = true; }
    void Open() { closed_ = false; }
    bool closed() const { return closed_; }
    uint64_t visits() const { return visits_; }
    uint64_t refused() const { return refused_; }
    uint64_t failures() const { return failures_; }

    // What the user lists in `http.middleware`.
    std::string_view middleware_name() const override { return "maintenance"; }

    // The head of a request has come. True: go on to the worker; false: `answer` is sent instead.
    bool OnRequest(HttpRequest& request, HttpAnswer& answer) override {
        if (closed_) {
            ++refused_;
            answer.status = 503;
            answer.headers.Add("Retry-After", "10");
            answer.headers.Add("Content-Type", "text/plain; charset=utf-8");
            answer.body = text_ + "\n";
            return false;
        }
        // PHP finds it among the request's attributes.
        request.SetAttribute("visit", std::to_string(++visits_));
        return true;
    }

    // The head of an answer is about to be written.
    void OnResponse(const HttpRequest&, HttpResponse& response) override {
        response.SetHeader("X-Site", "open");
    }

    // A request is done.
    void Count(const RequestEvent& event) {
        if (event.phase == RequestPhase::kFinished && event.status >= 500) {
            ++failures_;
        }
    }

private:
    const std::string text_;
    std::atomic<bool> closed_{false};
    std::atomic<uint64_t> visits_{0};
    std::atomic<uint64_t> refused_{0};
    std::atomic<uint64_t> failures_{0};
};

// What `maintenance.Status` answers: in JSON an object with these names.
constexpr RpcField kStatusFields[] = {
    {.name = "closed", .long_name = "Closed", .kind = RpcKind::kBool},
    {.name = "visits", .long_name = "Visits", .kind = RpcKind::kUint},
    {.name = "refused", .long_name = "Refused", .kind = RpcKind::kUint},
    {.name = "failures", .long_name = "Failures", .kind = RpcKind::kUint},
    {.name = "workers", .long_name = "Workers", .kind = RpcKind::kUint},
};
constexpr RpcShape kStatus{.name = "MaintenanceStatus", .fields = kStatusFields};

// Maintenance: the plugin itself.
//
// Thread: main, all of it. Nothing here may block.
class Maintenance final : public Plugin, public RpcService {
public:
    // First call. Reads the section, offers services, listens for events; starts nothing yet.
    // False: the plugin stays off, which is no error.
    Result<bool> Init(config::Config& config, Container& container) override {
        config::Section section = config.Get("maintenance");
        if (!section) {
            return false;
        }
        std::string text = section.String("text", "We will be back in a minute.");
        if (text.empty()) {
            section.Problem("text", "must not be empty");  // `.rr.yaml:7: maintenance.text: ...`
        }
        container_ = &container;
        log_ = container.Log("maintenance");
        gate_ = std::make_unique<Gate>(std::move(text));
        container.Publish<HttpMiddleware>(*gate_);
        container.Publish<RpcService>(*this);
        container.Events().request.Subscribe(
            [this](const RequestEvent& event) { gate_->Count(event); });
        return true;
    }

    // Second call: every plugin was initialised, so all services can be looked up.
    void Serve(Callback<void(Result<void>)> served) override {
        for (Resettable* each : container_->Each<Resettable>()) {
            if (each->reset_name() == "http") {
                workers_ = each;
            }
        }
        for (WorkerGroup* each : container_->Each<WorkerGroup>()) {
            if (each->group_name() == "http") {
                group_ = each;
            }
        }
        container_->Announce("maintenance: the site is open");  // a line of the start banner
        served({});
    }

    // Last call, with nothing to release. Requests may come to the gate until http has stopped too.
    void Stop(Deadline, Callback<void()> done) override { done(); }

    // Methods for PHP: `maintenance.Close`, `maintenance.Open`, `maintenance.Status`.
    std::string_view rpc_name() const override { return "maintenance"; }
    void Describe(std::vector<RpcMethod>& methods) override {
        methods.push_back({"Close", RpcType::Nothing(), RpcType::Bool(),
                           [this](const RpcArgument&, RpcReply reply) {
                               gate_->Close();
                               log_.Info("the site is closed");
                               reply.Send(true);
                           }});
        methods.push_back({"Open", RpcType::Nothing(), RpcType::Bool(),
                           [this](const RpcArgument&, RpcReply reply) { Open(std::move(reply)); }});
        methods.push_back({"Status", RpcType::Nothing(), RpcType::Struct(kStatus),
                           [this](const RpcArgument&, RpcReply reply) { reply.Send(Status()); }});
    }

private:
    // Opens the site once new workers, with the deployed code, are ready. The reply is kept until
    // then; other calls go on meanwhile.
    void Open(RpcReply reply) {
        if (workers_ == nullptr) {  // a worker may call while it boots, before our Serve
            reply.Fail("maintenance_open: the server is starting");
            return;
        }
        workers_->Reset([this, kept = std::move(reply)](Result<void> done) mutable {
            if (!done) {
                kept.Fail("maintenance_open: the site stays closed: " + done.error().message);
                return;
            }
            gate_->Open();
            log_.Info("the site is open");
            kept.Send(true);
        });
    }

    // The values stand in the order of kStatusFields.
    RpcValue Status() const {
        const GroupPulse* pulse = group_ == nullptr ? nullptr : group_->pulse();
        return RpcValue::List{gate_->closed(), gate_->visits(), gate_->refused(), gate_->failures(),
                              uint64_t{pulse == nullptr ? 0U : pulse->total.load()}};
    }

    Container* container_ = nullptr;
    log::Logger log_;
    std::unique_ptr<Gate> gate_;
    Resettable* workers_ = nullptr;  // http's, from Serve on; it is there, as we require http
    WorkerGroup* group_ = nullptr;   // the same
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<Maintenance>(); }

}  // namespace rr::maintenance
