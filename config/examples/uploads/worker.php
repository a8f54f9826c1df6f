<?php

declare(strict_types=1);

// Forms and file uploads without PSR-7. The server has parsed the form and written the files to
// disk before this code runs; what we want to keep, we move.

use Rr\Worker\HttpWorker;
use Rr\Worker\Request;
use Rr\Worker\Response;

require __DIR__ . '/../../../php-worker/autoload.php';

$kept = sys_get_temp_dir() . '/rr-example-uploads';

(new HttpWorker())->serve(static function (Request $request) use ($kept): Response {
    $path = parse_url($request->uri, PHP_URL_PATH);
    if ($path !== '/' && $path !== null) {
        return Response::html(page('<p>No such page. <a href="/">Back to the form</a></p>'), 404);
    }
    if ($request->method !== 'POST') {
        return Response::html(page(form()));
    }
    $title = $request->parsedBody()['title'] ?? '';
    $rows = '';
    foreach (files($request->uploads) as $file) {
        $cells = [$file['name'], $file['mime'], number_format($file['size']), keep($file, $kept)];
        $rows .= '<tr><td>' . implode('</td><td>', array_map(escape(...), $cells)) . '</td></tr>';
    }
    $head = '<tr><th>Name<th>Type<th>Bytes<th>SHA-256, or why not</tr>';
    return Response::html(page('<p>Title: <b>' . escape(is_string($title) ? $title : '')
        . '</b></p>' . ($rows === '' ? '<p>No files.</p>' : "<table>$head$rows</table>")
        . form()));
});

/**
 * The leaves of the tree of uploads: a field "f" is a leaf, "f[]" a list, "f[a][b]" a tree.
 *
 * @return iterable<array{name: string, mime: string, size: int, error: int, tmpName: string}>
 */
function files(array $tree): iterable
{
    if (isset($tree['name'], $tree['error']) && is_string($tree['name'])) {
        yield $tree;
        return;
    }
    foreach ($tree as $branch) {
        yield from files($branch);
    }
}

/** Moves a file out of the server's reach; what stays is removed after the answer. */
function keep(array $file, string $folder): string
{
    if ($file['error'] !== UPLOAD_ERR_OK) {
        return $file['error'] === UPLOAD_ERR_EXTENSION ? 'this extension is forbidden'
            : "error $file[error]";
    }
    is_dir($folder) || mkdir($folder, 0700);
    $hash = (string) hash_file('sha256', $file['tmpName']);
    // Never the client's name: it may be anything.
    return rename($file['tmpName'], "$folder/$hash") ? $hash : 'cannot be moved';
}

function form(): string
{
    return '<form method="post" enctype="multipart/form-data"><p><label>Title <input name="title">'
        . '</label></p><p><input type="file" name="files[]" multiple></p>'
        . '<p><button>Send</button></p></form>';
}

function escape(string $text): string
{
    return htmlspecialchars($text, ENT_QUOTES | ENT_SUBSTITUTE);
}

function page(string $content): string
{
    return '<!doctype html><html lang="en"><meta charset="utf-8"><title>Uploads - rr</title><style>'
        . ':root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:44rem;'
        . 'margin:3rem auto;padding:0 1.2rem}td,th{text-align:left;padding:.3rem .8rem .3rem 0;'
        . 'overflow-wrap:anywhere}</style><h1>Uploads</h1>' . $content . "</html>\n";
}
