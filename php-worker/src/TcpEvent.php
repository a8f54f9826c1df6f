<?php

declare(strict_types=1);

namespace Rr\Worker;

/** What happened on a connection, or a datagram: UDP has DATA alone, with a uuid for each. */
final class TcpEvent
{
    public const CONNECTED = 'CONNECTED';
    public const DATA = 'DATA';
    public const CLOSE = 'CLOSE';

    public function __construct(
        public readonly string $event,
        public readonly string $server,
        public readonly string $uuid,
        /** `127.0.0.1:40000`, or without the port where the server says `remote_addr: host`. */
        public readonly string $remoteAddr,
        /** Of DATA: the message, its delimiter or length included. */
        public readonly string $body,
    ) {
    }
}
