// Container: where plugins meet. Holds what they published and the loops they run on.
//
// Thread: main. Publish and Get in Init, Each in Serve; afterwards immutable.
#pragma once

#include <string_view>
#include <typeindex>
#include <vector>

#include "core/api/events.hpp"
#include "core/base/loop.hpp"
#include "core/base/result.hpp"
#include "core/log/logger.hpp"

namespace rr {

class Container {
public:
    // The control plane: signals, process spawning, plugin calls. No data traffic.
    virtual Loop& MainLoop() = 0;
    // The loops that carry connections and worker pipes (http.loops of them, at least one).
    virtual Loop& DataLoop(size_t index = 0) = 0;
    virtual size_t DataLoops() const = 0;

    virtual log::Logger Log(std::string_view name) = 0;
    virtual EventBus& Events() = 0;

    // A failure after Serve: logged, then an orderly stop of everything, exit code 1.
    virtual void Fail(std::string_view plugin, Error error) = 0;

    // Ends the server as the first SIGTERM does.
    virtual void RequestStop() = 0;

    // True from the moment a stop was asked for.
    virtual bool draining() const = 0;

    // Lines for the start banner, in order: what is served where.
    virtual void Announce(std::string_view line) = 0;

    // Offers `object` to others under the interface T.
    template <class T>
    void Publish(T& object) {
        PublishAs(typeid(T), &object);
    }
    // The one object published as T; null if there is none.
    template <class T>
    T* Get() {
        auto all = Find(typeid(T));
        return all.empty() ? nullptr : static_cast<T*>(all.front());
    }
    // Every object published as T, in plugin order.
    template <class T>
    std::vector<T*> Each() {
        std::vector<T*> typed;
        for (void* object : Find(typeid(T))) {
            typed.push_back(static_cast<T*>(object));
        }
        return typed;
    }

protected:
    ~Container() = default;
    virtual void PublishAs(std::type_index type, void* object) = 0;
    virtual std::vector<void*> Find(std::type_index type) = 0;
};

}  // namespace rr
