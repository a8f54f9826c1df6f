// FcgiConnection: one gateway's FastCGI conversation, as a responder: requests one after the other.
//
// A second request beside one that is not answered yet is refused (CANT_MPX_CONN), and so are other
// roles. While a request waits or runs, reading goes on: an abort, or a gateway that goes, ends the
// wait for a worker and stops a stream.
//
// Thread: its loop. An idle one holds no buffer.
// Owns:   its stream and its request. The server owns it, and deletes it in Remove.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/base/bytes.hpp"
#include "core/base/loop.hpp"
#include "core/net/stream.hpp"
#include "plugins/http/client.hpp"
#include "plugins/http/fcgi_records.hpp"
#include "plugins/http/fcgi_request.hpp"

namespace rr::http {

class HttpServer;

class FcgiConnection final : public Client, private net::StreamHandler, private Flushable {
public:
    FcgiConnection(HttpServer& server, std::unique_ptr<net::Stream> stream);
    ~FcgiConnection() override;

    // Client
    void Start() override;
    const std::string& peer() const override { return peer_; }
    void OnTimeout() override;
    void OnTick(int64_t now_ms, int64_t write_ms) override;

    // For its request.
    HttpServer& server() const { return server_; }
    void Await(Wait what);
    // Nothing more of the body until there is room.
    void DiskIsFull();
    void DiskHasRoom();
    void ResumeLater();
    size_t queued() const { return stream_->queued(); }
    void SendStdout(uint16_t id, Bytes bytes);
    void EndRequest(AnswerEnd end);

private:
    static constexpr size_t kControlMost = 1024;      // of a record that is not a request's stream
    static constexpr size_t kQueueMost = 512 * 1024;  // above, nothing is read

    // net::StreamHandler
    std::span<char> OnReadBuffer() override;
    void OnData(size_t size) override;
    void OnClosed(net::CloseReason reason) override;
    void OnDrained() override;
    // Flushable
    void OnTurnEnd() override;

    void Read(Bytes in);
    void OnContent(Bytes content);
    void OnRecordEnd();
    void OnBegin();
    void OnGetValues();
    void Reject(FcgiEnd why);
    bool IsRequests() const;
    void Fail(Bytes reason);
    void Linger();
    void ContinueReading();
    void GiveBackOutput();

    HttpServer& server_;
    std::unique_ptr<net::Stream> stream_;
    const std::string peer_;
    FcgiReader reader_;
    FcgiRequest request_;
    std::string control_;     // content of the record at hand
    bool keep_ = false;       // FCGI_KEEP_CONN of the request at hand
    bool full_ = false;       // the disk is: nothing is read
    bool eof_ = false;        // the gateway has sent its last byte
    bool lingering_ = false;  // the last answer is out or on its way; input is dropped
    bool failed_ = false;     // about to be removed
    size_t dropped_ = 0;      // while lingering
    WriteWatch write_watch_;
};

}  // namespace rr::http
