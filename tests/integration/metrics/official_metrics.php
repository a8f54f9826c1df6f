<?php
// The official package metrics, unmodified: official_metrics.php ADDRESS.
// RR_SDK_METRICS_AUTOLOAD names its autoload file. Prints `ok` or what was not as expected.

use Psr\Log\AbstractLogger;
use Spiral\Goridge\RPC\RPC;
use Spiral\RoadRunner\Metrics\Collector;
use Spiral\RoadRunner\Metrics\Exception\MetricsException;
use Spiral\RoadRunner\Metrics\Metrics;
use Spiral\RoadRunner\Metrics\MetricsFactory;
use Spiral\RoadRunner\Metrics\MetricsOptions;

error_reporting(E_ALL);
set_error_handler(static function (int $level, string $text, string $file, int $line): bool {
    throw new ErrorException($text, 0, $level, $file, $line);
});
require getenv('RR_SDK_METRICS_AUTOLOAD');

function fails(callable $call, string $text): void
{
    try {
        $call();
    } catch (MetricsException $e) {
        if (str_contains($e->getMessage(), $text)) {
            return;
        }
        $text .= ', but: ' . $e->getMessage();
    }
    echo 'expected ', $text, "\n";
    exit(1);
}

$rpc = RPC::create($argv[1]);
$metrics = new Metrics($rpc);

$metrics->declare('orders', Collector::counter()->withNamespace('shop')->withSubsystem('web')
    ->withHelp('Orders taken')->withLabels('country', 'kind'));
$metrics->declare('orders', Collector::gauge());  // exists: nothing happens
$metrics->declare('level', Collector::gauge()->withHelp('A level'));
$metrics->declare('size', Collector::histogram(1, 2.5, 10)->withLabels('unit'));
$metrics->declare('took', Collector::summary());

$metrics->add('orders', 2, ['de', 'new']);
$metrics->add('orders', 0.5, ['de', 'new']);
$metrics->set('level', 10);
$metrics->sub('level', 2.5);
$metrics->add('level', 1);
$metrics->observe('size', 2, ['kg']);
$metrics->observe('took', 0.25);
$metrics->add('configured', 1, ['x']);

fails(fn() => $metrics->add('nosuch', 1), 'undefined collector nosuch, try first Declare');
fails(fn() => $metrics->add('orders', 1), 'required labels for collector `orders`');
fails(fn() => $metrics->add('orders', 1, ['a']), 'expected 2 label values but got 1');
fails(fn() => $metrics->add('orders', -1, ['a', 'b']), 'counter cannot decrease in value');
fails(fn() => $metrics->set('orders', 1, ['a', 'b']), 'does not support method Set');
fails(fn() => $metrics->sub('took', 1), 'does not support method `Sub`');
fails(fn() => $metrics->unregister('nosuch'), 'undefined collector nosuch');
fails(fn() => $metrics->declare('bad', Collector::histogram(2, 1)), 'in increasing order');

$metrics->declare('gone', Collector::gauge());
$metrics->unregister('gone');

$log = new class extends AbstractLogger {
    public int $count = 0;
    public function log($level, string|Stringable $message, array $context = []): void
    {
        ++$this->count;
    }
};
$quiet = (new MetricsFactory($log))->create($rpc, new MetricsOptions(
    retryAttempts: 1, retrySleepMicroseconds: 1, suppressExceptions: true));
$quiet->add('nosuch', 1);
$quiet->add('level', 1);
echo $log->count === 1 ? "ok\n" : "the factory's logger heard {$log->count} errors\n";
