<?php

declare(strict_types=1);

// The worker of TcpWorkerTest.

use Rr\Worker\TcpEvent;
use Rr\Worker\TcpOn;
use Rr\Worker\TcpReply;
use Rr\Worker\TcpWorker;

require __DIR__ . '/../../autoload.php';

final class Handlers
{
    #[TcpOn(TcpEvent::CONNECTED)]
    public function hello(TcpEvent $event): string
    {
        return "hello from $event->server\r\n";
    }

    #[TcpOn(TcpEvent::DATA, server: 'Facts')]
    public function facts(TcpEvent $event): string
    {
        return json_encode([$event->event, $event->server, $event->uuid, $event->remoteAddr,
            $event->body]);
    }

    #[TcpOn(TcpEvent::DATA)]
    public function data(TcpEvent $event, TcpWorker $tcp): mixed
    {
        switch ($event->body) {
            case 'silent':
                return null;
            case 'twice':
                $tcp->write('first');
                return 'second';
            case 'last':
                return TcpReply::writeClose('bye');
            case 'close':
                return TcpReply::close();
            case 'continue':
                return TcpReply::continue();
            case 'stream':
                return ['a', 'b', 'c'];
            case 'throw':
                throw new RuntimeException('thrown by the handler');
            case 'exit':
                exit(3);
        }
        return $event->body;
    }
}

$tcp = new TcpWorker();
$tcp->onData(static fn (TcpEvent $event): string => 'closure: ' . $event->body, server: 'closure');
$tcp->serve(new Handlers());
