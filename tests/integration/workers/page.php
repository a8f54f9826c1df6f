<?php

declare(strict_types=1);

// A page for a real browser: it uploads a file, listens to server-sent events, loads twenty pictures at
// once and tells what came of it to /report, which writes that on stderr.

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;

require __DIR__ . '/../../../php-worker/autoload.php';

$page = <<<'HTML'
    <!doctype html>
    <title>page</title>
    <script type="module">
      const seen = {};
      try {
        seen.protocol = performance.getEntriesByType('navigation')[0].nextHopProtocol;
        const form = new FormData();
        form.append('name', 'värde');
        form.append('file', new File([new Uint8Array(300000).fill(7)], 'data.bin'));
        seen.upload = await (await fetch('/upload', {method: 'POST', body: form})).json();
        seen.events = await new Promise((done, failed) => {
          const events = [];
          const source = new EventSource('/events');
          source.onmessage = event => {
            events.push(event.data);
            if (events.length === 3) { source.close(); done(events); }
          };
          source.onerror = () => failed(new Error('events'));
        });
        const pictures = await Promise.all([...Array(20).keys()].map(async n =>
          (await (await fetch('/picture?n=' + n)).text()) === 'picture ' + n));
        seen.pictures = pictures.every(Boolean);
        const long = await fetch('/long');
        seen.long = (await long.arrayBuffer()).byteLength;
      } catch (error) {
        seen.error = String(error);
      }
      await fetch('/report', {method: 'POST', body: JSON.stringify(seen)});
    </script>
    HTML;

(new HttpWorker())->serve(function (Request $request) use ($page) {
    $type = static fn (string $text): array => ['Content-Type' => $text];
    switch (parse_url($request->uri, PHP_URL_PATH)) {
        case '/':
            return new Rr\Worker\Response(200, $page, $type('text/html; charset=utf-8'));
        case '/upload':
            $file = $request->uploads['file'];
            return new Rr\Worker\Response(200, json_encode([
                'name' => json_decode($request->body, true)['name'],
                'file' => $file['name'],
                'size' => $file['size'],
                'sum' => hash_file('crc32b', $file['tmpName']),
            ]), $type('application/json'));
        case '/events':
            return new Rr\Worker\Response(200, (static function (): iterable {
                foreach ([1, 2, 3] as $n) {
                    usleep(50000);
                    yield "data: event $n\n\n";
                }
                usleep(300000);
            })(), $type('text/event-stream'));
        case '/picture':
            return 'picture ' . $request->query['n'];
        case '/long':
            return str_repeat('x', 3_000_000);
        case '/report':
            fwrite(STDERR, 'report ' . $request->body . "\n");
            return '';
    }
    return new Rr\Worker\Response(404, 'nothing here');
});
