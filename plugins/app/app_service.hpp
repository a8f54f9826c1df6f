// AppService: the RPC methods app.{Error, Warning, Info, Debug, Log}, each also WithContext: PHP
// code writes into the server's log, under the name `app`, or to standard error.
//
// Thread: the main loop. Borrows the stream.
// Fails:  through the reply, if a message is no protobuf.
#pragma once

#include <string_view>
#include <vector>

#include "core/api/rpc.hpp"
#include "core/log/logger.hpp"
#include "plugins/app/error_stream.hpp"

namespace rr::app {

class AppService final : public RpcService {
public:
    AppService(log::Logger log, ErrorStream& errors) : log_(log), errors_(errors) {}

    std::string_view rpc_name() const override { return "app"; }
    void Describe(std::vector<RpcMethod>& methods) override;

private:
    void AddLevel(std::vector<RpcMethod>& methods, std::string_view name,
                  std::string_view with_context, log::Level level);

    const log::Logger log_;
    ErrorStream& errors_;
};

}  // namespace rr::app
