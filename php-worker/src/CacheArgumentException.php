<?php

declare(strict_types=1);

namespace Rr\Worker;

// PSR-16's interface where it is installed (psr/simple-cache 1 to 3), none where it is not.
if (interface_exists(\Psr\SimpleCache\InvalidArgumentException::class)) {
    /** @internal */
    interface CacheArgumentContract extends \Psr\SimpleCache\InvalidArgumentException
    {
    }
} else {
    /** @internal */
    interface CacheArgumentContract
    {
    }
}

/** A key or a time that PSR-16 does not allow; nothing was sent. */
final class CacheArgumentException extends \InvalidArgumentException implements
    CacheArgumentContract
{
}
