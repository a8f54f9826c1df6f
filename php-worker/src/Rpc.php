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
final class Rpc
{
    private ?Relay $relay = null;
    private int $sequence = 0;

    private function __construct(private string $address)
    {
    }

    /** @param ?string $address tcp://host:port or unix://path; null: RR_RPC, else the usual port */
    public static function create(?string $address = null): self
    {
        return new self($address ?? Relay::env('RR_RPC') ?? 'tcp://127.0.0.1:6001');
    }

    /**
     * Calls Service.Method with a JSON argument and returns the decoded result.
     *
     * @throws ServiceException the server's own error
     * @throws RelayException no server, or it left during the call
     */
    public function call(string $method, mixed $argument = null): mixed
    {
        $json = json_encode($argument, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES
            | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);
        $result = $this->exchange($method, $json, Frame::JSON);
        return $result === '' ? null : json_decode($result, true, 512, JSON_THROW_ON_ERROR);
    }

    /** The same with bytes both ways, for services that speak another format. */
    public function callRaw(string $method, string $argument = '', int $codec = Frame::RAW): string
    {
        return $this->exchange($method, $argument, $codec);
    }

    public function close(): void
    {
        $this->relay?->close();
        $this->relay = null;
    }

    private function exchange(string $method, string $argument, int $codec): string
    {
        // Nothing may come between two calls: bytes here are the end of the connection.
        if ($this->relay?->pending()) {
            $this->close();
        }
        $this->relay ??= Relay::connect($this->address);
        $this->sequence = $this->sequence + 1 & 0xffffffff;
        $frame = Frame::encode($codec, $method . $argument, [$this->sequence, \strlen($method)]);
        $reply = $this->relay->write($frame) ? $this->relay->read(1) : null;
        if ($reply === null) {
            $this->close();
            throw new RelayException("$method: the server closed the connection");
        }
        [$flags, , $options, , $result] = $reply;
        if (($options[0] ?? null) !== $this->sequence) {
            $this->close();
            throw new RelayException("$method: the server answered another call");
        }
        if ($flags & Frame::ERROR) {
            throw new ServiceException($result);
        }
        return $result;
    }
}
