<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Several connections to the server, and many calls in flight on them.
 *
 *     $pool = RpcPool::create(connections: 10);
 *     $pool->callIgnoreResponse('metrics.Add', ['name' => 'hits', 'value' => 1, 'labels' => []]);
 *     $calls = array_map(fn ($name) => $pool->callAsync('informer.Workers', $name), ['http', 'jobs']);
 *     foreach ($pool->getResponses($calls) as $call => $workers) { ... }   // as they come
 *
 * Each call goes to the connection with the fewest calls in flight; connections are opened when
 * they are needed, and anew after the server has gone. An answer is kept until it is asked for, or
 * forgotten: every callAsync() wants its getResponse() or forget().
 */
final class RpcPool implements RpcClient
{
    /** @var list<RpcConnection> */
    private array $connections = [];
    /** @var array<int, array{RpcConnection, int, bool}> connection, number there, JSON */
    private array $calls = [];
    private int $last = 0;

    private function __construct(
        private string $address,
        private int $most,
        private ?float $timeout,
    ) {
        if ($most < 1) {
            throw new \InvalidArgumentException("RpcPool of $most connections: at least 1");
        }
    }

    /** @see Rpc::create() */
    public static function create(
        ?string $address = null,
        int $connections = 10,
        ?float $timeout = null,
    ): self {
        return new self($address ?? Relay::env('RR_RPC') ?? 'tcp://127.0.0.1:6001', $connections,
            $timeout);
    }

    public function call(string $method, mixed $argument = null, ?float $timeout = null): mixed
    {
        return RpcCodec::decode(
            $this->callRaw($method, RpcCodec::encode($argument), Frame::JSON, $timeout));
    }

    public function callRaw(
        string $method,
        string $argument = '',
        int $codec = Frame::RAW,
        ?float $timeout = null,
    ): string {
        $until = RpcCodec::until($timeout ?? $this->timeout);
        $connection = $this->connection($until);
        return $connection->take($connection->send($method, $argument, $codec, $until), $until);
    }

    /** Sends a call and returns; its answer, an error too, is dropped when it comes. */
    public function callIgnoreResponse(string $method, mixed $argument = null): void
    {
        $this->callRawIgnoreResponse($method, RpcCodec::encode($argument), Frame::JSON);
    }

    public function callRawIgnoreResponse(
        string $method,
        string $argument = '',
        int $codec = Frame::RAW,
    ): void {
        $until = RpcCodec::until($this->timeout);
        $this->connection($until)->send($method, $argument, $codec, $until, true);
    }

    /** Sends a call and returns; the name under which getResponse() knows it. */
    public function callAsync(string $method, mixed $argument = null): int
    {
        return $this->start($method, RpcCodec::encode($argument), Frame::JSON, true);
    }

    public function callRawAsync(
        string $method,
        string $argument = '',
        int $codec = Frame::RAW,
    ): int {
        return $this->start($method, $argument, $codec, false);
    }

    /** True if getResponse() would not wait. */
    public function hasResponse(int $call): bool
    {
        [$connection, $number] = $this->calls[$call] ?? $this->unknown($call);
        $connection->read();
        return $connection->has($number);
    }

    /**
     * @param list<int> $calls
     * @return list<int> those of them for which getResponse() would not wait
     */
    public function hasResponses(array $calls): array
    {
        return array_values(array_filter($calls, $this->hasResponse(...)));
    }

    /**
     * Waits for the answer to a call of callAsync() or callRawAsync(); to be asked for once.
     *
     * @throws ServiceException
     * @throws TimeoutException the call is forgotten then
     * @throws RelayException
     */
    public function getResponse(int $call, ?float $timeout = null): mixed
    {
        [$connection, $number, $json] = $this->calls[$call] ?? $this->unknown($call);
        unset($this->calls[$call]);
        $result = $connection->take($number, RpcCodec::until($timeout ?? $this->timeout));
        return $json ? RpcCodec::decode($result) : $result;
    }

    /**
     * Answers in the order in which they come, each under the name of its call. The first failed one
     * throws; the others can be asked for all the same.
     *
     * @param list<int> $calls
     * @return \Generator<int, mixed>
     */
    public function getResponses(array $calls, ?float $timeout = null): \Generator
    {
        $until = RpcCodec::until($timeout ?? $this->timeout);
        $left = array_combine($calls, $calls);
        while ($left !== []) {
            foreach ($this->hasResponses(array_values($left)) as $call) {
                unset($left[$call]);
                yield $call => $this->getResponse($call);
            }
            if ($left !== [] && $this->hasResponses(array_values($left)) === []) {
                $this->wait($left, $until);
            }
        }
    }

    /** The answer to a call of callAsync() is not wanted any more. */
    public function forget(int $call): void
    {
        if (isset($this->calls[$call])) {
            [$connection, $number] = $this->calls[$call];
            $connection->forget($number);
            unset($this->calls[$call]);
        }
    }

    public function timeout(): ?float
    {
        return $this->timeout;
    }

    /** Closes all connections; calls in flight fail. */
    public function close(): void
    {
        foreach ($this->connections as $connection) {
            $connection->close();
        }
        $this->connections = [];
    }

    private function start(string $method, string $argument, int $codec, bool $json): int
    {
        $until = RpcCodec::until($this->timeout);
        $connection = $this->connection($until);
        $number = $connection->send($method, $argument, $codec, $until);
        $this->calls[++$this->last] = [$connection, $number, $json];
        return $this->last;
    }

    /** The one with the fewest calls in flight, or a new one. */
    private function connection(?float $until): RpcConnection
    {
        // Reads, too: answers that nobody waits for must not fill the server's queue.
        $this->connections = RpcConnection::usable($this->connections);
        $best = null;
        foreach ($this->connections as $connection) {
            if ($best === null || $connection->load() < $best->load()) {
                $best = $connection;
            }
        }
        if ($best === null
            || ($best->load() > 0 && \count($this->connections) < $this->most)) {
            $best = RpcConnection::open($this->address, $until);
            $this->connections[] = $best;
        }
        return $best;
    }

    /** Waits until something can be read on a connection of these calls. */
    private function wait(array $calls, ?float $until): void
    {
        $read = [];
        foreach ($calls as $call) {
            $socket = $this->calls[$call][0]->socket();
            $read[(int) $socket] = $socket;
        }
        $none = null;
        $left = $until === null ? null : max(0.0, $until - RpcConnection::now());
        $ready = @stream_select($read, $none, $none, $left === null ? null : (int) $left,
            $left === null ? null : (int) (fmod($left, 1.0) * 1e6));
        if (!$ready && $until !== null && RpcConnection::now() >= $until) {
            array_map($this->forget(...), $calls);
            throw new TimeoutException('no answer from the server in time to '
                . \count($calls) . ' of the calls');
        }
    }

    private function unknown(int $call): never
    {
        throw new \LogicException("call $call is not known: its answer was taken, or forgotten");
    }
}
