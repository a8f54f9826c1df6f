<?php

declare(strict_types=1);

namespace Rr\Worker;

/** What a handler may return instead of a string. */
final class TcpReply
{
    private function __construct(public readonly string $verb, public readonly string $body)
    {
    }

    public static function write(string $bytes): self
    {
        return new self('WRITE', $bytes);
    }

    /** The last words: written, then the connection is closed. */
    public static function writeClose(string $bytes): self
    {
        return new self('WRITECLOSE', $bytes);
    }

    public static function close(): self
    {
        return new self('CLOSE', '');
    }

    /** Goes on reading, which is also what happens without any reply. */
    public static function continue(): self
    {
        return new self('CONTINUE', '');
    }
}
