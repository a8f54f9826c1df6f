<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\ServiceException;
use Rr\Worker\WorkerInfo;
use Rr\Worker\WorkerPoolInfo;

/** WorkerPoolInfo against the real server. */
final class WorkerPoolInfoTest extends TestCase
{
    private Server $server;
    private WorkerPoolInfo $info;

    protected function setUp(): void
    {
        $this->server = new Server();
        $this->info = new WorkerPoolInfo($this->server->client());
    }

    private function pids(): array
    {
        $pids = array_map(static fn (WorkerInfo $w): int => $w->pid, $this->info->workers());
        sort($pids);
        return $pids;
    }

    public function testWorkersAreListed(): void
    {
        self::assertContains('http', $this->info->plugins());
        $pid = (int) file_get_contents($this->server->http . '/');
        self::assertSame(2, $this->info->count());
        self::assertContains($pid, $this->pids());
        foreach ($this->info->workers('http') as $worker) {
            self::assertSame('ready', $worker->status);
            self::assertSame((int) ($worker->pid === $pid), $worker->execs);
            self::assertGreaterThan(1_000_000, $worker->memoryUsage);
            self::assertEqualsWithDelta(time(), $worker->created / 1e9, 60);
        }
    }

    public function testAPluginThatDoesNotRunHasNoWorkers(): void
    {
        self::assertSame([], $this->info->workers('nosuch'));
        self::assertSame(0, $this->info->count('nosuch'));
    }

    public function testWorkersAreAddedAndRemoved(): void
    {
        $this->info->addWorker();
        self::assertSame(3, $this->info->count());
        $this->info->removeWorker('http');
        // Answered when it was told to stop; it is listed until it has gone.
        for ($i = 0; $this->info->count() !== 2 && $i < 2000; ++$i) {
            usleep(5000);
        }
        self::assertSame(2, $this->info->count());
    }

    public function testAResetReplacesThem(): void
    {
        self::assertContains('http', $this->info->resettable());
        $before = $this->pids();
        $this->info->reset();
        $new = (int) file_get_contents($this->server->http . '/');
        self::assertNotContains($new, $before);
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('no such plugin: nosuch');
        $this->info->reset('nosuch');
    }
}
