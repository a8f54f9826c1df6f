<?php

declare(strict_types=1);

namespace Rr\Worker\Tests;

use PHPUnit\Framework\TestCase;
use Rr\Worker\Metrics;
use Rr\Worker\ServiceException;

/** Metrics against the real server and its page. */
final class MetricsTest extends TestCase
{
    private static ?Server $server = null;
    private static string $page = '';
    private Metrics $metrics;

    public static function setUpBeforeClass(): void
    {
        self::$server = new Server('tcp', <<<'YAML'
            metrics:
              address: 127.0.0.1:0
              collect:
                configured: {type: counter, help: "From the file.", labels: [kind]}

            YAML);
        self::$page = self::$server->waitFor('~^  metrics +(\S+)~m')[1];
    }

    public static function tearDownAfterClass(): void
    {
        self::$server = null;
    }

    protected function setUp(): void
    {
        $this->metrics = new Metrics(self::$server->client());
    }

    private static function has(string $line): void
    {
        self::assertContains($line, explode("\n", file_get_contents(self::$page)));
    }

    public function testCounters(): void
    {
        $this->metrics->declareCounter('orders', 'Orders placed.', ['country', 'paid'], 'shop');
        $this->metrics->add('orders', 1, ['de', 'yes']);
        $this->metrics->add('orders', 2.5, ['de', 'yes']);
        $this->metrics->add('orders', 1, ['fr', 0]);
        self::has('# HELP shop_orders Orders placed.');
        self::has('# TYPE shop_orders counter');
        self::has('shop_orders{country="de",paid="yes"} 3.5');
        self::has('shop_orders{country="fr",paid="0"} 1');
        $this->metrics->add('configured', labels: ['x']);
        self::has('configured{kind="x"} 1');
    }

    public function testGauges(): void
    {
        $this->metrics->declareGauge('queue', 'Waiting.');
        $this->metrics->set('queue', 7);
        $this->metrics->add('queue', 5);
        $this->metrics->sub('queue', 2);
        self::has('queue 10');
    }

    public function testHistogramsAndSummaries(): void
    {
        $this->metrics->declareHistogram('time', 'Seconds.', ['page'], [0.1, 1, 10], 'app', 'web');
        $this->metrics->observe('time', 0.5, ['home']);
        $this->metrics->observe('time', 3, ['home']);
        self::has('app_web_time_bucket{page="home",le="0.1"} 0');
        self::has('app_web_time_bucket{page="home",le="1"} 1');
        self::has('app_web_time_count{page="home"} 2');
        self::has('app_web_time_sum{page="home"} 3.5');
        $this->metrics->declareSummary('sizes', 'Bytes.');
        $this->metrics->observe('sizes', 12);
        self::has('sizes_sum 12');
        self::has('sizes_count 1');
    }

    public function testDeclaringAgainChangesNothing(): void
    {
        $this->metrics->declareCounter('twice', 'First.');
        $this->metrics->add('twice');
        $this->metrics->declareCounter('twice', 'Second.');
        self::has('twice 1');
        self::has('# HELP twice First.');
    }

    public function testOneIsRemoved(): void
    {
        $this->metrics->declareCounter('short_lived', 'Soon gone.');
        $this->metrics->add('short_lived');
        $this->metrics->unregister('short_lived');
        self::assertStringNotContainsString('short_lived', file_get_contents(self::$page));
        $this->expectException(ServiceException::class);
        $this->expectExceptionMessage('undefined collector short_lived');
        $this->metrics->add('short_lived');
    }

    public function testErrorsAreTheServers(): void
    {
        $this->metrics->declareCounter('strict', 'One label.', ['a']);
        foreach ([
            fn () => $this->metrics->add('nobody'),
            fn () => $this->metrics->add('strict', -1, ['x']),
            fn () => $this->metrics->add('strict', 1, ['x', 'y']),
            fn () => $this->metrics->set('strict', 1, ['x']),
            fn () => $this->metrics->declareHistogram('falling', buckets: [2, 1]),
        ] as $i => $wrong) {
            try {
                $wrong();
                self::fail("an exception is expected of number $i");
            } catch (ServiceException $error) {
                self::assertStringStartsWith('metrics.', $error->getMessage());
            }
        }
    }
}
