<?php

declare(strict_types=1);

// A chat: what one client says, all others read. Any worker may get any line: who is there knows the
// server, which the workers ask over RPC.

use Rr\Worker\Rpc;
use Rr\Worker\TcpClients;
use Rr\Worker\TcpEvent;
use Rr\Worker\TcpOn;
use Rr\Worker\TcpReply;
use Rr\Worker\TcpWorker;

require __DIR__ . '/../../../php-worker/autoload.php';

final class Chat
{
    private const ROOM = 'chat';

    public function __construct(private TcpClients $clients)
    {
    }

    #[TcpOn(TcpEvent::CONNECTED, server: self::ROOM)]
    public function join(TcpEvent $event): string
    {
        $this->tellOthers($event, "* $event->remoteAddr joined");
        return "* welcome; /who lists who is here, /quit leaves\n";
    }

    #[TcpOn(TcpEvent::DATA, server: self::ROOM)]
    public function line(TcpEvent $event): string|TcpReply|null
    {
        $line = rtrim($event->body, "\r\n");
        if ($line === '/quit') {
            return TcpReply::writeClose("* bye\n");
        }
        if ($line === '/who') {
            $names = array_column($this->clients->list(self::ROOM), 'remote_addr');
            return '* ' . implode(', ', $names) . "\n";
        }
        $this->tellOthers($event, "<$event->remoteAddr> $line");
        return null; // an event needs no answer
    }

    #[TcpOn(TcpEvent::CLOSE, server: self::ROOM)]
    public function leave(TcpEvent $event): void
    {
        $this->tellOthers($event, "* $event->remoteAddr left");
    }

    private function tellOthers(TcpEvent $from, string $text): void
    {
        foreach ($this->clients->list(self::ROOM) as $client) {
            if ($client['uuid'] !== $from->uuid) {
                try {
                    $this->clients->write($client['uuid'], "$text\n");
                } catch (\Rr\Worker\ServiceException) {
                    // has left meanwhile, or does not read
                }
            }
        }
    }
}

(new TcpWorker())->serve(new Chat(new TcpClients(Rpc::create())));
