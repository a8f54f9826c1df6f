<?php

// What nginx + php-fpm run: the same answer.
header('Content-Type: text/plain; charset=utf-8');
echo 'Hello World!';
