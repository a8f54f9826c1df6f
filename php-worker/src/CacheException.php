<?php

declare(strict_types=1);

namespace Rr\Worker;

// PSR-16's interface where it is installed (psr/simple-cache 1 to 3), none where it is not.
if (interface_exists(\Psr\SimpleCache\CacheException::class)) {
    /** @internal */
    interface CacheExceptionContract extends \Psr\SimpleCache\CacheException
    {
    }
} else {
    /** @internal */
    interface CacheExceptionContract
    {
    }
}

/** The server refused a call of a Cache or was not there, or a value cannot be serialized. */
final class CacheException extends \RuntimeException implements CacheExceptionContract
{
}
