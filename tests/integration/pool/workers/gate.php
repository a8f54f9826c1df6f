<?php

declare(strict_types=1);

// A worker whose answers the test holds back: /hold?name=x creates GATE_DIR/x.begun and answers when
// GATE_DIR/x.open exists. Any other path answers with the pid.

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Worker;

require __DIR__ . '/../../../../php-worker/autoload.php';

$http = new HttpWorker(Worker::create(numbered: getenv('RR_WORKER_PLAIN') !== '1'));
$http->serve(static function (Request $request): string {
    if (parse_url($request->uri, PHP_URL_PATH) === '/hold') {
        $gate = getenv('GATE_DIR') . '/' . $request->query['name'];
        file_put_contents("$gate.begun", getmypid() . "\n", FILE_APPEND);
        while (!file_exists("$gate.open")) {
            usleep(2000);
        }
    }
    return (string) getmypid();
});
