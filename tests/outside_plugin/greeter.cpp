#include <string>
#include <utility>

#include "core/api/container.hpp"
#include "core/config/config.hpp"
#include "plugin.hpp"

namespace rr::greeter {
namespace {

// Greeter: announces `greeter.text` in the start banner.
//
// Thread: main.
class Greeter final : public Plugin {
public:
    Result<bool> Init(config::Config& config, Container& container) override {
        config::Section section = config.Get("greeter");
        if (!section) {
            return false;
        }
        text_ = section.String("text", "hello");
        container_ = &container;
        return true;
    }

    void Serve(Callback<void(Result<void>)> served) override {
        container_->Announce("greeter: " + text_);
        served({});
    }

    void Stop(Deadline, Callback<void()> done) override { done(); }

private:
    Container* container_ = nullptr;
    std::string text_;
};

}  // namespace

std::unique_ptr<Plugin> Make() { return std::make_unique<Greeter>(); }

}  // namespace rr::greeter
