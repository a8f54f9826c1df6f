<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

/** With Debian's php-nyholm-psr7; skipped where it is not installed. */
final class PsrWorkerTest extends TestCase
{
    private string $upload;

    protected function setUp(): void
    {
        if (stream_resolve_include_path('Nyholm/Psr7/autoload.php') === false) {
            self::markTestSkipped('php-nyholm-psr7 is not installed');
        }
        $this->upload = tempnam(sys_get_temp_dir(), 'rr-php-worker-');
        file_put_contents($this->upload, 'content');
    }

    protected function tearDown(): void
    {
        if (isset($this->upload)) {
            unlink($this->upload);
        }
    }

    public static function factories(): array
    {
        return ['Nyholm' => ['0'], 'any' => ['1']];
    }

    private function peer(string $plain = '0'): Peer
    {
        return (new Peer('psr7.php', 'pipes', [], ['PLAIN_FACTORIES' => $plain]))->greet();
    }

    /** @dataProvider factories */
    public function testMapsARawRequest(string $plain): void
    {
        $peer = $this->peer($plain);
        [$context, $body] = $peer->answer($peer->request('/p?a=1&b[]=2', 'raw body', [
            'method' => 'POST', 'headers' => ['X-M' => ['1', '2']], 'cookies' => ['c' => 'd'],
            'attributes' => ['who' => 'me'], 'protocol' => 'HTTP/1.0']));
        self::assertSame(['status' => 202, 'headers' => ['X-Two' => ['a', 'b']]], $context);
        self::assertSame(['POST', 'http://localhost:8080/p?a=1&b[]=2', '1.0',
            ['Host' => ['localhost:8080'], 'X-M' => ['1', '2']], ['c' => 'd'],
            ['a' => '1', 'b' => ['2']], null, ['who' => 'me'], 'raw body', [], '127.0.0.1'],
            array_replace(json_decode($body, true), [1 => urldecode(json_decode($body, true)[1])]));
        self::assertSame(0, $peer->stop());
    }

    /** @dataProvider factories */
    public function testMapsAFormWithUploads(string $plain): void
    {
        $peer = $this->peer($plain);
        $file = ['name' => 'a.txt', 'mime' => 'text/plain', 'size' => 7, 'error' => 0,
            'tmpName' => $this->upload];
        $refused = ['name' => 'b.php', 'mime' => '', 'size' => 0, 'error' => 8, 'tmpName' => ''];
        $number = $peer->request('/', '{"x":{"y":"z"}}', ['parsed' => true, 'method' => 'POST',
            'uploads' => ['f' => $file, 'g' => [$file, $refused]], 'protocol' => 'HTTP/2.0']);
        $answer = json_decode($peer->answer($number)[1], true);
        self::assertSame('2', $answer[2]);
        self::assertSame(['x' => ['y' => 'z']], $answer[6]);
        self::assertSame(['rr_parsed_body' => true], $answer[7]);
        self::assertSame('', $answer[8]);
        $seen = ['a.txt', 'text/plain', 7, 0, 'content'];
        self::assertSame(['f' => $seen, 'g' => [$seen, ['b.php', '', 0, 8, null]]], $answer[9]);
        self::assertSame(0, $peer->stop());
    }

    public function testServesARequestWithoutHost(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/', '', ['uri' => 'http:///x?y']);
        self::assertSame('/x?y', json_decode($peer->answer($number)[1], true)[1]);
    }

    public function testRefusesAnAddressThatIsNoUri(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/', '', ['uri' => 'http://h:99999/']);
        self::assertSame(['status' => 400], $peer->answer($number)[0]);
        self::assertSame(202, $peer->answer($peer->request('/'))[0]['status']);
    }

    public function testSendsLargeBodiesInChunksWithTheirLength(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/large');
        [$context, $body, $stream] = $peer->answer($number);
        self::assertSame(['Content-Length' => [(string) (9 << 20)]], $context['headers']);
        for ($size = \strlen($body); $stream & 1; $size += \strlen($body)) {
            [, $body, $stream] = $peer->answer($number);
        }
        self::assertSame(9 << 20, $size);
    }

    public function testSendsBodiesOfUnknownSizeInChunks(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/unsized');
        [$context, $body, $stream] = $peer->answer($number);
        self::assertSame([['status' => 200], 'abc', 1], [$context, $body, $stream]);
        self::assertSame(0, $peer->answer($number)[2]);
    }

    public function testTakesWhatHttpWorkerTakes(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/chunks');
        self::assertSame('a', $peer->answer($number)[1]);
        self::assertSame('b', $peer->answer($number)[1]);
        self::assertSame(['', '', 0, 8], $peer->answer($number));
    }

    public function testServesOnAfterAnException(): void
    {
        $peer = $this->peer();
        $peer->request('/throw');
        self::assertStringContainsString('thrown by the handler', $peer->error());
        self::assertSame(202, $peer->answer($peer->request('/'))[0]['status']);
    }
}
