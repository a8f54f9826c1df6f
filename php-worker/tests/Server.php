<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\Assert;
use Rr\Worker\Rpc;
use Rr\Worker\RpcPool;

/** The real server, with RPC and two workers: RR_BINARY, else build/rr. */
final class Server
{
    private const PATIENCE = 20;

    /** Where RPC is served: for Rpc::create(). */
    public string $rpc = '';
    public string $http = '';
    public readonly string $folder;

    private $process = null;
    private $output;
    private string $log = '';
    private string $file;

    /** @param string $sections further sections of the configuration */
    public function __construct(string $relay = 'tcp', string $sections = '')
    {
        $this->folder = sys_get_temp_dir() . '/rr-php-' . bin2hex(random_bytes(6));
        mkdir($this->folder);
        $this->file = "$this->folder/.rr.yaml";
        $listen = $relay === 'unix' ? "unix://$this->folder/rpc.sock" : 'tcp://127.0.0.1:0';
        $worker = __DIR__ . '/workers/pid.php';
        file_put_contents($this->file, <<<YAML
            version: "3"
            server: {command: ["php", "$worker"]}
            rpc: {listen: "$listen"}
            http: {address: "127.0.0.1:0", pool: {num_workers: 2}}

            YAML . $sections);
        $this->start();
    }

    public function __destruct()
    {
        $this->stop();
        array_map('unlink', glob("$this->folder/{,.}[!.]*", GLOB_BRACE));
        rmdir($this->folder);
    }

    public static function binary(): string
    {
        $binary = getenv('RR_BINARY') ?: \dirname(__DIR__, 2) . '/build/rr';
        Assert::assertFileExists($binary, 'there is no server: make build');
        return $binary;
    }

    public function start(): void
    {
        $this->process = proc_open(
            [self::binary(), 'serve', '-c', $this->file, '-w', $this->folder],
            [['file', '/dev/null', 'r'], ['pipe', 'w'], ['redirect', 1]], $pipes, null,
            ['NO_COLOR' => '1'] + getenv());
        $this->output = $pipes[1];
        stream_set_blocking($this->output, false);
        $this->log = '';
        $this->waitFor('~RoadRunner server started~');
        $this->rpc = $this->waitFor('~^  rpc +(\S+)~m')[1];
        $this->http = $this->waitFor('~^  http +(\S+)~m')[1];
    }

    /** A graceful stop. */
    public function stop(int $signal = 15): void
    {
        if ($this->process === null) {
            return;
        }
        proc_terminate($this->process, $signal);
        // Ends when the last process that has our pipe is gone.
        $until = microtime(true) + self::PATIENCE;
        while (!feof($this->output) && microtime(true) < $until) {
            $this->read();
        }
        proc_close($this->process);
        $this->process = null;
    }

    /** Waits for output that matches; the match. */
    public function waitFor(string $pattern): array
    {
        $until = microtime(true) + self::PATIENCE;
        while (!preg_match($pattern, $this->log, $match)) {
            $this->read();
            Assert::assertFalse(feof($this->output), "the server ended:\n$this->log");
            Assert::assertLessThan($until, microtime(true), "no $pattern in:\n$this->log");
        }
        return $match;
    }

    /** How many RPC clients it has: connections that the kernel lists for its port. */
    public function connections(): int
    {
        $port = sprintf(':%04X ', (int) substr(strrchr($this->rpc, ':'), 1));
        return \count(array_filter(file('/proc/net/tcp'), static fn (string $line): bool =>
            // local address, remote address, 01: established
            preg_match("~^ *\d+: [0-9A-F]{8}{$port}[0-9A-F:]+ 01 ~", $line) === 1));
    }

    public function client(?float $timeout = 20.0): Rpc
    {
        return Rpc::create($this->rpc, $timeout);
    }

    public function pool(int $connections, ?float $timeout = 20.0): RpcPool
    {
        return RpcPool::create($this->rpc, $connections, $timeout);
    }

    private function read(): void
    {
        $read = [$this->output];
        $none = null;
        stream_select($read, $none, $none, 1);
        $this->log .= (string) fread($this->output, 65536);
    }
}
