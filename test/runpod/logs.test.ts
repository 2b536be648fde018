import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import type { LogOptions } from '../../src/runpod/logs';
import type { LogLine } from '../../src/runpod/types';
import { clientFor, failure, html, problem, ScriptedServer } from './scriptedServer';
import { until } from '../support/until';

const stamp = (n: number): string => `2026-06-01T12:02:0${Math.floor(n / 3) % 10}Z`;
const idOf = (n: number): string => `${stamp(n)}/${String(n).padStart(12, '0')}`;
const frame = (n: number, line = `line ${n}`): string => `id: ${idOf(n)}\ndata: ${JSON.stringify({ ts: stamp(n), source: n % 2 === 0 ? 'container' : 'system', line })}\n\n`;

function open(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
  response.flushHeaders();
}

/** Answers like the service: what comes after `Last-Event-ID`, or the tail, and then stays open. */
function serve(total: number, cutAfter: (connection: number) => number): Parameters<typeof ScriptedServer.start>[0] {
  let connection = 0;
  return (seen, response) => {
    open(response);
    const last = seen.headers['last-event-id'];
    const from = typeof last === 'string' ? Number(last.split('/')[1]) + 1 : 0;
    const to = Math.min(total, from + cutAfter(connection++));
    for (let n = from; n < to; n++) response.write(frame(n));
    if (to < total) setTimeout(() => response.destroy(), 10);
  };
}

