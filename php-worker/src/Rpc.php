<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Calls services of the server: Goridge v3 RPC over one connection, one call at a time.
 *
 *     $rpc = Rpc::create();
 *     $workers = $rpc->call('informer.Workers', 'http');
 *
 * Connects at the first call, and again at the next one after the server has gone. A call that
 * fails in between is not repeated: the server may have carried it out.
 */
final class Rpc implements RpcClient
{
    private ?RpcConnection $connection = null;

    private function __construct(private string $address, private ?float $timeout)
    {
    }

    /**
     * @param ?string $address tcp://host:port or unix://path; null: RR_RPC, else the usual port
     * @param ?float $timeout seconds that a call may take; null: as long as it wants
     */
    public static function create(?string $address = null, ?float $timeout = null): self
    {
        return new self($address ?? Relay::env('RR_RPC') ?? 'tcp://127.0.0.1:6001', $timeout);
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
        if ($this->connection === null || RpcConnection::usable([$this->connection]) === []) {
            $this->connection = null;
            $this->connection = RpcConnection::open($this->address, $until);
        }
        return $this->connection->take(
            $this->connection->send($method, $argument, $codec, $until), $until);
    }

    public function timeout(): ?float
    {
        return $this->timeout;
    }

    public function close(): void
    {
        $this->connection?->close();
        $this->connection = null;
    }
}
