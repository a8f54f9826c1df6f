<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * One connection to the server's RPC port: sends calls, collects answers in whatever order they
 * come. Calls are known by their sequence number.
 *
 * The socket does not block: a call waits at most until the moment it names, and while the server
 * takes a large request what it answers meanwhile is read.
 *
 * @internal Rpc and RpcPool
 */
final class RpcConnection
{
    private const READ_SIZE = 65536;
    private const ATTEMPTS = 20;
    private const CONNECT_SECONDS = 5.0;

    private string $buffer = '';
    private int $sequence = 0;
    /** @var array<int, string> method of each call that has no answer yet */
    private array $waiting = [];
    /** @var array<int, true> calls whose answer nobody wants */
    private array $ignored = [];
    /** @var array<int, array{int, string, string}> flags, body, method: answers nobody took yet */
    private array $answers = [];
    /** Why the connection cannot be used any more; empty: it can. */
    private string $broken = '';

    /** @param resource $socket */
    private function __construct(private $socket)
    {
    }

    /** Connects to tcp://host:port or unix://path, trying again for a moment if nobody listens. */
    public static function open(string $address, ?float $until = null): self
    {
        if (!preg_match('~^(?:tcp://.+:\d+|unix://.+)$~i', $address)) {
            throw new RelayException("RPC address '$address': expected tcp://host:port or"
                . ' unix://path');
        }
        $context = stream_context_create(['socket' => ['tcp_nodelay' => true]]);
        $pause = 1000;
        for ($attempt = 1;; ++$attempt) {
            $seconds = self::CONNECT_SECONDS;
            if ($until !== null) {
                $seconds = max(0.001, min($seconds, $until - self::now()));
            }
            $socket = @stream_socket_client($address, $code, $message, $seconds,
                STREAM_CLIENT_CONNECT, $context);
            if ($socket !== false) {
                stream_set_blocking($socket, false);
                stream_set_read_buffer($socket, 0);
                stream_set_write_buffer($socket, 0);
                return new self($socket);
            }
            if ($attempt === self::ATTEMPTS || ($until !== null && self::now() >= $until)) {
                throw new RelayException("RPC address '$address': $message");
            }
            usleep($pause);
            $pause = min($pause * 2, 100_000);
        }
    }

    public static function now(): float
    {
        return hrtime(true) / 1e9;
    }

    /**
     * Reads what has come on any of them, without waiting, and returns those that can still be used.
     *
     * @param list<self> $connections
     * @return list<self>
     */
    public static function usable(array $connections): array
    {
        $read = [];
        foreach ($connections as $i => $connection) {
            if ($connection->broken === '') {
                $read[$i] = $connection->socket;
            }
        }
        $none = null;
        if ($read !== [] && @stream_select($read, $none, $none, 0)) {
            foreach ($read as $i => $_) {
                $connections[$i]->read();
            }
        }
        foreach ($connections as $i => $connection) {
            if ($connection->broken !== '') {
                unset($connections[$i]);
            }
        }
        return array_values($connections);
    }

    /** Calls without an answer. */
    public function load(): int
    {
        return \count($this->waiting);
    }

    /** @return resource */
    public function socket()
    {
        return $this->socket;
    }

    /** Sends a call; its sequence number. $ignore: the answer is dropped when it comes. */
    public function send(
        string $method,
        string $argument,
        int $codec,
        ?float $until = null,
        bool $ignore = false,
    ): int {
        $this->sequence = $this->sequence % 0xffffffff + 1;
        while (isset($this->waiting[$this->sequence]) || isset($this->answers[$this->sequence])) {
            $this->sequence = $this->sequence % 0xffffffff + 1;
        }
        $number = $this->sequence;
        $frame = Frame::encode($codec, $method . $argument, [$number, \strlen($method)]);
        $this->waiting[$number] = $method;
        if ($ignore) {
            $this->ignored[$number] = true;
        }
        $sent = @fwrite($this->socket, $frame);
        if ($sent !== \strlen($frame)) {
            $this->writeRest($frame, (int) $sent, $method, $until);
        }
        return $number;
    }

    /** True if the answer is here (or will never come): take() returns (or throws) at once. */
    public function has(int $number): bool
    {
        return isset($this->answers[$number]) || $this->broken !== '';
    }

