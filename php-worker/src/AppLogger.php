<?php

declare(strict_types=1);

namespace Rr\Worker;

use Psr\Log\LoggerInterface;

// PSR-3's interface where it is installed (psr/log 1 to 3), none where it is not.
if (interface_exists(LoggerInterface::class)) {
    /** @internal */
    interface AppLoggerContract extends LoggerInterface
    {
    }
} else {
    /** @internal */
    interface AppLoggerContract
    {
    }
}

/**
 * Records in the server's log, under the name `app`; a PSR-3 logger if psr/log is there.
 *
 *     $log = new AppLogger(Rpc::create());
 *     $log->info('order {id} placed', ['id' => 17, 'country' => 'de']);
 *
 * The server knows error, warning, info and debug: the other levels go to the nearest, with their
 * own name as the field `severity`. `{name}` in a message is replaced from the context, and every entry
 * of the context becomes a field. A record that cannot be sent is written to stderr, which the
 * server logs as well; logging never throws for it.
 */
final class AppLogger implements AppLoggerContract
{
    private const METHODS = [
        'emergency' => 'Error', 'alert' => 'Error', 'critical' => 'Error', 'error' => 'Error',
        'warning' => 'Warning', 'notice' => 'Info', 'info' => 'Info', 'debug' => 'Debug',
    ];

    public function __construct(private RpcClient $rpc)
    {
    }

    public function emergency($message, array $context = []): void
    {
        $this->log('emergency', $message, $context);
    }

    public function alert($message, array $context = []): void
    {
        $this->log('alert', $message, $context);
    }

    public function critical($message, array $context = []): void
    {
        $this->log('critical', $message, $context);
    }

    public function error($message, array $context = []): void
    {
        $this->log('error', $message, $context);
    }

    public function warning($message, array $context = []): void
    {
        $this->log('warning', $message, $context);
    }

    public function notice($message, array $context = []): void
    {
        $this->log('notice', $message, $context);
    }

    public function info($message, array $context = []): void
    {
        $this->log('info', $message, $context);
    }

    public function debug($message, array $context = []): void
    {
        $this->log('debug', $message, $context);
    }

    /** @param mixed $level one of PSR-3's eight names */
    public function log($level, $message, array $context = []): void
    {
        $name = strtolower((string) $level);
        $method = self::METHODS[$name] ?? null;
        if ($method === null) {
            $error = class_exists(\Psr\Log\InvalidArgumentException::class)
                ? \Psr\Log\InvalidArgumentException::class : \InvalidArgumentException::class;
            throw new $error("log level '$level': expected "
                . implode(', ', array_keys(self::METHODS)));
        }
        $fields = array_map(self::text(...), $context);
        if (strcasecmp($name, $method) !== 0) {
            $fields += ['severity' => $name];
        }
        $this->send($method, $name, self::fill((string) $message, $fields), $fields);
    }

    /** Writes bytes to the server's stderr as they are: no level, no time, no line end added. */
    public function raw(string $text): void
    {
        try {
            $this->rpc->call('app.Log', $text);
        } catch (RelayException | ServiceException $failure) {
            Stdio::report($text);
        }
    }

    /** @param array<string, string> $fields */
    private function send(string $method, string $level, string $message, array $fields): void
    {
        try {
            if ($fields === []) {
                $this->rpc->call("app.$method", self::utf8($message));
                return;
            }
            $entry = Protobuf::text(1, self::utf8($message));
            foreach ($fields as $key => $value) {
                $entry .= Protobuf::message(2, Protobuf::text(1, self::utf8((string) $key))
                    . Protobuf::text(2, self::utf8($value)));
            }
            $this->rpc->callRaw("app.{$method}WithContext", $entry, Frame::PROTO);
        } catch (RelayException | ServiceException $failure) {
            Stdio::report("$level: $message"
                . ($fields === [] ? '' : ' ' . json_encode($fields, JSON_INVALID_UTF8_SUBSTITUTE
                    | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE))
                . " (not in the server's log: {$failure->getMessage()})\n");
        }
    }

    /** @param array<string, string> $fields */
    private static function fill(string $message, array $fields): string
    {
        if (!str_contains($message, '{')) {
            return $message;
        }
        $pairs = [];
        foreach ($fields as $key => $value) {
            $pairs['{' . $key . '}'] = $value;
        }
        return strtr($message, $pairs);
    }

    private static function text(mixed $value): string
    {
        return match (true) {
            \is_string($value) => $value,
            $value === null => 'null',
            \is_bool($value) => $value ? 'true' : 'false',
            \is_scalar($value) => (string) $value,
            $value instanceof \DateTimeInterface => $value->format(\DATE_RFC3339_EXTENDED),
            $value instanceof \Throwable => \get_class($value) . ': ' . $value->getMessage()
                . ' in ' . $value->getFile() . ':' . $value->getLine(),
            $value instanceof \Stringable => (string) $value,
            default => json_encode($value, JSON_PARTIAL_OUTPUT_ON_ERROR
                | JSON_INVALID_UTF8_SUBSTITUTE | JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE)
                ?: get_debug_type($value),
        };
    }

    /** Texts of both codecs are UTF-8; other bytes become U+FFFD. */
    private static function utf8(string $text): string
    {
        if (preg_match('//u', $text)) {
            return $text;
        }
        return json_decode(json_encode($text, JSON_INVALID_UTF8_SUBSTITUTE));
    }
}
