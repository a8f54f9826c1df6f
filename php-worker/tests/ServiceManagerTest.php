<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\ServiceException;
use Rr\Worker\ServiceManager;
use Rr\Worker\ServiceStatus;

/** ServiceManager against the real server. */
final class ServiceManagerTest extends TestCase
{
    private static ?Server $server = null;
    private ServiceManager $services;

    public static function setUpBeforeClass(): void
    {
        // The RPC service exists where its section does.
        self::$server = new Server('tcp', "service: {first: {command: sleep 1000}}\n");
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    protected function setUp(): void
    {
        $this->services = new ServiceManager(self::$server->client());
    }

    public function testAServiceOfTheConfigurationIsListed(): void
    {
        self::assertContains('first', $this->services->list());
        [$status] = $this->services->statuses('first');
        self::assertInstanceOf(ServiceStatus::class, $status);
        self::assertSame(1, posix_kill($status->pid, 0) ? 1 : 0);
        self::assertStringEndsWith('sleep 1000', $status->command);
        self::assertGreaterThan(100_000, $status->memoryUsage);
        self::assertSame('', $status->error);
    }

    public function testOneIsCreatedRestartedAndTerminated(): void
    {
        self::assertTrue($this->services->create('own', 'sleep 1001', processNum: 3,
            env: ['A' => 'b'], restartSec: 1, serviceNameInLogs: true));
        self::assertContains('own', $this->services->list());
        $before = array_map(fn (ServiceStatus $s) => $s->pid, $this->services->statuses('own'));
        self::assertCount(3, array_unique($before));
        self::assertTrue($this->services->restart('own'));
        $after = array_map(fn (ServiceStatus $s) => $s->pid, $this->services->statuses('own'));
        self::assertCount(3, $after);
        self::assertSame([], array_intersect($before, $after));
        self::assertTrue($this->services->terminate('own'));
        self::assertNotContains('own', $this->services->list());
        self::assertFalse(posix_kill($after[0], 0));
    }

    public function testItsEnvironmentAndItsOutput(): void
    {
        $script = self::$server->folder . '/print.php';
        file_put_contents($script, '<?php echo getenv("WHAT"), " from ", getmypid(), "\n"; sleep(1000);');
        $this->services->create('printer', PHP_BINARY . " $script", env: ['what' => 'words'],
            serviceNameInLogs: true);
        [$status] = $this->services->statuses('printer');
        self::assertNotSame('', self::$server->waitFor("~words from $status->pid~")[0]);
        $this->services->terminate('printer');
    }

    public function testErrorsAreTheServers(): void
    {
        foreach (['restart', 'terminate', 'statuses'] as $method) {
            try {
                $this->services->$method('nobody');
                self::fail('an exception is expected');
            } catch (ServiceException $error) {
                self::assertStringContainsString(
                    "the service with nobody name doesn't exist", $error->text);
            }
        }
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('the service with first name already exists');
        $this->services->create('first', 'sleep 1');
    }

    public function testACommandThatIsNotThereIsAnError(): void
    {
        $this->expectException(ServiceException::class);
        $this->services->create('missing', '/no/such/command');
    }
}
