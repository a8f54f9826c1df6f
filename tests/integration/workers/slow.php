<?php

declare(strict_types=1);

// The worker of the tests of slow requests: each path is a way to wait, until the test says "go on".
//
//   /recv?at=HOST:PORT     in recvfrom, for the first byte     /compute?until=FILE  on the processor
//   /fgets?at=HOST:PORT    in poll, for the first byte         /flock?file=FILE     for the lock
//   /select?at=A&and=B     for one of two sockets              /sleep               until SIGUSR1
//   /program?fifo=FILE     for a program that reads it         /memory?mb=          takes N MiB, lets go
//   /pipe?fifo=FILE        for the program's output            /stream?fifo=FILE    amid a stream
//   /exit?mb=              takes N MiB, and exits              any other            answers at once

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Worker;

require __DIR__ . '/../../../php-worker/autoload.php';

pcntl_async_signals(true);
pcntl_signal(SIGUSR1, static fn () => null);

$connect = static function (string $at) {
    $socket = stream_socket_client("tcp://$at");
    stream_set_timeout($socket, 60);
    return $socket;
};

$http = new HttpWorker(Worker::create());
$http->serve(static function (Request $request) use ($connect): mixed {
    $query = $request->query;
    switch (parse_url($request->uri, PHP_URL_PATH)) {
        case '/recv':
            $got = stream_socket_recvfrom($connect($query['at']), 1);
            break;
        case '/fgets':
            $got = fgetc($connect($query['at']));
            break;
        case '/select':
            $read = [$connect($query['at']), $connect($query['and'])];
            $none = null;
            $got = (string) stream_select($read, $none, $none, 60);
            break;
        case '/compute':
            for ($got = 0; !file_exists($query['until']); clearstatcache()) {
                for ($i = 0; $i < 1000000; ++$i) {
                    $got ^= $i;
                }
            }
            break;
        case '/flock':
            $file = fopen($query['file'], 'c');
            $got = flock($file, LOCK_EX) ? 'locked' : 'not locked';
            fclose($file);
            break;
        case '/sleep':
            $got = sleep(60) > 0 ? 'woken' : 'slept';
            break;
        case '/program':
            $got = (string) proc_close(proc_open(['cat', $query['fifo']], [1 => ['null']], $pipes));
            break;
        case '/pipe':
            $got = shell_exec('exec cat ' . escapeshellarg($query['fifo']));
            break;
        case '/stream':
            return (static function () use ($query): iterable {
                yield 'first';
                yield file_get_contents($query['fifo']);
            })();
        case '/memory':
            $got = (string) strlen(str_repeat('x', (int) $query['mb'] << 20));
            break;
        case '/exit':
            exit(strlen(str_repeat('x', (int) $query['mb'] << 20)) > 0 ? 3 : 4);
        default:
            $got = 'fast';
    }
    return (string) $got;
});
