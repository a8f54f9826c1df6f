<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Frame;

final class FrameTest extends TestCase
{
    /** @dataProvider examples */
    public function testEncodesTheDocumentedBytes(string $frame, string $hex): void
    {
        self::assertSame(str_replace([' ', '|'], '', $hex), bin2hex($frame));
    }

    public static function examples(): array
    {
        $status = '{"status":200}';
        return [
            'pid request' => [
                Frame::encode(Frame::CONTROL | Frame::JSON, '{"pid":100}'),
                '13 09 0b 00 00 00 e6 34 91 ee 00 00 | 7b 22 70 69 64 22 3a 31 30 30 7d',
            ],
            'pid reply' => [
                Frame::encode(Frame::CONTROL, '{"pid":4242}'),
                '13 01 0c 00 00 00 9e 47 36 43 00 00 | 7b 22 70 69 64 22 3a 34 32 34 32 7d',
            ],
            'response' => [
                Frame::encode(0, $status . 'hello', [\strlen($status)]),
                '14 00 13 00 00 00 5f 19 29 6b 00 00 | 0e 00 00 00 | 7b 22 73 74 61 74 75 73 22 3a'
                    . ' 32 30 30 7d 68 65 6c 6c 6f',
            ],
            'request' => [
                Frame::encode(Frame::PROTO, 'CTXBODY', [3]),
                '14 80 07 00 00 00 05 69 b4 05 00 00 | 03 00 00 00 | 43 54 58 42 4f 44 59',
            ],
            'stream chunk' => [
                Frame::encode(Frame::PROTO, 'hello', [0], Frame::STREAM | Frame::PING),
                '14 80 05 00 00 00 8e a1 bd af 05 00 | 00 00 00 00 | 68 65 6c 6c 6f',
            ],
            'stream stop' => [
                Frame::encode(0, '', [], Frame::STOP),
                '13 00 00 00 00 00 96 d1 80 34 02 00',
            ],
            'pong' => [
                Frame::encode(0, '', [], Frame::PONG),
                '13 00 00 00 00 00 96 d1 80 34 08 00',
            ],
            'error' => [
                Frame::encode(Frame::ERROR, 'boom'),
                '13 40 04 00 00 00 88 1e 11 e3 00 00 | 62 6f 6f 6d',
            ],
            'rpc' => [
                Frame::encode(Frame::JSON, 'informer.Listtrue', [1, 13]),
                '15 08 11 00 00 00 b0 49 0c 3a 00 00 | 01 00 00 00 0d 00 00 00 |'
                    . ' 69 6e 66 6f 72 6d 65 72 2e 4c 69 73 74 74 72 75 65',
            ],
        ];
    }
}
