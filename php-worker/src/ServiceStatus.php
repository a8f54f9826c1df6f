<?php

declare(strict_types=1);

namespace Rr\Worker;

/** One process of a service. */
final class ServiceStatus
{
    /** @param string $error why nothing is known of it: it has ended, for instance; empty: it runs */
    public function __construct(
        public readonly int $pid,
        public readonly string $command,
        public readonly int $memoryUsage,
        public readonly float $cpuPercent,
        public readonly string $error,
    ) {
    }
}
