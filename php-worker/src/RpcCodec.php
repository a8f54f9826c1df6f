<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Arguments and results in JSON.
 *
 * @internal Rpc and RpcPool
 */
final class RpcCodec
{
    public static function encode(mixed $argument): string
    {
        return json_encode($argument, JSON_THROW_ON_ERROR | JSON_UNESCAPED_SLASHES
            | JSON_UNESCAPED_UNICODE | JSON_PRESERVE_ZERO_FRACTION);
    }

    public static function decode(string $result): mixed
    {
        return $result === '' ? null : json_decode($result, true, 512, JSON_THROW_ON_ERROR);
    }

    /** The moment at which a call that begins now has taken too long. */
    public static function until(?float $timeout): ?float
    {
        return $timeout === null ? null : RpcConnection::now() + $timeout;
    }
}
