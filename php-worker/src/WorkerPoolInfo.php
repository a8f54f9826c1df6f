<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * The server's workers: who they are, more or fewer of them, new ones.
 *
 *     $info = new WorkerPoolInfo(Rpc::create());
 *     foreach ($info->workers('http') as $worker) { echo $worker->pid, $worker->status; }
 *     $info->reset('http');
 */
final class WorkerPoolInfo
{
    public function __construct(private RpcClient $rpc)
    {
    }

    /** @return list<string> plugins that have workers */
    public function plugins(): array
    {
        return $this->rpc->call('informer.List', true) ?? [];
    }

    /** @return list<WorkerInfo> empty for a plugin that does not run */
    public function workers(string $plugin = 'http'): array
    {
        return array_map(static fn (array $worker): WorkerInfo => new WorkerInfo(
            (int) ($worker['pid'] ?? 0),
            (string) ($worker['statusStr'] ?? ''),
            (int) ($worker['numExecs'] ?? 0),
            (int) ($worker['created'] ?? 0),
            (int) ($worker['memoryUsage'] ?? 0),
            (float) ($worker['CPUPercent'] ?? 0),
            (string) ($worker['command'] ?? ''),
        ), $this->rpc->call('informer.Workers', $plugin)['workers'] ?? []);
    }

    public function count(string $plugin = 'http'): int
    {
        return \count($this->workers($plugin));
    }

    /** Starts one worker more; returns when it is ready. */
    public function addWorker(string $plugin = 'http'): void
    {
        $this->rpc->call('informer.AddWorker', $plugin);
    }

    /** Ends one worker, after its request. */
    public function removeWorker(string $plugin = 'http'): void
    {
        $this->rpc->call('informer.RemoveWorker', $plugin);
    }

    /** @return list<string> plugins whose workers can be replaced */
    public function resettable(): array
    {
        return $this->rpc->call('resetter.List', true) ?? [];
    }

    /**
     * Replaces all workers of a plugin; returns when the new ones serve. Requests go on meanwhile.
     *
     * @throws ServiceException the new ones did not start: the old ones go on serving
     */
    public function reset(string $plugin = 'http'): void
    {
        $this->rpc->call('resetter.Reset', $plugin);
    }
}
