import { frame, parseEventId, type LogStart } from '../logs';
import type { LogSource } from '../machine';
import type { Pod } from '../pod';
import { invalid } from '../problem';
import type { Reply } from '../reply';
import type { Call } from '../rest';

const DEFAULT_TAIL = 100;

/** A pod's log as server-sent events: what is there, then what comes. It never ends by itself. @throws Problem 422 */
export function streamLogs(call: Call, pod: Pod): Reply {
  const { settings } = call.world;
  const source = call.query['source'] as LogSource | undefined;
  const start = startOf(call);
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-cache',
      Connection: 'keep-alive',
      'X-Accel-Buffering': 'no',
    },
    stream: (response) => {
      const cut = settings.logCut.times > 0 ? settings.logCut.afterEvents : Infinity;
      if (cut !== Infinity) settings.logCut = { ...settings.logCut, times: settings.logCut.times - 1 };
      let sent = 0;
      const send = (text: string): void => {
        if (sent++ < cut) response.write(text);
        // The bytes before the cut still arrive.
        if (sent >= cut) setImmediate(() => response.destroy());
      };
      // The head goes out at once, though there may be no line yet.
      response.write(': stream\n\n');
      for (const line of pod.log.read(start, source)) send(frame(line, settings.logIds));
      let withheld = settings.logStall.afterEvents;
      const lines = pod.log.onLine((line) => {
        if (source !== undefined && line.source !== source) return;
        if (settings.logStall.on && withheld-- <= 0) return;
        send(frame(line, settings.logIds));
      });
      const keepalive = setInterval(() => response.write(': keepalive\n\n'), settings.logKeepaliveMs);
      response.on('close', () => {
        clearInterval(keepalive);
        lines.dispose();
      });
    },
  };
}

/** Last-Event-ID goes before `since`, and that before `tail`. */
function startOf(call: Call): LogStart {
  const eventId = call.headers['last-event-id'];
  if (typeof eventId === 'string' && eventId !== '') {
    const parsed = parseEventId(eventId);
    if (parsed === undefined) throw invalid('header.Last-Event-ID: must be a time stamp that this endpoint sent');
    return { kind: 'after', ...parsed };
  }
  const since = call.query['since'];
  if (typeof since === 'string') return { kind: 'since', ts: since };
  return { kind: 'tail', lines: typeof call.query['tail'] === 'number' ? call.query['tail'] : DEFAULT_TAIL };
}
