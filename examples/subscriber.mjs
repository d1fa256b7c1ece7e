// @ts-check
// A sample subscriber: it accepts the events of a webhook, and rejects events that Outdial did not sign.
//
//  1. A request without the three headers, with a time more than five minutes away from now, or with a signature that is
//     not correct is answered with 401, and nothing is done.
//  2. An event may come more than once with the same `webhook-id`, for example after a lost answer. Each event is
//     handled once. Its id is on disk before the event is answered, so a restart forgets no event.
//  3. An event that is answered with 2xx is not sent again. An error in `handle` is answered with 500, and the event is
//     sent again later.
//
//     OUTDIAL_WEBHOOK_SECRET=whsec_… node examples/subscriber.mjs --port 9091 --journal events.jsonl
//
// The journal has a line for each event. While a secret is being changed, OUTDIAL_WEBHOOK_SECRET may have both secrets,
// with a space between them. Only Node.js (18 or later) is needed.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { existsSync, fsyncSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { createServer } from 'node:http';
import { parseArgs } from 'node:util';

const TOLERANCE_SECONDS = 300;
const BODY_MAX = 1 << 20;

/** @typedef {{ id: string, type: string, timestamp: string, data: Record<string, unknown> | null }} Event */

/** @param {string} secrets @returns {Buffer[]} */
function keysOf(secrets) {
  return secrets.split(/\s+/).filter(Boolean).map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
}

/** Standard Webhooks: HMAC-SHA256 over "id.timestamp.body". One correct signature is enough.
 * @param {Buffer[]} keys @param {import('node:http').IncomingHttpHeaders} headers @param {Buffer} body @param {number} now */
function isGenuine(keys, headers, body, now) {
  const [message, timestamp, signatures] = ['id', 'timestamp', 'signature'].map((name) => headers[`webhook-${name}`]);
  if (typeof message !== 'string' || typeof timestamp !== 'string' || typeof signatures !== 'string') return false;
  if (message === '' || !/^\d{1,12}$/.test(timestamp) || Math.abs(now - Number(timestamp)) > TOLERANCE_SECONDS) return false;
  const found = signatures.split(' ').map((text) => Buffer.from(text));
  return keys.some((key) => {
    const hmac = createHmac('sha256', key).update(`${message}.${timestamp}.`, 'latin1').update(body);
    const right = Buffer.from('v1,' + hmac.digest('base64'));
    return found.some((one) => one.length === right.length && timingSafeEqual(one, right));
  });
}

/** The file of the events that were handled, with a line for each event, and the set of their ids. */
class Journal {
  /** @param {string} path @param {(event: Event) => void} handle */
  constructor(path, handle) {
    const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    // If a process ended while it wrote the last line, it did not answer this event: the event is sent again.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1);
    if (whole.length !== text.length) truncateSync(path, Buffer.byteLength(whole));
    this.handle = handle;
    this.seen = new Set(whole.split('\n').filter(Boolean).map((line) => JSON.parse(line).id));
    this.file = openSync(path, 'a');
  }

  /** Returns false if the event was handled before. @param {string} message @param {Event} event */
  take(message, event) {
    if (this.seen.has(message)) return false;
    this.handle(event);
    writeSync(this.file, JSON.stringify({ ...event, id: message }) + '\n');
    fsyncSync(this.file);
    this.seen.add(message);
    return true;
  }
}

/** Your own work. It runs again for an event if the process ends before the event is in the journal.
 * @param {Event} event */
function handle(event) {
  console.log(event.type, event.data?.batch_id ?? event.data?.id ?? '');
}

/** @param {Buffer[]} keys @param {Journal} journal */
function subscriber(keys, journal) {
  return createServer((request, response) => {
    /** @type {Buffer[]} */
    const parts = [];
    let length = 0;
    const answer = (/** @type {number} */ status) => response.writeHead(status, { 'Content-Length': 0 }).end();
    if (request.method !== 'POST') return void answer(405);
    request.on('data', (part) => {
      length += part.length;
      if (length <= BODY_MAX) parts.push(part);
      else if (!response.headersSent) answer(413).once('finish', () => request.destroy());
    });
    request.on('end', () => {
      const body = Buffer.concat(parts);
      if (length > BODY_MAX) return;
      if (!isGenuine(keys, request.headers, body, Date.now() / 1000)) return void answer(401);
      try {
        answer(journal.take(String(request.headers['webhook-id']), JSON.parse(body.toString('utf8'))) ? 201 : 200);
      } catch (error) {
        console.error('an event could not be handled:', error); // it comes again
        answer(500);
      }
    });
  });
}

const { values } = parseArgs({ options: { port: { type: 'string', default: '9091' }, journal: { type: 'string', default: 'events.jsonl' } } });
const keys = keysOf(process.env.OUTDIAL_WEBHOOK_SECRET ?? '');
if (keys.length === 0 || keys.some((key) => key.length === 0)) {
  console.error('OUTDIAL_WEBHOOK_SECRET must be the secret of the webhook, whsec_…');
  process.exit(1);
}
const server = subscriber(keys, new Journal(String(values.journal), handle));
server.listen(Number(values.port), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listens on port ${typeof address === 'object' && address !== null ? address.port : ''}`);
});
