<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;

final class HttpWorkerTest extends TestCase
{
    private const FIELDS = ['remoteAddr' => '10.0.0.1', 'protocol' => 'HTTP/2.0', 'method' => 'PUT',
        'uri' => 'https://h/p?a=1&b[]=2', 'headers' => ['X-Multi' => ['1', '2']],
        'cookies' => ['c' => 'd'], 'rawQuery' => 'a=1&b[]=2', 'parsed' => true,
        'uploads' => ['f' => ['name' => 'n']], 'attributes' => ['who' => 'me']];

    private function peer(bool $numbered = true): Peer
    {
        return (new Peer('http.php'))->greet($numbered);
    }

    private function expected(): array
    {
        return ['10.0.0.1', 'HTTP/2.0', 'PUT', 'https://h/p?a=1&b[]=2', ['X-Multi' => ['1', '2']],
            ['c' => 'd'], 'a=1&b[]=2', ['a' => '1', 'b' => ['2']], true, ['x' => 'y'],
            ['f' => ['name' => 'n']], ['who' => 'me'], base64_encode('{"x":"y"}'), '1, 2'];
    }

    public function testHandsOverEveryFieldOfAJsonContext(): void
    {
        $peer = $this->peer();
        [$context, $body, , $flags] = $peer->answer($peer->request('/', '{"x":"y"}', self::FIELDS));
        self::assertSame(['status' => 200], $context);
        self::assertSame($this->expected(), json_decode($body, true));
        self::assertSame(0x08, $flags);
        self::assertSame(0, $peer->stop());
    }

    public function testHandsOverEveryFieldOfAProtobufContextAndAnswersInKind(): void
    {
        $peer = $this->peer();
        $context = ProtobufTest::text(1, '10.0.0.1') . ProtobufTest::text(2, 'HTTP/2.0')
            . ProtobufTest::text(3, 'PUT') . ProtobufTest::text(4, 'https://h/p?a=1&b[]=2')
            . ProtobufTest::entry(5, 'X-Multi', '1', '2') . ProtobufTest::entry(6, 'c', 'd')
            . ProtobufTest::text(7, 'a=1&b[]=2') . "\x40\x01"
            . ProtobufTest::text(9, '{"f":{"name":"n"}}') . ProtobufTest::entry(10, 'who', 'me');
        $peer->send($peer->rawRequestFrame(0x80, $context, '{"x":"y"}'));
        [$head, $body, , $flags] = $peer->answer(1);
        self::assertSame("\x08\xc8\x01", $head);
        self::assertSame($this->expected(), json_decode($body, true));
        self::assertSame(0x80, $flags);
        // The codec is each request's own.
        self::assertSame(0x08, $peer->answer($peer->request('/text'))[3]);
    }

    public function testAnEmptyContextIsARequestOfDefaults(): void
    {
        $peer = $this->peer();
        $peer->send($peer->rawRequestFrame(0x00, '', 'body'));
        self::assertSame(['', 'HTTP/1.1', 'GET', '', [], [], '', [], false, null, [], [],
            base64_encode('body'), null], json_decode($peer->answer(1)[1], true));
    }

    /** @dataProvider answers */
    public function testAnswers(string $path, int $status, array $headers, string $body): void
    {
        $peer = $this->peer();
        [$context, $sent, $stream, $flags] = $peer->answer($peer->request($path));
        self::assertSame($status, $context['status']);
        self::assertSame($headers, $context['headers'] ?? []);
        self::assertSame($body, $sent);
        self::assertSame([0, 0x08], [$stream, $flags]);
        self::assertSame(0, $peer->stop());
        self::assertSame('', $peer->stderr());
    }

