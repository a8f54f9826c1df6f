<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\ServiceException;
use Rr\Worker\TcpClients;

/** TcpClients against the real server and real sockets. */
final class TcpClientsTest extends TestCase
{
    private Server $server;
    private TcpClients $clients;

    protected function setUp(): void
    {
        $worker = __DIR__ . '/workers/tcp.php';
        $this->server = new Server(sections: <<<YAML
            tcp:
              servers: {main: {addr: "127.0.0.1:0"}}
              pool: {num_workers: 1, command: ["php", "$worker"]}

            YAML);
        $this->clients = new TcpClients($this->server->client());
    }

    /** @return resource a connection that has got its greeting */
    private function connect()
    {
        $address = $this->clients->stats()[0]['address'];
        $socket = stream_socket_client($address, timeout: 10);
        stream_set_timeout($socket, 10);
        self::assertSame("hello from main\r\n", fgets($socket));
        return $socket;
    }

    public function testEveryClientCanBeListedWrittenToAndClosed(): void
    {
        $first = $this->connect();
        $second = $this->connect();
        $list = $this->clients->list('main');
        self::assertCount(2, $list);
        self::assertSame(stream_socket_get_name($first, false), $list[0]['remote_addr']);
        self::assertSame(17, $list[0]['bytes_out']);

        $this->clients->write($list[0]['uuid'], "for you\xff\n");
        self::assertSame("for you\xff\n", fgets($first));
        self::assertSame(2, $this->clients->broadcast("for all\n", 'main'));
        self::assertSame(["for all\n", "for all\n"], [fgets($first), fgets($second)]);

        $this->clients->close($list[1]['uuid']);
        self::assertFalse(fgets($second));
        self::assertCount(1, $this->clients->list());
        self::assertSame(1, $this->clients->stats()[0]['connections']);
    }

    public function testWhatIsNotThereIsSaid(): void
    {
        $this->clients->close('no uuid at all');
        foreach (['50a6c1ce-1e83-48c9-9d3e-6f942895400e', '127.0.0.1:9', 'nobody'] as $target) {
            try {
                $this->clients->write($target, 'x');
                self::fail("$target was written to");
            } catch (ServiceException $error) {
                self::assertStringContainsString($target, $error->getMessage());
            }
        }
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('no such server: other; there is main');
        $this->clients->broadcast('x', 'other');
    }
}
