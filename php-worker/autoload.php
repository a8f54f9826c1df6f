<?php

declare(strict_types=1);

// Loads Rr\Worker classes where no Composer is: require this one file.
spl_autoload_register(static function (string $class): void {
    if (strncmp($class, 'Rr\\Worker\\', 10) === 0) {
        $file = __DIR__ . '/src/' . strtr(substr($class, 10), '\\', '/') . '.php';
        if (is_file($file)) {
            require $file;
        }
    }
});
