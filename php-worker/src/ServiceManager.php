<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Processes that the server keeps running beside its workers. Needs the section `service` of the
 * configuration; it may be there with one service only.
 *
 *     $services = new ServiceManager(Rpc::create());
 *     $services->create('mailer', 'php mailer.php', processNum: 2, remainAfterExit: true);
 */
final class ServiceManager
{
    public function __construct(private RpcClient $rpc)
    {
    }

    /**
     * Starts a service.
     *
     * @param string $command split as a shell splits words (RoadRunner: at blanks, no quoting)
     * @param int $execTimeout seconds after which a process is killed; 0: never
     * @param bool $remainAfterExit a process that ends is started again after $restartSec seconds
     * @param array<string, string|int|float> $env
     * @param bool $serviceNameInLogs what it prints is logged under its name
     * @param int $timeoutStopSec seconds that a process may take to stop; 0: the server's default
     * @throws ServiceException there is one of this name; the command cannot be started
     */
    public function create(
        string $name,
        string $command,
        int $processNum = 1,
        int $execTimeout = 0,
        bool $remainAfterExit = false,
        array $env = [],
        int $restartSec = 30,
        bool $serviceNameInLogs = false,
        int $timeoutStopSec = 0,
    ): bool {
        return $this->ask('service.Create', Protobuf::text(1, $name) . Protobuf::text(2, $command)
            . Protobuf::number(3, $processNum) . Protobuf::number(4, $execTimeout)
            . Protobuf::number(5, $remainAfterExit)
            . Protobuf::map(6, array_map('strval', $env)) . Protobuf::number(7, $restartSec)
            . Protobuf::number(8, $serviceNameInLogs) . Protobuf::number(9, $timeoutStopSec));
    }

    /** Stops the processes of a service and starts them anew; returns when that is done. */
    public function restart(string $name): bool
    {
        return $this->ask('service.Restart', Protobuf::text(1, $name));
    }

    /** Stops and forgets a service; returns when its processes have gone. */
    public function terminate(string $name): bool
    {
        return $this->ask('service.Terminate', Protobuf::text(1, $name));
    }

    /** @return list<ServiceStatus> one for each process */
    public function statuses(string $name): array
    {
        $answer = $this->rpc->callRaw('service.Statuses', Protobuf::text(1, $name), Frame::PROTO);
        $statuses = [];
        foreach (Protobuf::fields($answer) as [$number, $value]) {
            if ($number === 1) {
                $statuses[] = self::status((string) $value);
            }
        }
        return $statuses;
    }

    /** @return list<string> names */
    public function list(): array
    {
        $names = [];
        foreach (Protobuf::fields($this->rpc->callRaw('service.List', '', Frame::PROTO))
            as [$number, $value]) {
            if ($number === 1) {
                $names[] = (string) $value;
            }
        }
        return $names;
    }

    private function ask(string $method, string $message): bool
    {
        $answer = $this->rpc->callRaw($method, $message, Frame::PROTO);
        foreach (Protobuf::fields($answer) as [$number, $value]) {
            if ($number === 2) {
                return $value !== 0;
            }
        }
        return false;
    }

    private static function status(string $message): ServiceStatus
    {
        $cpu = 0.0;
        $found = [2 => 0, 3 => 0, 4 => ''];
        $error = '';
        foreach (Protobuf::fields($message) as [$number, $value]) {
            if ($number === 1 && \is_string($value)) {
                $cpu = unpack('g', $value)[1];
            } elseif ($number === 5) {
                foreach (Protobuf::fields((string) $value) as [$inner, $text]) {
                    $error = $inner === 2 ? (string) $text : $error;
                }
            } else {
                $found[$number] = $value;
            }
        }
        return new ServiceStatus((int) $found[2], (string) $found[4], (int) $found[3], $cpu, $error);
    }
}
