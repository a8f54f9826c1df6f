'use strict';

// A worker for rr in Node.js, with nothing but its own modules. The server starts this program and
// speaks Goridge v3 over its stdin and stdout; ../python/README.md describes the frame.

const fs = require('node:fs');

const CONTROL = 0x01, JSON_CODEC = 0x08, ERROR = 0x40; // flags
const STREAM = 0x01, STOP = 0x02, PONG = 0x08; // stream flags

// console.log must not write into a frame: it goes to stderr, which the server logs.
console.log = console.info = console.error;

const TABLE = Int32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; ++bit) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff] ^ (crc >>> 8);
  return ~crc >>> 0;
}

function encode(flags, payload, options = [], stream = 0) {
  const head = Buffer.alloc(12 + 4 * options.length);
  head[0] = 0x13 + options.length;
  head[1] = flags;
  head.writeUInt32LE(payload.length, 2);
  head.writeUInt32LE(crc32(head.subarray(0, 6)), 6);
  head[10] = stream;
  options.forEach((option, i) => head.writeUInt32LE(option, 12 + 4 * i));
  return Buffer.concat([head, payload]);
}

/** Takes whole frames off the front of what has arrived; returns the rest. */
function takeFrames(buffer, take) {
  while (buffer.length >= 12) {
    if (buffer.readUInt32LE(6) !== crc32(buffer.subarray(0, 6))) {
      throw new Error('bytes that are no frame: ' + buffer.subarray(0, 12).toString('hex'));
    }
    const headLength = 4 * (buffer[0] & 0x0f);
    const end = headLength + buffer.readUInt32LE(2);
    if (buffer.length < end) break;
    const options = [];
    for (let at = 12; at < headLength; at += 4) options.push(buffer.readUInt32LE(at));
    const payload = buffer.subarray(headLength, end);
    take({ flags: buffer[1], stream: buffer[10], options, payload });
    buffer = buffer.subarray(end);
  }
  return buffer;
}

function send(...frame) {
  // Synchronous: the server gives us one request after the other, and reads while we write.
  const bytes = encode(...frame);
  for (let at = 0; at < bytes.length;) at += writeSome(bytes, at);
}

function writeSome(bytes, at) {
  try {
    return fs.writeSync(1, bytes, at);
  } catch (error) {
    if (error.code === 'EAGAIN') { // the pipe is full: try again in a millisecond
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
      return 0;
    }
    if (error.code === 'EPIPE') process.exit(0); // the server is gone
    throw error;
  }
}

/** One request in hand: answer it once. */
class Exchange {
  constructor({ options, payload }) {
    this.number = options.slice(1, 2); // present where the handshake agreed on numbers
    this.context = JSON.parse(payload.subarray(0, options[0]).toString() || '{}');
    this.body = payload.subarray(options[0]);
  }

  /** With more = true, further calls continue the same answer. */
  respond(status, headers, body, more = false) {
    const context = Buffer.from(JSON.stringify({ status, headers }));
    const payload = Buffer.concat([context, Buffer.from(body)]);
    send(JSON_CODEC, payload, [context.length, ...this.number], more ? STREAM : 0);
  }

  /** The server answers 500 and logs the text; the worker stays in service. */
  error(text) {
    send(ERROR, Buffer.from(text), this.number.length ? [0, ...this.number] : []);
  }
}

function obey(command) {
  if (command.stop) process.exit(0);
  // The handshake. "rr": 1 tells our server that we repeat request numbers, so it may send a
  // request ahead; RoadRunner does not ask and gets the pid alone.
  const answer = command.rr === 1 ? { pid: process.pid, rr: 1 } : { pid: process.pid };
  send(CONTROL, Buffer.from(JSON.stringify(answer)));
}

/** Calls handler(exchange) with each request, one after the other. */
function serve(handler) {
  let waiting = Promise.resolve();
  const oneAfterTheOther = (frame) => {
    waiting = waiting.then(async () => {
      if (frame.flags & CONTROL) return obey(JSON.parse(frame.payload.toString()));
      if (frame.stream & (STOP | PONG)) return undefined;
      const exchange = new Exchange(frame);
      try {
        await handler(exchange);
      } catch (error) { // one request may fail, the worker goes on
        console.error('request failed:', error);
        exchange.error(String(error));
      }
      return undefined;
    });
    waiting.catch((error) => { console.error(error); process.exit(1); });
  };
  let rest = Buffer.alloc(0);
  process.stdin.on('data', (bytes) => {
    rest = takeFrames(rest.length ? Buffer.concat([rest, bytes]) : bytes, oneAfterTheOther);
  });
  process.stdin.on('end', () => process.exit(0)); // the server is gone
}

let served = 0;

serve(async (exchange) => {
  ++served;
  const url = new URL(exchange.context.uri, 'http://localhost');
  if (url.pathname === '/error') throw new Error('an error on purpose');
  exchange.respond(200, { 'Content-Type': ['application/json'] }, JSON.stringify({
    language: 'Node.js ' + process.version,
    pid: process.pid,
    served,
    method: exchange.context.method,
    path: url.pathname,
    query: Object.fromEntries(url.searchParams),
    headers: exchange.context.headers,
    bodyLength: exchange.body.length,
  }, null, 2) + '\n');
});