describe('runpod logs: every line once, across cuts, until the caller leaves', () => {
  let server: ScriptedServer;
  afterEach(() => server.close());

  async function take(count: number, options: LogOptions = {}, timings = {}): Promise<LogLine[]> {
    const lines: LogLine[] = [];
    for await (const line of clientFor(server.restUrl, { timings }).pods.logs('p1', options)) {
      lines.push(line);
      if (lines.length === count) break;
    }
    return lines;
  }

  it('reads lines with time, source and id, and closes the connection when the loop is left', async () => {
    server = await ScriptedServer.start(serve(3, () => 3));
    const lines = await take(2);
    assert.deepEqual(lines, [
      { id: idOf(0), at: new Date('2026-06-01T12:02:00Z'), source: 'container', line: 'line 0' },
      { id: idOf(1), at: new Date('2026-06-01T12:02:00Z'), source: 'system', line: 'line 1' },
    ]);
    await until(() => server.connections === 0, 'the server sees the connection close');
    assert.equal(server.seen[0]?.headers.accept, 'text/event-stream');
    assert.equal(server.seen[0]?.path, '/v2/pods/p1/logs');
  });

  it('asks for what the caller wants', async () => {
    server = await ScriptedServer.start(serve(1, () => 1));
    await take(1, { source: 'container', tail: 5000 });
    assert.equal(server.seen[0]?.url, '/v2/pods/p1/logs?source=container&tail=5000');
    await take(1, { since: new Date('2026-06-01T12:00:00Z') });
    assert.equal(server.seen[1]?.query.get('since'), '2026-06-01T11:59:59.000Z', 'one second before, for the API begins after the second it is given');
    server.answer = serve(9, () => 9);
    const [first] = await take(1, { lastEventId: idOf(4) });
    assert.equal(server.seen[2]?.headers['last-event-id'], idOf(4));
    assert.equal(first?.line, 'line 5');
  });

  it('loses and repeats no line over many cuts', async () => {
    server = await ScriptedServer.start(serve(200, (connection) => 7 + connection));
    const lines = await take(200);
    assert.deepEqual(lines.map((line) => line.line), Array.from({ length: 200 }, (_, n) => `line ${n}`));
    assert.ok(server.seen.length > 5);
  });

  it('leaves out what a server repeats that resumes with the last line itself, or from the start', async () => {
    for (const back of [1, 1000]) {
      let connection = 0;
      server = await ScriptedServer.start((seen, response) => {
        open(response);
        const last = seen.headers['last-event-id'];
        const next = typeof last === 'string' ? Number(last.split('/')[1]) + 1 : 0;
        const to = Math.min(30, next + 10);
        for (let n = Math.max(0, next - back); n < to; n++) response.write(frame(n));
        if (connection++ < 2) setTimeout(() => response.end(), 10);
      });
      assert.deepEqual((await take(30)).map((line) => line.line), Array.from({ length: 30 }, (_, n) => `line ${n}`));
      if (back === 1) await server.close();
    }
  });

  it('tells equal lines with bare times as ids apart from repetitions', async () => {
    const bare = (line: string): string => `id: 2026-06-01T12:00:00Z\ndata: ${JSON.stringify({ ts: '2026-06-01T12:00:00Z', source: 'container', line })}\n\n`;
    server = await ScriptedServer.start((_seen, response, index) => {
      open(response);
      response.write(bare('a') + bare('a') + bare('b'));
      if (index === 0) setTimeout(() => response.destroy(), 10);
      else response.write(bare('c'));
    });
    assert.deepEqual((await take(4)).map((line) => line.line), ['a', 'a', 'b', 'c']);
  });

  it('loses and repeats no line where ids are whole seconds and the API goes on after the second it is given', async () => {
    const at = (n: number): string => `2026-10-05T03:36:5${Math.floor(n / 5)}Z`;
    server = await ScriptedServer.start((seen, response, index) => {
      open(response);
      const after = seen.headers['last-event-id'] ?? seen.query.get('since') ?? '';
      const due = Array.from({ length: 20 }, (_, n) => n).filter((n) => Math.floor(Date.parse(at(n)) / 1000) > Math.floor(Date.parse(String(after)) / 1000));
      // Each connection is cut in the midst of a second.
      for (const n of due.slice(0, index < 3 ? 8 : 20)) response.write(`id: ${at(n)}\ndata: ${JSON.stringify({ ts: at(n), source: 'container', line: `line ${n % 5 < 2 ? 'twin' : n}` })}\n\n`);
      if (index < 3) setTimeout(() => response.destroy(), 10);
    });
    const lines = await take(20, { since: new Date('2026-10-05T03:36:50.400Z') });
    assert.deepEqual(lines.map((line) => line.line), Array.from({ length: 20 }, (_, n) => `line ${n % 5 < 2 ? 'twin' : n}`));
  });

  it('leaves out what is older than the second that was asked for', async () => {
    server = await ScriptedServer.start((_seen, response) => {
      open(response);
      for (const second of [49, 50, 51]) response.write(`id: x/${second}\ndata: ${JSON.stringify({ ts: `2026-10-05T03:36:${second}Z`, source: 'container', line: `at ${second}` })}\n\n`);
    });
    assert.deepEqual((await take(2, { since: new Date('2026-10-05T03:36:50.400Z') })).map((line) => line.line), ['at 50', 'at 51']);
  });

  it('opens a stream anew that only keeps itself alive, ever more rarely, for its lines may come to a new one alone', async () => {
    const opened: number[] = [];
    server = await ScriptedServer.start((_seen, response, index) => {
      opened.push(performance.now());
      open(response);
      response.write(frame(0));
      if (index >= 3) response.write(frame(1));
      const timer = setInterval(() => response.write(': keepalive\n\n'), 20);
      response.on('close', () => clearInterval(timer));
    });
    assert.deepEqual((await take(2, {}, { logQuietMs: 150 })).map((line) => line.line), ['line 0', 'line 1']);
    assert.equal(server.seen.length, 4);
    const [first = 0, second = 0, third = 0, fourth = 0] = opened;
    assert.ok(second - first >= 150 && third - second >= 150 && fourth - third >= 300, `opened at ${opened.map((at) => Math.round(at - first)).join(', ')}`);
  });

  it('does not lose the lines between a cut and the next connection when only live ones were asked for', async () => {
    server = await ScriptedServer.start((seen, response, index) => {
      open(response);
      if (index === 0) setTimeout(() => response.destroy(), 10);
      else if (seen.query.has('since')) response.write(frame(1));
    });
    const [line] = await take(1, { tail: 0 });
    assert.equal(line?.line, 'line 1');
    assert.equal(server.seen[0]?.query.get('tail'), '0');
    assert.ok(Math.abs(Date.parse(server.seen[1]?.query.get('since') ?? '') - Date.now()) < 5000);
  });

  it('goes on after the server has been away', async () => {
    server = await ScriptedServer.start((_seen, response, index) => {
      if (index === 0) {
        open(response);
        response.write(frame(0));
        setTimeout(() => response.destroy(), 5);
      } else if (index < 6) problem(response, 503, 'busy');
      else {
        open(response);
        response.write(frame(1));
      }
    });
    assert.equal((await take(2)).length, 2);
  });

  it('ends with the error when the log cannot be had at all', async () => {
    server = await ScriptedServer.start((_seen, response) => problem(response, 503, 'busy'));
    assert.equal((await failure(take(1))).code, 'server');
    assert.equal(server.seen.length, 3);
    server.answer = (_seen, response): void => html(response, 200, '<html>Log in</html>');
    assert.equal((await failure(take(1))).code, 'not-json');
  });

  it('ends with the error when it cannot be had again for too long', async () => {
    server = await ScriptedServer.start((_seen, response, index) => {
      if (index > 0) return problem(response, 503, 'busy');
      open(response);
      response.write(frame(0));
      setTimeout(() => response.destroy(), 5);
    });
    assert.equal((await failure(take(2, {}, { logGiveUpMs: 100 }))).code, 'server');
  });

  for (const [status, code] of [[401, 'unauthorized'], [403, 'forbidden'], [404, 'not-found']] as const) {
    it(`ends at once with ${code}, at the start and after a cut`, async () => {
      server = await ScriptedServer.start((_seen, response) => problem(response, status, 'no'));
      assert.equal((await failure(take(1))).code, code);
      assert.equal(server.seen.length, 1);
      server.answer = (_seen, response, index): void => {
        if (index > 1) return problem(response, status, 'no');
        open(response);
        response.end(frame(0));
      };
      assert.equal((await failure(take(2))).code, code);
      assert.equal(server.seen.length, 3);
    });
  }

  it('ends quietly when the signal aborts while nothing comes, and closes the connection at once', async () => {
    server = await ScriptedServer.start((_seen, response) => open(response));
    const leave = new AbortController();
    const reading = take(1, { signal: leave.signal });
    await until(() => server.connections === 1, 'the stream is open');
    leave.abort();
    assert.deepEqual(await reading, []);
    await until(() => server.connections === 0, 'the server sees the connection close');
    assert.deepEqual(await take(1, { signal: leave.signal }), [], 'a signal that is aborted already opens nothing');
    assert.equal(server.seen.length, 1);
  });

  it('ends when its iterator is told to return while it waits for a line', async () => {
    server = await ScriptedServer.start((_seen, response) => open(response));
    const lines = clientFor(server.restUrl).pods.logs('p1')[Symbol.asyncIterator]();
    const waiting = lines.next();
    await until(() => server.connections === 1, 'the stream is open');
    await lines.return?.();
    assert.equal((await waiting).done, true);
    await until(() => server.connections === 0, 'the server sees the connection close');
  });

  it('ends when the client is disposed of', async () => {
    server = await ScriptedServer.start((_seen, response) => open(response));
    const client = clientFor(server.restUrl);
    const waiting = client.pods.logs('p1')[Symbol.asyncIterator]().next();
    await until(() => server.connections === 1, 'the stream is open');
    client.dispose();
    assert.equal((await waiting).done, true);
    await until(() => server.connections === 0, 'the connection is closed');
  });

  it('takes a silent stream for dead, but not one with keepalives', async () => {
    server = await ScriptedServer.start((_seen, response, index) => {
      open(response);
      if (index === 0) response.write(frame(0));
      else {
        let n = 0;
        const timer = setInterval(() => response.write(++n < 18 ? ': keepalive\n\n' : frame(1)), 100);
        response.on('close', () => clearInterval(timer));
      }
    });
    const lines = await take(2, {}, { logSilenceMs: 1_500 });
    assert.equal(lines.length, 2);
    assert.equal(server.seen.length, 2, 'the second stream was quiet for 1.8 s but for its keepalives');
  });

  it('keeps a stream open beyond the deadline of a call', async () => {
    server = await ScriptedServer.start((_seen, response) => {
      open(response);
      setTimeout(() => response.write(frame(0)), 1_500);
    });
    assert.equal((await take(1, {}, { callMs: 1_000 })).length, 1);
    assert.equal(server.seen.length, 1);
  });

  it('reads long lines, thousands of lines, and characters cut in two by the network', async () => {
    const long = 'x'.repeat(3_000_000);
    server = await ScriptedServer.start(async (_seen, response) => {
      open(response);
      const euro = Buffer.from(frame(0, 'Preis: 5 € 🚀'));
      for (const byte of euro) {
        response.write(Buffer.of(byte));
        await new Promise((resolve) => setImmediate(resolve));
      }
      response.write(frame(1, long));
      response.write(Array.from({ length: 20_000 }, (_, n) => frame(n + 2)).join(''));
    });
    const lines = await take(20_002);
    assert.equal(lines[0]?.line, 'Preis: 5 € 🚀');
    assert.equal(lines[1]?.line.length, long.length);
    assert.equal(lines.at(-1)?.line, 'line 20001');
  });

  it('passes over frames it does not know and keeps words outside of the envelope', async () => {
    server = await ScriptedServer.start((_seen, response) => {
      open(response);
      response.write('event: ping\n\nretry: 10\n\n');
      response.write(`id: ${idOf(0)}\ndata: {"ts":"x","source":"other","line":5}\n\n`);
      response.write(`id: ${idOf(1)}\ndata: plain words\n\n`);
      response.write(`data: {"ts":"2026-06-01T12:00:00Z","source":"container","line":"no id\\r\\n"}\n\n`);
    });
    const lines = await take(2);
    assert.equal(lines[0]?.line, 'plain words');
    assert.equal(lines[1]?.line, 'no id');
    assert.equal(lines[1]?.id, '2026-06-01T12:00:00Z');
  });

  it('opens nothing before the first line is asked for', async () => {
    server = await ScriptedServer.start((_seen, response) => open(response));
    const lines = clientFor(server.restUrl).pods.logs('p1')[Symbol.asyncIterator]();
    await lines.return?.();
    assert.equal(server.seen.length, 0);
  });
});
