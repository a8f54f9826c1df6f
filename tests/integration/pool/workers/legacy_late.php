<?php

declare(strict_types=1);

// Two workers of RoadRunner 1.x, started as v3 workers: the one that comes first holds back until
// another one has been accepted in v2, and only then fails at the v3 frame it was sent.

$folder = getenv('LATE_FOLDER');
if (@mkdir("$folder/first")) {
    for ($i = 0; $i < 20_000 && !file_exists("$folder/accepted"); ++$i) {
        usleep(500);
    }
}
define('ACCEPTED_FILE', "$folder/accepted");
require __DIR__ . '/legacy.php';
