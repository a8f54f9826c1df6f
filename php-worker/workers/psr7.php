<?php

declare(strict_types=1);

// The smallest PSR-7 worker, with Nyholm's classes as Debian's php-nyholm-psr7 installs them.

use Nyholm\Psr7\Response;
use Psr\Http\Message\ServerRequestInterface;
use Rr\Worker\PsrWorker;

require 'Nyholm/Psr7/autoload.php';
require __DIR__ . '/../autoload.php';

(new PsrWorker())->serve(
    static fn (ServerRequestInterface $request): Response => new Response(200, [], 'Hello World!'),
);
