<?php

declare(strict_types=1);

// Server-sent events from a generator: each yield is sent at once. When the browser leaves, the
// server says STOP, and the generator gets StreamStopped at its yield: its finally block runs.

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Response;

require __DIR__ . '/../../../php-worker/autoload.php';

(new HttpWorker())->serve(static fn (Request $request): Response => match (
    parse_url($request->uri, PHP_URL_PATH)
) {
    '/' => Response::html(page()),
    '/events' => new Response(200, events((int) ($request->query['n'] ?? 60)), [
        'Content-Type' => 'text/event-stream',
        'Cache-Control' => 'no-cache',
    ]),
    default => new Response(404, "not found\n", ['Content-Type' => 'text/plain']),
});

/** @return Generator<string> */
function events(int $count): Generator
{
    $sent = 0;
    try {
        yield "retry: 5000\n\n";
        for ($i = 1; $i <= $count; ++$i) {
            yield "id: $i\nevent: tick\ndata: " . json_encode(['n' => $i, 'time' => date('H:i:s'),
                'pid' => getmypid()]) . "\n\n";
            $sent = $i;
            usleep(500_000);
        }
        yield "event: end\ndata: {}\n\n";
    } finally {
        // Also where the client has gone: release here what the stream holds.
        fwrite(STDERR, "stream ended after $sent of $count events\n");
    }
}

function page(): string
{
    return <<<'HTML'
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <title>Streaming - rr</title>
        <style>:root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;
          max-width:44rem;margin:3rem auto;padding:0 1.2rem}</style>
        <h1>Server-sent events</h1>
        <p><button id="stop">Stop</button> <span id="state">connecting</span></p>
        <pre id="log"></pre>
        <script>
          const log = document.getElementById('log'), state = document.getElementById('state');
          const source = new EventSource('/events');
          const end = (why) => { source.close(); state.textContent = why; };
          source.onopen = () => { state.textContent = 'open'; };
          source.onerror = () => { state.textContent = 'connecting again'; };
          source.addEventListener('tick', (event) => {
            log.textContent = event.data + '\n' + log.textContent;
          });
          source.addEventListener('end', () => end('ended'));
          document.getElementById('stop').onclick = () => end('stopped');
        </script>
        </html>

        HTML;
}
