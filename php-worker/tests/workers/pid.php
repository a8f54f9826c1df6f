<?php

declare(strict_types=1);

// The worker of the servers that RPC is tested with: answers with its process number.

use Rr\Worker\HttpWorker;

require __DIR__ . '/../../autoload.php';

(new HttpWorker())->serve(static fn (): string => (string) getmypid());
