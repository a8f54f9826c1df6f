<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Locks that all clients of the server share, by name.
 *
 *     $lock = new Lock(Rpc::create());
 *     $id = $lock->lock('invoice:17', ttl: 30, wait: 5);
 *     if ($id !== null) {
 *         try { ... } finally { $lock->release('invoice:17', $id); }
 *     }
 *
 * A lock belongs to whoever knows its id, not to a process or connection: what is never released
 * ends with its ttl. Times are seconds; ttl 0 means no limit, wait 0 means do not wait.
 */
final class Lock
{
    public function __construct(private RpcClient $rpc)
    {
    }

    /**
     * Gets the lock for one holder alone, waiting for it up to $wait seconds.
     *
     * @param ?string $id of the holder; null: a new one
     * @return ?string the id to release it with; null: others hold it
     */
    public function lock(
        string $resource,
        ?string $id = null,
        int|float $ttl = 0,
        int|float $wait = 0,
    ): ?string {
        return $this->acquire('lock.Lock', $resource, $id, $ttl, $wait);
    }

    /** Gets the lock beside other readers, but beside nobody who holds it alone. */
    public function lockRead(
        string $resource,
        ?string $id = null,
        int|float $ttl = 0,
        int|float $wait = 0,
    ): ?string {
        return $this->acquire('lock.LockRead', $resource, $id, $ttl, $wait);
    }

    /**
     * Runs $work while holding the lock, and returns what it returns.
     *
     * @throws LockException the lock was not free within $wait seconds; $work was not run
     */
    public function with(
        string $resource,
        callable $work,
        int|float $ttl = 60,
        int|float $wait = 10,
    ): mixed {
        $id = $this->lock($resource, null, $ttl, $wait);
        if ($id === null) {
            throw new LockException("lock '$resource' was not free within $wait s");
        }
        try {
            return $work();
        } finally {
            $this->release($resource, $id);
        }
    }

    /** False if this id does not hold it (any more). */
    public function release(string $resource, string $id): bool
    {
        return $this->ask('lock.Release', $resource, $id);
    }

    /** Takes the lock away from all its holders; false if nobody has ever held it. */
    public function forceRelease(string $resource): bool
    {
        return $this->ask('lock.ForceRelease', $resource, '*');
    }

    /** Is it held: by this id, or with null by anybody? */
    public function exists(string $resource, ?string $id = null): bool
    {
        return $this->ask('lock.Exists', $resource, $id ?? '*');
    }

    /** Lets the lock end $ttl seconds from now; false if this id does not hold it. */
    public function updateTtl(string $resource, string $id, int|float $ttl): bool
    {
        return $this->ask('lock.UpdateTTL', $resource, $id, $ttl);
    }

    private function acquire(
        string $method,
        string $resource,
        ?string $id,
        int|float $ttl,
        int|float $wait,
    ): ?string {
        $id ??= bin2hex(random_bytes(16));
        return $this->ask($method, $resource, $id, $ttl, $wait) ? $id : null;
    }

    private function ask(
        string $method,
        string $resource,
        string $id,
        int|float $ttl = 0,
        int|float $wait = 0,
    ): bool {
        $message = Protobuf::text(1, $resource) . Protobuf::text(2, $id)
            . Protobuf::number(3, self::microseconds('ttl', $ttl))
            . Protobuf::number(4, self::microseconds('wait', $wait));
        $timeout = $this->rpc->timeout();
        $answer = $this->rpc->callRaw($method, $message, Frame::PROTO,
            $timeout === null ? null : $timeout + $wait);
        foreach (Protobuf::fields($answer) as [$number, $value]) {
            if ($number === 1) {
                return $value !== 0;
            }
        }
        return false;
    }

    private static function microseconds(string $what, int|float $seconds): int
    {
        if ($seconds < 0 || !is_finite($seconds)) {
            throw new \InvalidArgumentException("$what of $seconds s: must not be negative");
        }
        return (int) round(min($seconds, 9e12) * 1_000_000);
    }
}
