<?php

declare(strict_types=1);

namespace Rr\Worker;

/**
 * Metrics of the application, beside the server's own ones on its Prometheus page. Needs the section
 * `metrics` of the configuration, where they may be declared as well.
 *
 *     $metrics = new Metrics(Rpc::create());
 *     $metrics->declareCounter('orders', 'Orders placed.', ['country']);
 *     $metrics->add('orders', 1, ['de']);
 *
 * Values of labels stand in the order in which the labels were declared. Declaring what is there
 * changes nothing, so every worker may do it when it starts.
 */
final class Metrics
{
    public function __construct(private RpcClient $rpc)
    {
    }

    /** @param list<string|int> $labels of a counter or a gauge; counters only rise */
    public function add(string $name, int|float $value = 1, array $labels = []): void
    {
        $this->change('metrics.Add', $name, $value, $labels);
    }

    /** @param list<string|int> $labels of a gauge */
    public function sub(string $name, int|float $value = 1, array $labels = []): void
    {
        $this->change('metrics.Sub', $name, $value, $labels);
    }

    /** @param list<string|int> $labels of a gauge */
    public function set(string $name, int|float $value, array $labels = []): void
    {
        $this->change('metrics.Set', $name, $value, $labels);
    }

    /** @param list<string|int> $labels of a histogram or a summary */
    public function observe(string $name, int|float $value, array $labels = []): void
    {
        $this->change('metrics.Observe', $name, $value, $labels);
    }

    /** @param list<string> $labels */
    public function declareCounter(
        string $name,
        string $help = '',
        array $labels = [],
        string $namespace = '',
        string $subsystem = '',
    ): void {
        $this->declare('counter', $name, $help, $labels, $namespace, $subsystem);
    }

    /** @param list<string> $labels */
    public function declareGauge(
        string $name,
        string $help = '',
        array $labels = [],
        string $namespace = '',
        string $subsystem = '',
    ): void {
        $this->declare('gauge', $name, $help, $labels, $namespace, $subsystem);
    }

    /**
     * @param list<string> $labels
     * @param list<int|float> $buckets upper bounds, rising; empty: from 0.005 to 10
     */
    public function declareHistogram(
        string $name,
        string $help = '',
        array $labels = [],
        array $buckets = [],
        string $namespace = '',
        string $subsystem = '',
    ): void {
        $this->declare('histogram', $name, $help, $labels, $namespace, $subsystem, $buckets);
    }

    /** @param list<string> $labels */
    public function declareSummary(
        string $name,
        string $help = '',
        array $labels = [],
        string $namespace = '',
        string $subsystem = '',
    ): void {
        $this->declare('summary', $name, $help, $labels, $namespace, $subsystem);
    }

    /** Removes a metric that was declared here. */
    public function unregister(string $name): void
    {
        $this->rpc->call('metrics.Unregister', $name);
    }

    private function change(string $method, string $name, int|float $value, array $labels): void
    {
        $this->rpc->call($method, ['name' => $name, 'value' => $value,
            'labels' => self::texts($labels)]);
    }

    private function declare(
        string $type,
        string $name,
        string $help,
        array $labels,
        string $namespace,
        string $subsystem,
        array $buckets = [],
    ): void {
        $this->rpc->call('metrics.Declare', ['name' => $name, 'collector' => [
            'namespace' => $namespace,
            'subsystem' => $subsystem,
            'type' => $type,
            'help' => $help,
            'labels' => self::texts($labels),
            'buckets' => array_map('floatval', array_values($buckets)),
        ]]);
    }

    /** @return list<string> */
    private static function texts(array $labels): array
    {
        return array_map('strval', array_values($labels));
    }
}
