<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Handles the events of the tcp plugin.
 *
 *     (new TcpWorker())
 *         ->onConnect(fn (TcpEvent $e) => "220 ready\r\n")
 *         ->onData(fn (TcpEvent $e) => "you said $e->body", server: 'smtp')
 *         ->serve();
 *
 * or an object whose methods carry #[TcpOn(...)]: (new TcpWorker())->serve(new Chat()); or, with the
 * loop in your own hands, waitEvent(), write(), writeClose(), close(), read(), stream(), fail().
 *
 * An event may be answered several times, or not at all: the connection then waits for its next
 * message. Consecutive events of a connection may reach different workers.
 */
final class TcpWorker
{
    private const EVENTS = [TcpEvent::CONNECTED, TcpEvent::DATA, TcpEvent::CLOSE];

    private Worker $worker;
    /** @var array<string, array<string, callable>> event, then server ('': any) */
    private array $handlers = [];

    public function __construct(?Worker $worker = null)
    {
        $this->worker = $worker ?? Worker::create();
    }

    /**
     * What a handler returns: a string is written; null does nothing; a TcpReply says what else; of
     * anything iterable each string is written as it comes.
     *
     * @param callable(TcpEvent, self): (string|TcpReply|iterable<string>|null) $handler
     * @param string $server '' for all that have none of their own
     */
    public function on(string $event, callable $handler, string $server = ''): self
    {
        if (!\in_array($event, self::EVENTS, true)) {
            throw new \LogicException("there is no event $event; there are "
                . implode(', ', self::EVENTS));
        }
        $this->handlers[$event][strtolower($server)] = $handler;
        return $this;
    }

    public function onConnect(callable $handler, string $server = ''): self
    {
        return $this->on(TcpEvent::CONNECTED, $handler, $server);
    }

    public function onData(callable $handler, string $server = ''): self
    {
        return $this->on(TcpEvent::DATA, $handler, $server);
    }

    public function onClose(callable $handler, string $server = ''): self
    {
        return $this->on(TcpEvent::CLOSE, $handler, $server);
    }

    /** Registers the methods of an object that carry #[TcpOn]. */
    public function register(object $object): self
    {
        $found = false;
        foreach ((new \ReflectionObject($object))->getMethods() as $method) {
            foreach ($method->getAttributes(TcpOn::class) as $attribute) {
                $on = $attribute->newInstance();
                $this->on($on->event, $method->getClosure($object), $on->server);
                $found = true;
            }
        }
        if (!$found) { // most likely the file does not import it
            throw new \LogicException('no method of ' . $object::class . ' carries #[\\'
                . TcpOn::class . ']');
        }
        return $this;
    }

    /**
     * Hands each event to its handler until the server says stop. What a handler throws becomes an
     * error answer, which closes the connection, and a text on stderr; the worker goes on.
     */
    public function serve(?object $handlers = null): void
    {
        if ($handlers !== null) {
            $this->register($handlers);
        }
        if ($this->handlers === []) {
            throw new \LogicException('serve() without a handler for any event');
        }
        while (($event = $this->waitEvent()) !== null) {
            $of = $this->handlers[$event->event] ?? [];
            $handler = $of[$event->server] ?? $of[''] ?? null;
            if ($handler === null) {
                continue;
            }
            try {
                $this->answer($handler($event, $this));
            } catch (\Throwable $error) {
                $this->fail($error);
            }
            $event = $error = null; // nothing of it is kept while we wait
        }
    }

    /** Waits for an event; null when the worker has to end. */
    public function waitEvent(): ?TcpEvent
    {
        $worker = $this->worker;
        if (!$worker->receive()) {
            return null;
        }
        $worker->settle();
        $context = json_decode($worker->context, true);
        $event = new TcpEvent(
            (string) ($context['event'] ?? ''),
            (string) ($context['server'] ?? ''),
            (string) ($context['uuid'] ?? ''),
            (string) ($context['remote_addr'] ?? ''),
            $worker->body,
        );
        $worker->context = $worker->body = ''; // a large body lives as long as the event does
        return $event;
    }

    /** Writes to the client of the event in hand. */
    public function write(string $bytes): void
    {
        $this->worker->reply($bytes, 'WRITE');
    }

    /** Writes, and then closes the connection. */
    public function writeClose(string $bytes): void
    {
        $this->worker->reply($bytes, 'WRITECLOSE');
    }

    public function close(): void
    {
        $this->worker->reply('', 'CLOSE');
    }

    /** Waits for the next message of this connection, as without any reply. */
    public function read(): void
    {
        $this->worker->reply('', 'CONTINUE');
    }

    /**
     * Writes piece by piece, each as it comes (UDP: each is a datagram). False: the client left
     * before the end.
     *
     * @param iterable<string|\Stringable> $pieces
     */
    public function stream(iterable $pieces): bool
    {
        $this->worker->open = true;
        return $this->worker->stream($pieces, 'WRITE', end: 'CONTINUE');
    }

    /** Closes the connection with an error for the server's log; the whole story to stderr. */
    public function fail(\Throwable $error): void
    {
        $this->worker->open = true;
        $this->worker->fail($error);
    }

    public function worker(): Worker
    {
        return $this->worker;
    }

    private function answer(mixed $answer): void
    {
        if ($answer === null) {
            return;
        }
        if ($answer instanceof TcpReply) {
            $this->worker->reply($answer->body, $answer->verb);
        } elseif (is_iterable($answer)) {
            $this->stream($answer);
        } else {
            $this->write((string) $answer);
        }
    }
}
