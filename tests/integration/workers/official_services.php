<?php
// The official packages lock, services and app-logger, unmodified: official_services.php ADDRESS.
// RR_SDK_SERVICES_AUTOLOAD names their autoload file. Prints `ok` or what was not as expected.

use RoadRunner\Lock\Lock;
use RoadRunner\Logger\Logger;
use Spiral\Goridge\RPC\RPC;
use Spiral\RoadRunner\Services\Exception\ServiceException;
use Spiral\RoadRunner\Services\Manager;

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $text, string $file, int $line): bool {
    throw new ErrorException($text, 0, $level, $file, $line);
});
require getenv('RR_SDK_SERVICES_AUTOLOAD');

function same(mixed $expected, mixed $actual, string $what): void
{
    if ($expected !== $actual) {
        echo $what, ': ', var_export($actual, true), ' instead of ', var_export($expected, true), "\n";
        exit(1);
    }
}

$rpc = RPC::create($argv[1]);

// lock
$lock = new Lock($rpc);
$id = $lock->lock('r', ttl: 60);
same(36, strlen((string) $id), 'the id that the package made');
same(true, $lock->exists('r'), 'exists');
same(true, $lock->exists('r', $id), 'exists with id');
same(false, $lock->exists('r', 'x'), 'exists with another id');
same(false, $lock->lock('r', 'x'), 'a second lock');
same(false, $lock->lockRead('r', 'x', waitTTL: 0.01), 'a read lock');
same(true, $lock->updateTTL('r', $id, new DateInterval('PT50S')), 'updateTTL');
same(false, $lock->release('r', 'x'), 'release with another id');
same(true, $lock->release('r', $id), 'release');
same('a', $lock->lockRead('r', 'a', ttl: 0.1), 'the first reader');
same('b', $lock->lockRead('r', 'b'), 'the second reader');
same(true, $lock->release('r', 'b'), 'the second reader leaves');
same('c', $lock->lock('r', 'c', waitTTL: 30), 'a writer waits for the ttl of the reader');
same(true, $lock->forceRelease('r'), 'forceRelease');
same(false, $lock->exists('r'), 'exists after all');

// services
$manager = new Manager($rpc);
same([], $manager->list(), 'no services');
same(true, $manager->create('one', 'sleep 1000', processNum: 2, env: ['name' => 'value']), 'create');
same(['one'], $manager->list(), 'list');
for ($i = 0; $i < 500 && ($before = $manager->statuses('one'))[0]['memory_usage'] === 0; ++$i) {
    usleep(10000);  // it has just been started
}
same(2, count($before), 'processes');
same(['cpu_percent', 'pid', 'memory_usage', 'command', 'error'], array_keys($before[0]), 'a status');
same(true, $before[0]['pid'] > 0 && $before[0]['memory_usage'] > 0, 'pid and memory');
same(null, $before[0]['error'], 'no error');
same('sleep 1000', substr($before[0]['command'], -10), 'the command');
same(true, $manager->restart('one'), 'restart');
same([], array_intersect(array_column($manager->statuses('one'), 'pid'), array_column($before, 'pid')), 'new pids');
try {
    $manager->create('one', 'sleep 1000');
    same('an exception', null, 'creating it again');
} catch (ServiceException $e) {
    same(true, str_contains($e->getMessage(), 'the service with one name already exists'), $e->getMessage());
}
same(true, $manager->create('short', 'true'), 'a short one');
for ($i = 0; $i < 500 && ($short = $manager->statuses('short')[0])['error'] === null; ++$i) {
    usleep(10000);
}
same(['code' => 0, 'message' => "process_state: open /proc/{$short['pid']}/statm: no such file or directory", 'details' => []],
    $short['error'], 'the status of a process that ended');
same(true, $manager->terminate('one'), 'terminate');
same(true, $manager->terminate('short'), 'terminate the short one');
try {
    $manager->restart('one');
    same('an exception', null, 'restarting what is gone');
} catch (ServiceException $e) {
    same(true, str_contains($e->getMessage(), "the service with one name doesn't exist"), $e->getMessage());
}

// app-logger
$logger = new Logger($rpc);
foreach (['error', 'warning', 'info', 'debug', 'log'] as $level) {
    $logger->$level("$level alone\n");
    $logger->$level("$level with", ['text' => 'a b', 'number' => 5, 'list' => [1, 'x']]);
}
$logger->log("\n");

echo "ok\n";
