<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * What Lock, Metrics and the other wrappers call the server with: Rpc (one connection) or RpcPool
 * (several).
 */
interface RpcClient
{
    /**
     * Calls Service.Method with a JSON argument and returns the decoded result.
     *
     * @param ?float $timeout seconds for this call; null: the client's own
     * @throws ServiceException the server's own error
     * @throws TimeoutException no answer in time; the server may still carry the call out
     * @throws RelayException no server, or it left during the call
     */
    public function call(string $method, mixed $argument = null, ?float $timeout = null): mixed;

    /** The same with bytes both ways: Frame::RAW, PROTO, MSGPACK, GOB, JSON. */
    public function callRaw(
        string $method,
        string $argument = '',
        int $codec = Frame::RAW,
        ?float $timeout = null,
    ): string;

    /** Seconds that a call may take; null: as long as it wants. */
    public function timeout(): ?float;
}
