<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * The Goridge v3 frame: 12 bytes of header, options of 4 bytes each, payload.
 *
 *     0  version 1 << 4 | header length in words     6  crc32 of bytes 0..5
 *     1  flags                                      10  stream flags
 *     2  payload length                             11  reserved
 *
 * All integers are little-endian. Only the encoder is here: the decoder reads from a stream and
 * therefore lives in Relay.
 */
final class Frame
{
    public const CONTROL = 0x01;
    public const RAW = 0x04;
    public const JSON = 0x08;
    public const MSGPACK = 0x10;
    public const GOB = 0x20;
    public const ERROR = 0x40;
    public const PROTO = 0x80;

    /** Stream flags: worker to server. */
    public const STREAM = 0x01;
    public const PING = 0x04;
    /** Stream flags: server to worker. */
    public const STOP = 0x02;
    public const PONG = 0x08;

    /** @param list<int> $options at most ten */
    public static function encode(
        int $flags,
        string $payload,
        array $options = [],
        int $stream = 0,
    ): string {
        $head = pack('CCV', 0x13 + \count($options), $flags, \strlen($payload));
        return $head . pack('VCx', crc32($head), $stream)
            . ($options === [] ? '' : pack('V*', ...$options)) . $payload;
    }
}
