<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\AppLogger;

/** AppLogger against the real server. */
final class AppLoggerTest extends TestCase
{
    private static ?Server $server = null;
    private AppLogger $log;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server('tcp', "logs: {mode: production, level: debug}\n");
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    protected function setUp(): void
    {
        $this->log = new AppLogger(self::$server->client());
    }

    /** The record with this message. */
    private function record(string $message): array
    {
        $quoted = preg_quote(json_encode($message, JSON_UNESCAPED_UNICODE
            | JSON_UNESCAPED_SLASHES), '~');
        return json_decode(self::$server->waitFor("~^\\{.*$quoted.*\\}$~m")[0], true);
    }

    public static function levels(): array
    {
        return [
            ['emergency', 'error'], ['alert', 'error'], ['critical', 'error'], ['error', 'error'],
            ['warning', 'warn'], ['notice', 'info'], ['info', 'info'], ['debug', 'debug'],
        ];
    }

    /** @dataProvider levels */
    public function testLevels(string $level, string $servers): void
    {
        $this->log->{$level}("this is $level");
        $record = $this->record("this is $level");
        self::assertSame('app', $record['logger']);
        self::assertSame($servers, strtolower($record['level']));
        $this->log->log(strtoupper($level), "$level again");
        self::assertSame($servers, strtolower($this->record("$level again")['level']));
    }

    public function testAContextBecomesFields(): void
    {
        $this->log->info('order {id} of {who}', ['id' => 17, 'who' => 'Zoë', 'paid' => true,
            'at' => new \DateTimeImmutable('2026-01-02T03:04:05Z'), 'list' => [1, 'a'],
            'none' => null, 'exception' => new \DomainException('broken')]);
        $record = $this->record('order 17 of Zoë');
        self::assertSame(['17', 'Zoë', 'true', '2026-01-02T03:04:05.000+00:00', '[1,"a"]', 'null'],
            [$record['id'], $record['who'], $record['paid'], $record['at'], $record['list'],
                $record['none']]);
        self::assertStringStartsWith('DomainException: broken in ', $record['exception']);
    }

    public function testTheLevelOfPhpIsKept(): void
    {
        $this->log->critical('out of paper');
        self::assertSame('critical', $this->record('out of paper')['severity']);
    }

    public function testBytesThatAreNoTextDoNotBreakIt(): void
    {
        $this->log->warning("bytes \xff end", ['key' => "\xfe"]);
        self::assertSame("\u{fffd}", $this->record("bytes \u{fffd} end")['key']);
    }

    public function testRawTextGoesToStderr(): void
    {
        $this->log->raw("as it is\n");
        self::assertSame('as it is', self::$server->waitFor('~^as it is$~m')[0]);
    }

    public function testAnUnknownLevelIsRefused(): void
    {
        $this->expectException(\InvalidArgumentException::class);
        $this->expectExceptionMessage("log level 'loud': expected emergency, alert,");
        $this->log->log('loud', 'x');
    }

    public function testItIsAPsrLoggerWherePsrLogIs(): void
    {
        $load = 'require "' . \dirname(__DIR__) . '/autoload.php";';
        $psr = 'namespace Psr\Log; interface LoggerInterface {'
            . 'public function log($level, string|\Stringable $message, array $context = []): void;'
            . 'public function error(string|\Stringable $message, array $context = []): void; }';
        $is = 'echo (new \ReflectionClass(\Rr\Worker\AppLogger::class))'
            . '->implementsInterface("Psr\\\\Log\\\\LoggerInterface") ? "yes" : "no";';
        self::assertSame('yes', shell_exec(escapeshellarg(PHP_BINARY) . ' -r '
            . escapeshellarg("$psr $load $is")));
    }

    public function testARecordIsNotLostWithoutAServer(): void
    {
        $script = 'require "' . \dirname(__DIR__) . '/autoload.php";'
            . '(new Rr\Worker\AppLogger(Rr\Worker\Rpc::create("unix:///nobody/here", 0.01)))'
            . '->error("it is {what}", ["what" => "late"]);';
        $output = shell_exec(escapeshellarg(PHP_BINARY) . ' -r ' . escapeshellarg($script) . ' 2>&1');
        self::assertStringStartsWith('error: it is late {"what":"late"} (not in the server\'s log:'
            . " RPC address 'unix:///nobody/here': ", $output);
    }
}
