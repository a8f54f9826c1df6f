<?php

declare(strict_types=1);

// php switch.php close|open|status: what a deploy script does before and after it changes files.

use Rr\Worker\RelayException;
use Rr\Worker\Rpc;
use Rr\Worker\ServiceException;

require __DIR__ . '/../../../php-worker/autoload.php';

$method = ['close' => 'Close', 'open' => 'Open', 'status' => 'Status'][$argv[1] ?? ''] ?? null;
if ($method === null) {
    fwrite(STDERR, "usage: php switch.php close|open|status\n");
    exit(2);
}
try {
    echo json_encode(Rpc::create()->call("maintenance.$method")), "\n";
} catch (ServiceException | RelayException $error) {
    fwrite(STDERR, $error->getMessage() . "\n");
    exit(1);
}
