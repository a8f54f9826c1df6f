<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Keeps the pipes to the server for frames alone.
 *
 * claim() moves the pipes to descriptors of our own. Afterwards descriptor 1 leads to stderr and
 * descriptor 0 to /dev/null, so echo, php://stdout, C libraries and child processes can neither
 * write into a frame nor steal one. PHP has no dup2: with FFI it is called directly; else the
 * constants STDIN and STDOUT are closed, so that the next descriptors opened take their numbers
 * (fwrite(STDOUT) is then a TypeError, which costs one request instead of a broken channel).
 */
final class Stdio
{
    /** @var ?array{resource, resource} */
    private static ?array $pipes = null;
    /** @var list<resource> whatever took the places of descriptors 0 and 1 */
    private static array $places = [];
    private static bool $guarded = false;

    /** @return array{resource, resource} the pipes from and to the server */
    public static function claim(): array
    {
        if (self::$pipes === null) {
            $in = fopen('php://stdin', 'rb');
            $out = fopen('php://stdout', 'wb');
            if ($in === false || $out === false) {
                throw new RelayException('the pipes of stdin and stdout are not open');
            }
            self::$pipes = [$in, $out];
            if (!self::replaceByFfi() && \defined('STDIN') && \defined('STDOUT')) {
                self::replaceByClosing();
            }
        }
        return self::$pipes;
    }

    /**
     * Sends what is echoed to stderr, and PHP's own messages with it. The output buffer stays even
     * where descriptor 1 is stderr already: it keeps headers_sent() false for code that asks.
     */
    public static function guard(): void
    {
        if (self::$guarded) {
            return;
        }
        self::$guarded = true;
        // Where errors are logged to stderr already, displaying them would say everything twice.
        $logged = \ini_get('log_errors') && !\ini_get('error_log');
        ini_set('display_errors', $logged ? '0' : 'stderr');
        ini_set('html_errors', '0');
        ob_start(static function (string $output): string {
            if ($output !== '') {
                self::report($output);
            }
            return '';
        }, 1);
    }

    public static function report(string $text): void
    {
        static $stderr = null;
        $stderr ??= \defined('STDERR') ? STDERR : fopen('php://stderr', 'wb');
        if (\is_resource($stderr)) {
            @fwrite($stderr, $text);
        }
    }

    private static function replaceByFfi(): bool
    {
        if (!\extension_loaded('ffi')) {
            return false;
        }
        try {
            $libc = \FFI::cdef('int open(const char *, int, ...); int dup2(int, int);'
                . ' int close(int);');
            $null = $libc->open('/dev/null', 0);
            if ($null < 0) {
                return false;
            }
            $done = $libc->dup2(2, 1) === 1 && $libc->dup2($null, 0) === 0;
            $libc->close($null);
            return $done;
        } catch (\FFI\Exception) {
            return false; // ffi.enable forbids it
        }
    }

    private static function replaceByClosing(): void
    {
        // The lowest free number is what the next descriptor gets.
        fclose(\STDIN);
        self::$places[] = fopen('/dev/null', 'rb');
        fclose(\STDOUT);
        self::$places[] = fopen('php://stderr', 'wb');
    }
}