    public static function answers(): array
    {
        $json = ['Content-Type' => ['application/json']];
        $html = ['Content-Type' => ['text/html; charset=utf-8'], 'X-A' => ['b']];
        return [
            'text' => ['/text', 200, [], 'plain text'],
            'json' => ['/json', 201, $json, "{\"a\":\"\u{fffd}\",\"b\":1.5}"],
            'html' => ['/html', 404, $html, '<p>hi'],
            'headers' => ['/headers', 200, ['One' => ['a'], 'Two' => ['b', 'c'], 'Num' => ['5'],
                '77' => ['digits'], 'Gaps' => ['x']], ''],
            'own' => ['/own', 200, [], 'own'],
            'isset' => ['/isset', 200, [], '[true,false,null,null]'],
        ];
    }

    public function testFindsHeadersInAnyCase(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/isset', '', ['headers' => ['X-Multi' => ['1', '2']]]);
        self::assertSame('[true,false,"1, 2",null]', $peer->answer($number)[1]);
    }

    public function testHeadersThatAreNotUtf8TravelAsProtobufWhereTheServerIsOurs(): void
    {
        $peer = $this->peer();
        [$context, $body, , $flags] = $peer->answer($peer->request('/bytes'));
        self::assertSame("\x08\xc8\x01" . ProtobufTest::entry(2, 'X-Raw', "caf\xe9"), $context);
        self::assertSame(['body', 0x80], [$body, $flags]);
        $peer = $this->peer(false);
        $peer->request('/bytes');
        [$context, $body, , $flags] = $peer->answer(null);
        self::assertSame(["caf\u{fffd}"], $context['headers']['X-Raw']);
        self::assertSame(['body', 0x08], [$body, $flags]);
    }

    /** @dataProvider failures */
    public function testFailsTheRequestAndServesOn(string $path, string $text, string $log): void
    {
        $peer = $this->peer();
        $peer->request($path);
        self::assertStringContainsString($text, $peer->error());
        self::assertSame('plain text', $peer->answer($peer->request('/text'))[1]);
        self::assertSame(0, $peer->stop());
        self::assertStringContainsString($log, $peer->stderr());
    }

    public static function failures(): array
    {
        return [
            'exception' => ['/throw', 'thrown by the handler', 'RuntimeException: thrown by'],
            'no answer' => ['/none', 'did not answer', ''],
            'before the head' => ['/nobody', 'thrown before the head', 'thrown before the head'],
            'unknown property' => ['/unknown', 'no property nothing', 'LogicException'],
        ];
    }

    public function testABrokenContextFailsThatRequest(): void
    {
        $peer = $this->peer();
        $peer->send($peer->rawRequestFrame(0x08, '{"uri":', ''));
        self::assertStringContainsString('JsonException', $peer->error());
        $peer->send($peer->rawRequestFrame(0x80, "\x0a\x7fx", ''));
        self::assertStringContainsString('malformed protobuf', $peer->error());
        self::assertSame('plain text', $peer->answer($peer->request('/text'))[1]);
    }

    public function testAStreamThatFailsEndsWithAnError(): void
    {
        $peer = $this->peer();
        self::assertSame(1, $peer->answer($peer->request('/fail'))[2]);
        self::assertStringContainsString('thrown in the middle', $peer->error());
        self::assertSame('plain text', $peer->answer($peer->request('/text'))[1]);
    }

    public function testASecondAnswerIsOnlyReported(): void
    {
        $peer = $this->peer();
        self::assertSame('first', $peer->answer($peer->request('/both'))[1]);
        self::assertSame('plain text', $peer->answer($peer->request('/text'))[1]);
        self::assertStringContainsString('no request is waiting', $peer->stderr());
    }

    public function testInformsBeforeTheAnswer(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/inform');
        self::assertSame([['status' => 103, 'headers' => ['Link' => ['</a.css>']]], '', 1, 8],
            $peer->answer($number));
        self::assertSame([['status' => 200], 'final', 0, 8], $peer->answer($number));
    }

    public function testStreamsIterables(): void
    {
        $peer = $this->peer();
        $number = $peer->request('/chunks');
        self::assertSame([['status' => 200], 'a', 1, 8], $peer->answer($number));
        self::assertSame(['', 'b', 1, 8], $peer->answer($number));
        self::assertSame(['', '', 0, 8], $peer->answer($number));
    }
}