    /** Waits for an answer and takes it. */
    public function take(int $number, ?float $until = null): string
    {
        while (!isset($this->answers[$number])) {
            $method = $this->waiting[$number] ?? null;
            if ($method === null) {
                throw new \LogicException("call $number has no answer: it was taken, or forgotten");
            }
            if ($this->broken !== '') {
                $this->forget($number);
                throw new RelayException("$method: $this->broken");
            }
            if (!$this->wait($until)) {
                $this->forget($number);
                throw new TimeoutException("$method: no answer from the server in time");
            }
            $this->read();
        }
        [$flags, $body, $method] = $this->answers[$number];
        unset($this->answers[$number]);
        if ($flags & Frame::ERROR) {
            throw new ServiceException($method, $body);
        }
        return $body;
    }

    /** Drops the answer to a call when it comes. */
    public function forget(int $number): void
    {
        unset($this->answers[$number]);
        if ($this->broken !== '') {
            unset($this->waiting[$number]);
        } elseif (isset($this->waiting[$number])) {
            $this->ignored[$number] = true;
        }
    }

    /** Reads what has come, without waiting. */
    public function read(): void
    {
        while ($this->broken === '') {
            $bytes = @fread($this->socket, self::READ_SIZE);
            if ($bytes === '' || $bytes === false) {
                if (feof($this->socket)) {
                    $this->fail('the server closed the connection');
                }
                return;
            }
            $this->buffer .= $bytes;
            $this->parse();
            if (\strlen($bytes) < self::READ_SIZE) {
                return;
            }
        }
    }

    public function close(): void
    {
        $this->fail('the connection was closed');
    }

    /** Waits until there is something to read; false: not in time. */
    private function wait(?float $until): bool
    {
        do {
            $read = [$this->socket];
            $none = null;
            $left = $until === null ? null : max(0.0, $until - self::now());
            // A signal ends it early.
            $ready = @stream_select($read, $none, $none, $left === null ? null : (int) $left,
                $left === null ? null : (int) (fmod($left, 1.0) * 1e6));
            if ($ready) {
                return true;
            }
        } while ($until === null || self::now() < $until);
        return false;
    }

    private function writeRest(string $frame, int $at, string $method, ?float $until): void
    {
        while ($at < \strlen($frame)) {
            $read = [$this->socket];
            $write = [$this->socket];
            $none = null;
            $left = $until === null ? 60.0 : max(0.0, $until - self::now());
            $ready = @stream_select($read, $write, $none, (int) $left,
                (int) (fmod($left, 1.0) * 1e6));
            if ($read !== []) {
                $this->read();
            }
            $sent = $ready && $write !== [] && $this->broken === ''
                ? @fwrite($this->socket, substr($frame, $at, 1 << 20)) : 0;
            if ($this->broken === '' && $ready && $write !== [] && !$sent) {
                $this->fail('the server closed the connection');
            }
            if ($this->broken !== '') {
                throw new RelayException("$method: $this->broken");
            }
            if (!$sent && $until !== null && self::now() >= $until) {
                // Half a request cannot be taken back.
                $this->fail('a request was not taken by the server in time');
                throw new TimeoutException("$method: $this->broken");
            }
            $at += (int) $sent;
        }
    }

    private function parse(): void
    {
        $at = 0;
        $end = \strlen($this->buffer);
        while ($end - $at >= 12) {
            $head = unpack('Cwords/Cflags/Vlength/Vcrc/Cstream', $this->buffer, $at);
            $words = $head['words'] & 0x0f;
            if ($head['crc'] !== crc32(substr($this->buffer, $at, 6)) || $words !== 5) {
                $this->fail('the server sent bytes that are no RPC frame: '
                    . bin2hex(substr($this->buffer, $at, 12)));
                return;
            }
            if ($end - $at < 20 + $head['length']) {
                break;
            }
            [, $number, $name] = unpack('V2', $this->buffer, $at + 12);
            $method = $this->waiting[$number] ?? null;
            if ($method === null || $name > $head['length']) {
                $this->fail("the server answered a call that was not made: number $number");
                return;
            }
            if (isset($this->ignored[$number])) {
                unset($this->ignored[$number]);
            } else {
                $this->answers[$number] = [$head['flags'],
                    substr($this->buffer, $at + 20 + $name, $head['length'] - $name), $method];
            }
            unset($this->waiting[$number]);
            $at += 20 + $head['length'];
        }
        if ($at > 0) {
            $this->buffer = substr($this->buffer, $at);
        }
    }

    private function fail(string $why): void
    {
        if ($this->broken === '') {
            $this->broken = $why;
            $this->buffer = '';
            foreach ($this->ignored as $number => $_) {
                unset($this->waiting[$number]);
            }
            $this->ignored = [];
            if (\is_resource($this->socket)) {
                fclose($this->socket);
            }
        }
    }
}
