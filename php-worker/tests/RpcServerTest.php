<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Frame;
use Rr\Worker\RelayException;
use Rr\Worker\Rpc;
use Rr\Worker\ServiceException;

/** Rpc against the real server. */
final class RpcServerTest extends TestCase
{
    private static ?Server $server = null;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server();
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    public static function relays(): array
    {
        return ['tcp' => ['tcp'], 'unix' => ['unix']];
    }

    /** @dataProvider relays */
    public function testCallsInJsonAndRaw(string $relay): void
    {
        $server = $relay === 'tcp' ? self::$server : new Server($relay);
        $rpc = $server->client();
        self::assertMatchesRegularExpression('~^\d+\.\d+\.\d+$~', $rpc->call('rpc.Version', true));
        $config = json_decode($rpc->callRaw('rpc.Config'), true);
        self::assertSame(2, $config['http']['pool']['num_workers']);
        self::assertSame($config, json_decode(base64_decode($rpc->call('rpc.Config')), true));
        $rpc->close();
        self::assertIsString($rpc->call('rpc.Version'));
    }

    public function testAnErrorHasTheMethodAndTheServersText(): void
    {
        $rpc = self::$server->client();
        foreach (['no.Such' => "rpc: can't find service no.Such",
            'rpc.NoSuch' => "rpc: can't find method rpc.NoSuch",
            'nodot' => 'rpc: service/method request ill-formed: nodot'] as $method => $text) {
            try {
                $rpc->call($method);
                self::fail('an exception is expected');
            } catch (ServiceException $error) {
                self::assertSame([$method, $text], [$error->method, $error->text]);
                self::assertSame("$method: $text", $error->getMessage());
            }
        }
        self::assertIsString($rpc->call('rpc.Version'));
    }

    public function testAnErrorOfSeveralLinesIsOneLineInTheMessage(): void
    {
        try {
            self::$server->client()->call('resetter.Reset', 'nosuch');
            self::fail('an exception is expected');
        } catch (ServiceException $error) {
            self::assertSame('resetter.Reset: resetter_rpc_reset:'
                . ' resetter_plugin_reset_by_name: no such plugin: nosuch', $error->getMessage());
        }
    }

    public function testAnArgumentThatIsNoMessageIsRefused(): void
    {
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('message type is not a proto');
        self::$server->client()->callRaw('rpc.Version', "\x08\x01", Frame::PROTO);
    }

    public function testFiftyClientsAtOnce(): void
    {
        $clients = array_map(static fn () => self::$server->client(), range(1, 50));
        for ($round = 0; $round < 3; ++$round) {
            foreach ($clients as $client) {
                self::assertIsString($client->call('rpc.Version'));
            }
            self::assertGreaterThanOrEqual(50, self::$server->connections());
        }
    }

    public function testALargeRequestArrives(): void
    {
        // Unknown, but read to its end: the connection stays usable.
        $rpc = self::$server->client();
        try {
            $rpc->call('no.Such', str_repeat('x', 20_000_000));
            self::fail('an exception is expected');
        } catch (ServiceException $error) {
            self::assertSame('no.Such', $error->method);
        }
        self::assertIsString($rpc->call('rpc.Version'));
    }

    /** @dataProvider relays */
    public function testTheServerGoesAndComesBack(string $relay): void
    {
        $server = new Server($relay);
        $rpc = Rpc::create($server->rpc, 20.0);
        self::assertIsString($rpc->call('rpc.Version'));
        $server->stop();
        try {
            $rpc->call('rpc.Version', null, 0.05);
            self::fail('an exception is expected');
        } catch (RelayException $error) {
            self::assertStringContainsString($server->rpc, $error->getMessage());
        }
        $server->start();
        $again = $relay === 'unix' ? $rpc : $server->client(); // another port with tcp
        self::assertIsString($again->call('rpc.Version'));
    }

    public function testARestartBetweenTwoCallsIsNotNoticed(): void
    {
        $server = new Server('unix');
        $rpc = $server->client();
        self::assertIsString($rpc->call('rpc.Version'));
        $server->stop();
        $server->start();
        self::assertIsString($rpc->call('rpc.Version'));
    }
}
