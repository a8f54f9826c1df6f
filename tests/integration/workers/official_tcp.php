<?php

declare(strict_types=1);

// A worker made of the official TCP package (spiral/roadrunner-tcp 2.x, 3.x, 4.x), for runs by hand:
// it is not part of the repository and not used by the automatic tests.
//
//   RR_SDK_AUTOLOAD  its autoload file (vendor/autoload.php)
//
// The application of RoadRunner's documentation: servers `smtp` and `server2`, a banner after read() on
// connect, strangers closed. A DATA body `verb text` chooses more: error, silent, size, stream.

$autoload = getenv('RR_SDK_AUTOLOAD');
if ($autoload === false) {
    fwrite(STDERR, "official_tcp.php: RR_SDK_AUTOLOAD names no autoload file\n");
    exit(2);
}
require $autoload;

use Spiral\RoadRunner\Payload;
use Spiral\RoadRunner\Tcp\TcpResponse;
use Spiral\RoadRunner\Tcp\TcpWorker;
use Spiral\RoadRunner\Worker;

$worker = Worker::create();
$tcp = new TcpWorker($worker);
$closing = enum_exists(TcpResponse::class) ? TcpResponse::RespondClose : true; // 2.x has a flag

$facts = static function ($request): array {
    $event = method_exists($request, 'getEvent') ? $request->getEvent() : $request->event;
    return [
        method_exists($request, 'getRemoteAddress') ? $request->getRemoteAddress() : $request->remoteAddr,
        method_exists($request, 'getServer') ? $request->getServer() : $request->server,
        is_string($event) ? $event : $event->value,
        method_exists($request, 'getBody') ? $request->getBody() : $request->body,
    ];
};

while ($request = $tcp->waitRequest()) {
    try {
        [$address, $server, $event, $body] = $facts($request);
        if ($event === 'CONNECTED') {
            if ($address !== '127.0.0.1') {
                $tcp->close();
                continue;
            }
            $tcp->read();
            if ($server === 'smtp') {
                $tcp->respond("220 mail.example ready\r\n");
            }
        } elseif ($event === 'DATA') {
            [$verb, $text] = explode(' ', trim($body) . ' ', 2);
            match (true) {
                $verb === 'silent' => null,
                $verb === 'error' => $worker->error('boom'),
                $verb === 'size' => $tcp->respond(strlen($body) . ' ' . md5($body) . "\r\n"),
                $verb === 'stream' => (static function () use ($worker): void {
                    for ($i = 0; $i < 20; ++$i) {
                        $worker->respond(new Payload("part $i\r\n", 'WRITE', false));
                    }
                    $worker->respond(new Payload('', 'CONTINUE', true));
                })(),
                $server === 'smtp' => $tcp->respond("250 $body"),
                default => $tcp->respond(json_encode(compact('address', 'server', 'body')), $closing),
            };
        } else {
            fwrite(STDERR, "closed by the client: $address\n"); // and no answer
        }
    } catch (Throwable $error) {
        $worker->error((string) $error);
    }
}
