<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

/** The workers of config/examples, and those of this folder, each started and asked. */
final class ExamplesTest extends TestCase
{
    private const EXAMPLES = __DIR__ . '/../../config/examples';

    private function peer(string ...$command): Peer
    {
        $path = shell_exec('command -v ' . escapeshellarg($command[0]));
        if (!\is_string($path)) {
            self::markTestSkipped("$command[0] is not installed");
        }
        if (stream_resolve_include_path('Nyholm/Psr7/autoload.php') === false) {
            self::markTestSkipped('php-nyholm-psr7 is not installed');
        }
        return (new Peer($command))->greet();
    }

    /** @dataProvider pages */
    public function testAnswersAPage(array $command, string $path, int $status, string $text): void
    {
        $peer = $this->peer(...$command);
        [$context, $body] = $peer->answer($peer->request($path));
        self::assertSame($status, $context['status']);
        self::assertStringContainsString($text, $body);
        self::assertSame(0, $peer->stop());
        self::assertSame('', $peer->stderr());
    }

    public static function pages(): array
    {
        $hello = ['php', self::EXAMPLES . '/hello/worker.php'];
        $uploads = ['php', self::EXAMPLES . '/uploads/worker.php'];
        $streaming = ['php', self::EXAMPLES . '/streaming/worker.php'];
        $workers = __DIR__ . '/../workers';
        return [
            'hello /' => [$hello, '/', 200, '<h1>It works</h1>'],
            'hello /json' => [$hello, '/json?a=b', 200, '"a": "b"'],
            'hello /headers' => [$hello, '/headers', 200, '"localhost:8080"'],
            'hello /missing' => [$hello, '/<b>', 404, 'Nothing here'],
            'uploads form' => [$uploads, '/', 200, '<form method="post"'],
            'uploads 404' => [$uploads, '/x', 404, 'No such page'],
            'streaming page' => [$streaming, '/', 200, 'EventSource'],
            'workers/hello' => [['php', "$workers/hello.php"], '/', 200, 'Hello World!'],
            'workers/psr7' => [['php', "$workers/psr7.php"], '/', 200, 'Hello World!'],
        ];
    }

    public function testUploadsKeepsTheFilesItShows(): void
    {
        $peer = $this->peer('php', self::EXAMPLES . '/uploads/worker.php');
        $path = tempnam(sys_get_temp_dir(), 'rr-php-worker-');
        file_put_contents($path, 'content');
        $file = ['name' => '<x>.txt', 'mime' => 'text/plain', 'size' => 7, 'error' => 0,
            'tmpName' => $path];
        $refused = ['name' => 'b.php', 'mime' => '', 'size' => 0, 'error' => 8, 'tmpName' => ''];
        $number = $peer->request('/', '{"title":"T<"}', ['method' => 'POST', 'parsed' => true,
            'uploads' => ['files' => [$file, $refused]]]);
        $body = $peer->answer($number)[1];
        $hash = hash('sha256', 'content');
        foreach (['T&lt;', '&lt;x&gt;.txt', $hash, 'this extension is forbidden'] as $text) {
            self::assertStringContainsString($text, $body);
        }
        self::assertFileDoesNotExist($path);
        unlink(sys_get_temp_dir() . "/rr-example-uploads/$hash");
        @rmdir(sys_get_temp_dir() . '/rr-example-uploads');
    }

    public function testStreamingEndsItsGeneratorWhenTheClientLeft(): void
    {
        $peer = $this->peer('php', self::EXAMPLES . '/streaming/worker.php');
        $number = $peer->request('/events?n=1000');
        self::assertSame("retry: 5000\n\n", $peer->answer($number)[1]);
        $peer->send(Peer::frame(0, '', [], 0x02));
        while ($peer->answer($number)[2] & 0x01);
        self::assertSame(0, $peer->stop());
        self::assertStringContainsString('stream ended after', $peer->stderr());
    }

    public static function languages(): array
    {
        return [
            'python numbered' => [['python3', self::EXAMPLES . '/python/worker.py'], true],
            'python plain' => [['python3', self::EXAMPLES . '/python/worker.py'], false],
            'node numbered' => [['node', self::EXAMPLES . '/node/worker.js'], true],
            'node plain' => [['node', self::EXAMPLES . '/node/worker.js'], false],
        ];
    }

    /** @dataProvider languages */
    public function testOtherLanguages(array $command, bool $numbered): void
    {
        $this->peer(...$command); // skips where it is not installed
        $peer = (new Peer($command))->greet($numbered);
        $number = $peer->request('/x?a=1', str_repeat('x', 300_000));
        $answer = json_decode($peer->answer($numbered ? $number : null)[1], true);
        self::assertSame([$peer->pid, 300_000], [$answer['pid'], $answer['bodyLength']]);
        $peer->request('/error');
        self::assertStringContainsString('an error on purpose', $peer->error());
        $peer->send($peer->requestFrame('/1') . $peer->requestFrame('/2'));
        self::assertSame('/1', json_decode($peer->answer($numbered ? 3 : null)[1], true)['path']);
        self::assertSame('/2', json_decode($peer->answer($numbered ? 4 : null)[1], true)['path']);
        self::assertSame(0, $peer->stop());
    }
}
