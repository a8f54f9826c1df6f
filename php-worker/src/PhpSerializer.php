<?php

declare(strict_types=1);

namespace Rr\Worker;

/** PHP's own serialize(): what a Cache uses if nothing else is said. */
final class PhpSerializer implements Serializer
{
    public function serialize(mixed $value): string
    {
        return serialize($value);
    }

    public function unserialize(string $bytes): mixed
    {
        return self::strictly(static fn () => unserialize($bytes), $bytes === 'b:0;');
    }

    /**
     * Runs unserialize() or its like: a warning and a class that is not here are exceptions.
     *
     * @internal the serializers
     */
    public static function strictly(callable $read, bool $mayBeFalse): mixed
    {
        $callback = ini_set('unserialize_callback_func', self::class . '::missing');
        $before = set_error_handler(static function (int $level, string $text, mixed ...$where)
            use (&$before): bool {
            if (str_contains($text, 'unserialize')) {
                throw new \UnexpectedValueException($text);
            }
            return $before !== null && $before($level, $text, ...$where) !== false; // of __wakeup
        });
        try {
            $value = $read();
        } finally {
            restore_error_handler();
            ini_set('unserialize_callback_func', (string) $callback);
        }
        if ($value === false && !$mayBeFalse) {
            throw new \UnexpectedValueException('these bytes are no serialized value');
        }
        return $value;
    }

    /** @internal PHP, which would make an incomplete object otherwise */
    public static function missing(string $class): never
    {
        throw new \UnexpectedValueException("there is no class $class");
    }
}
