<?php

declare(strict_types=1);

// The worker of WorkerTest: the body of a request names what to do with it.

use Rr\Worker\Worker;

require __DIR__ . '/../../autoload.php';

$worker = Worker::create(numbered: getenv('PLAIN') !== '1');
while ($worker->receive()) {
    [$do, $argument] = explode(' ', $worker->body, 2) + [1 => ''];
    switch ($do) {
        case 'echo':
            $worker->respond($argument, $worker->context, $worker->flags);
            break;
        case 'length':
            $worker->respond(\strlen($argument) . ' ' . md5($argument));
            break;
        case 'output':
            echo 'echoed ';
            print 'printed ';
            var_dump('dumped');
            file_put_contents('php://stdout', 'to php://stdout ');
            file_put_contents('php://output', 'to php://output ');
            system('echo from a child');
            if (\is_resource(STDOUT)) {
                fwrite(STDOUT, 'to STDOUT ');
            }
            $worker->respond(headers_sent() ? 'headers sent' : 'fine');
            break;
        case 'steal':
            $worker->respond(json_encode([
                file_get_contents('php://stdin'),
                shell_exec('cat'),
                \is_resource(STDIN) ? fread(STDIN, 10) : '',
            ]));
            break;
        case 'warn':
            trigger_error('a warning by hand', E_USER_WARNING);
            $worker->respond('warned');
            break;
        case 'error':
            $worker->error($argument);
            break;
        case 'twice':
            $worker->respond('first');
            try {
                $worker->respond('second');
            } catch (LogicException $error) {
                fwrite(STDERR, $error->getMessage());
            }
            break;
        case 'stop':
            $worker->stop();
            break;
        case 'exit':
            exit((int) $argument);
        case 'throw':
            throw new RuntimeException('nobody catches this');
        case 'fatal':
            ini_set('memory_limit', '16M');
            str_repeat('x', 64 << 20);
            break;
        case 'part':
            $worker->sendPart('', 'hint');
            $worker->respond('whole', 'head');
            break;
        case 'none':
            break;
        case 'stream':
            $chunks = (static function (int $count) {
                try {
                    for ($i = 1; $i <= $count; ++$i) {
                        yield "chunk $i";
                        if (getenv('STEP') === '1') {
                            usleep(20000);
                        }
                    }
                } finally {
                    fwrite(STDERR, 'generator ended');
                }
            })((int) $argument);
            $whole = $worker->stream($chunks, 'head');
            fwrite(STDERR, $whole ? ' whole' : ' stopped');
            break;
        case 'list':
            $worker->stream(array_filter(explode(',', $argument), \is_string(...)), 'head');
            break;
    }
}
fwrite(STDERR, 'the loop ended');
