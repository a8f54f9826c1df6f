<?php

declare(strict_types=1);

namespace Rr\Worker;

/** One worker process of a pool. */
final class WorkerInfo
{
    /**
     * @param string $status `ready`, `working`, ...
     * @param int $created unix time in nanoseconds
     * @param int $memoryUsage resident bytes
     */
    public function __construct(
        public readonly int $pid,
        public readonly string $status,
        public readonly int $execs,
        public readonly int $created,
        public readonly int $memoryUsage,
        public readonly float $cpuPercent,
        public readonly string $command,
    ) {
    }
}
