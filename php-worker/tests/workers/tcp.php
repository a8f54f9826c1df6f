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
            case 'nothing':
                return [];
            case 'half':
                return (static function (): Generator {
                    yield 'half';
                    throw new RuntimeException('thrown in the middle');
                })();
            case 'endless':
                return (static function (): Generator {
                    try {
                        for ($i = 0; ; ++$i) {
                            yield "piece $i";
                            usleep(1000);
                        }
                    } finally {
                        fwrite(STDERR, "the generator ended\n");
                    }
                })();
            case 'exit':
                exit(3);
        }
        return $event->body;
    }
}

/** The loop in one's own hands. */
function loop(TcpWorker $tcp): void
{
    while ($event = $tcp->waitEvent()) {
        match ($event->event . ' ' . $event->body) {
            'CONNECTED ' => [$tcp->read(), $tcp->write("220 ready\r\n")],
            'DATA quit' => $tcp->writeClose('bye'),
            'DATA stranger' => $tcp->close(),
            'DATA stream' => $tcp->stream(['a', '', 'b']),
            'DATA fail' => $tcp->fail(new RuntimeException('failed by hand')),
            default => null,
        };
    }
}

/** Mistakes in what is registered: 'no error', or what the exception says. */
function mistake(TcpWorker $tcp, string $which): string
{
    try {
        match ($which) {
            'event' => $tcp->on('CLOSED', strlen(...)),
            'object' => $tcp->serve(new ArrayObject()),
            'nothing' => $tcp->serve(),
        };
    } catch (LogicException $error) {
        return $error->getMessage();
    }
    return 'no error';
}

$tcp = new TcpWorker();
if (($which = getenv('MISTAKE')) !== false) {
    fwrite(STDERR, mistake($tcp, $which));
    exit;
}
if (getenv('LOOP') === '1') {
    loop($tcp);
    exit;
}
$tcp->onData(static fn (TcpEvent $event): string => 'closure: ' . $event->body, server: 'closure');
$tcp->serve(new Handlers());
