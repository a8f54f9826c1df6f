<?php

declare(strict_types=1);

// A small PSR-7 application. The script starts once; the function below runs for each request, so
// $served goes on counting: that is the difference to PHP under a classic web server.

use Nyholm\Psr7\Response;
use Psr\Http\Message\ResponseInterface;
use Psr\Http\Message\ServerRequestInterface;
use Rr\Worker\PsrWorker;
use Rr\Worker\Response as Streamed;

require 'Nyholm/Psr7/autoload.php'; // Debian: php-nyholm-psr7
require __DIR__ . '/../../../php-worker/autoload.php';

$started = microtime(true);
$served = 0;

$json = static fn (mixed $value): ResponseInterface => new Response(
    200,
    ['Content-Type' => 'application/json'],
    json_encode($value, JSON_PRETTY_PRINT | JSON_UNESCAPED_SLASHES | JSON_INVALID_UTF8_SUBSTITUTE)
        . "\n",
);
$html = static fn (int $status, string $page): ResponseInterface => new Response(
    $status,
    ['Content-Type' => 'text/html; charset=utf-8'],
    $page,
);

(new PsrWorker())->serve(static function (ServerRequestInterface $request) use (
    $json,
    $html,
    $started,
    &$served,
): ResponseInterface|Streamed {
    ++$served;
    switch ($request->getUri()->getPath()) {
        case '/':
        case '':
            return $html(200, page('It works', 'A PHP process answered this, and is waiting for'
                . ' the next request already.', [
                    'Request' => $request->getMethod() . ' ' . $request->getUri(),
                    'Protocol' => 'HTTP/' . $request->getProtocolVersion(),
                    'Process' => 'pid ' . getmypid() . ', PHP ' . PHP_VERSION,
                    'Requests answered by it' => (string) $served,
                    'Running for' => sprintf('%.1f s', microtime(true) - $started),
                    'Memory' => sprintf('%.1f MiB', memory_get_usage() / 1048576),
                ], $request->getHeaders()));
        case '/json':
            return $json([
                'hello' => 'world',
                'pid' => getmypid(),
                'served' => $served,
                'query' => $request->getQueryParams(),
            ]);
        case '/headers':
            return $json($request->getHeaders());
        case '/stream':
            return new Streamed(200, count_down(), ['Content-Type' => 'text/plain; charset=utf-8',
                'X-Content-Type-Options' => 'nosniff']);
        case '/health':
            return new Response(200, ['Content-Type' => 'text/plain'], "ok\n");
    }
    return $html(404, page('Nothing here', 'This application has no page of that name.', [
        'Request' => $request->getMethod() . ' ' . $request->getUri(),
    ], []));
});

/** @return iterable<string> */
function count_down(): iterable
{
    for ($i = 5; $i > 0; --$i) {
        yield "$i ...\n";
        sleep(1);
    }
    yield "done: one answer, sent while it was made\n";
}

/** @param array<array-key, string> $cells */
function rows(array $cells): string
{
    $escape = static fn (string $text): string
        => htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
    $rows = '';
    foreach ($cells as $name => $value) {
        $rows .= "<tr><th>{$escape((string) $name)}</th><td>{$escape($value)}</td></tr>\n";
    }
    return $rows;
}

/**
 * @param array<string, string> $facts
 * @param array<string, list<string>> $headers
 */
function page(string $title, string $lead, array $facts, array $headers): string
{
    $rows = rows($facts);
    $more = rows(array_map(static fn (array $values): string => implode(', ', $values), $headers));
    if ($more !== '') {
        $more = "<h2>Headers your browser sent</h2>\n<table>\n$more</table>\n";
    }
    return <<<HTML
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>$title - rr</title>
        <style>
          :root { color-scheme: light dark; --line: #8884; --accent: #0b7a75; }
          @media (prefers-color-scheme: dark) { :root { --accent: #4fd1c5; } }
          body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto;
            padding: 0 1.2rem; }
          h1 { font-size: 2.2rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
          h1::before { content: ""; display: inline-block; width: .5em; height: .5em;
            margin-right: .4em; border-radius: 50%; background: var(--accent); }
          p { margin: .5rem 0 1.5rem; }
          table { border-collapse: collapse; width: 100%; }
          th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0;
            border-bottom: 1px solid var(--line); overflow-wrap: anywhere; }
          th { font-weight: 500; width: 14rem; opacity: .75; }
          nav a { display: inline-block; margin: 1.5rem 1rem 0 0; color: var(--accent); }
        </style>
        <h1>$title</h1>
        <p>$lead</p>
        <table>
        $rows</table>
        <nav><a href="/">Front page</a><a href="/json">JSON</a><a href="/headers">Headers</a><a
          href="/stream">A streamed answer</a><a href="/missing">A missing page</a></nav>
        $more</html>

        HTML;
}
