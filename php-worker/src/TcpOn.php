<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Marks a method as the handler of an event, of one server or of all:
 *
 *     #[TcpOn(TcpEvent::DATA, server: 'chat')]
 *     public function line(TcpEvent $event): string
 */
#[\Attribute(\Attribute::TARGET_METHOD | \Attribute::IS_REPEATABLE)]
final class TcpOn
{
    public function __construct(public readonly string $event, public readonly string $server = '')
    {
    }
}
