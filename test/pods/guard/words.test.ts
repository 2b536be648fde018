import * as assert from 'node:assert/strict';
import { guardedArgs, guardInArgs, withGuard } from '../../../src/pods/guard/args';
import { secondLook } from '../../../src/pods/guard/secondLook';
import { standingOf, type GuardFound } from '../../../src/pods/guard/standing';
import { GUARD_VARIABLE, readWish, wishAmong, wishOf, wishWords } from '../../../src/pods/guard/wish';
import { GuardSilentError, readReport } from '../../../src/pods/guard/word';
import { ownEnd, timeLeftOf } from '../../../src/pods/timeLeft';
import type { Pod } from '../../../src/runpod/types';
import { shellWords } from '../../simulator/machine/words';
import { aPod } from '../podFixture';

const urls = { rest: 'https://api.runpod.io/v2', graphql: 'https://api.runpod.io/graphql' };
const HOUR = 3_600_000;

describe('the wish for a limit', () => {
  it('travels as words and comes back the same', () => {
    for (const wish of [{ limitMinutes: 240, atLimit: 'stop' }, { idleMinutes: 30, budgetUsd: 2.5, atLimit: 'terminate' }] as const) assert.deepEqual(readWish(wishWords(wish).join(' ')), wish);
    assert.equal(readWish('limit=0 idle=0 budget=0 at=stop'), undefined);
    assert.equal(readWish('climit=5'), undefined);
  });

  it('is read from a command’s choices, and what is none is refused by name', () => {
    assert.equal(wishAmong({ name: 'x' }), undefined);
    assert.deepEqual(wishAmong({ timeLimitMinutes: 90 }), { limitMinutes: 90, atLimit: 'stop' });
    assert.throws(() => wishAmong({ timeLimitMinutes: '90' }), /timeLimitMinutes must be a number/);
    assert.throws(() => wishAmong({ budgetUsd: -1 }), /budgetUsd/);
    assert.throws(() => wishAmong({ idleStopMinutes: 1 }), /idleStopMinutes must be 5 or more/);
    assert.throws(() => wishAmong({ atLimit: 'explode' }), /atLimit/);
  });

  it('is in the pod’s variables whatever its image, and in its start command where that is known to work', () => {
    const wish = { limitMinutes: 60, atLimit: 'stop' } as const;
    const { request, inArgs } = withGuard({ name: 'x', image: 'runpod/base:1', mounts: { persistent: { size: 10, path: '/workspace' } } }, wish, urls);
    assert.ok(inArgs);
    const words = shellWords(request.args ?? '');
    assert.deepEqual([words.length, words[0], words[1]], [3, 'sh', '-c']);
    assert.match(words[2] ?? '', /; exec \/start\.sh$/);
    assert.ok((request.args ?? '').length < 14_330);
    assert.equal(guardInArgs({ args: guardedArgs(wish, '/workspace', urls) }), 'by=args fresh=1 limit=3600 at=stop mount=/workspace');
    const other = withGuard({ name: 'x', image: 'custom/image:1' }, wish, urls);
    assert.equal(other.request.args, undefined);
    assert.deepEqual(wishOf({ env: other.request.env ?? {} }), wish);
    assert.equal(other.request.env?.[GUARD_VARIABLE], 'limit=3600 at=stop');
  });
});

describe('what a guard says', () => {
  const spoken = (over: Record<string, string | number> = {}): string =>
    Object.entries({ version: 1, pid: 7, by: 'args', state: 'watching', armed: 'yes', why: '', end: 1_795_000_000, ends: 'limit', limit: 3600, deadline: 1_795_000_000, idle: 1800, last_use: 1_794_999_000, budget: 0, at: 'stop', lifted: 0, started: '2026-11-20T19:09:14.943Z', kept: 'yes', uptime: 100, whole: 1, alive: 1, uptime_now: 130, said: 1, ...over })
      .map(([k, v]) => `${k}=${v}\n`)
      .join('');
  const found = (pod: Pod, over: Record<string, string | number> = {}): GuardFound => ({ startedAt: pod.startedAt?.getTime(), report: readReport(spoken(over)) });

  it('is read whole or not at all', () => {
    const { word } = readReport(spoken());
    assert.equal(word?.deadline, 1_795_000_000_000);
    assert.equal(word.ageSeconds, 30);
    assert.deepEqual(word.wish, { limitMinutes: 60, idleMinutes: 30, atLimit: 'stop' });
    assert.deepEqual(readReport('said=1\n'), {});
    assert.deepEqual(readReport(spoken({ whole: '' })), {});
    assert.deepEqual(readReport('plan.limit=60\nplan.at=stop\nplan.end=1\nsaid=1\n').planned, { limitMinutes: 1, atLimit: 'stop' });
    for (const noise of ['', 'sh: not found', 'version=1\nwhole=1\n']) assert.throws(() => readReport(noise), GuardSilentError);
  });

  it('tells how the pod stands', () => {
    const pod = aPod();
    const standing = standingOf(pod, found(pod));
    assert.deepEqual(standing?.kind === 'armed' && [standing.endsAt, standing.by, standing.untilRestart, standing.idleEndsAt], [1_795_000_000_000, 'limit', false, 1_794_999_000_000 + HOUR / 2]);
    assert.equal(standingOf(pod, undefined)?.kind, 'unknown');
    assert.equal(standingOf(pod, { startedAt: pod.startedAt?.getTime(), report: {} })?.kind, 'none');
    assert.deepEqual(standingOf(pod, found(pod, { armed: 'no', why: 'refused' })), { kind: 'unarmed', why: 'refused' });
    assert.equal(standingOf(pod, found(pod, { lifted: 1 }))?.kind, 'lifted');
    assert.equal(standingOf(aPod({ status: 'EXITED' }), found(pod)), undefined);
    const overSsh = standingOf(pod, found(pod, { by: 'ssh' }));
    assert.ok(overSsh?.kind === 'armed' && overSsh.untilRestart);
    // Of an earlier start, or dead: nothing that counts.
    assert.equal(standingOf(aPod({ startedAt: new Date() }), found(pod))?.kind, 'unknown');
    assert.equal(standingOf(pod, found(pod, { alive: 0 }))?.kind, 'none');
    const wished = aPod({ env: { [GUARD_VARIABLE]: 'limit=600 at=stop' } });
    assert.equal(standingOf(wished, undefined)?.kind, 'awaited');
  });

  it('is the pod’s time left, and a locked pod has none', () => {
    const pod = aPod();
    const dressed = { ...pod, guard: standingOf(pod, found(pod)) ?? { kind: 'none' as const } };
    assert.deepEqual(timeLeftOf(dressed, undefined), { at: 1_795_000_000_000, by: 'limit' });
    assert.deepEqual(timeLeftOf(dressed, 1_794_000_000_000), { at: 1_794_000_000_000, by: 'balance' });
    assert.equal(ownEnd({ ...dressed, locked: true }), undefined);
    const made = aPod({ args: guardedArgs({ limitMinutes: 60, atLimit: 'stop' }, '/workspace', urls) });
    const expected = standingOf(made, undefined);
    assert.deepEqual(ownEnd({ ...made, guard: expected ?? { kind: 'none' } }), { at: (made.startedAt?.getTime() ?? 0) + HOUR, by: 'limit' });
  });

  it('spends a budget at the pod’s price', () => {
    const pod = aPod({ costPerHour: 0.5 });
    const standing = standingOf(pod, found(pod, { deadline: 0, end: 0, ends: '', limit: 0, idle: 0, budget: 10_000 }));
    assert.ok(standing?.kind === 'armed' && standing.by === 'budget');
    assert.equal(standing.endsAt, (pod.startedAt?.getTime() ?? 0) + 2 * HOUR);
    // Known before the guard is heard, as for a pod that nobody can ask.
    const made = aPod({ costPerHour: 0.5, args: guardedArgs({ limitMinutes: 240, budgetUsd: 1, atLimit: 'stop' }, '/workspace', urls) });
    assert.deepEqual(standingOf(made, undefined), { kind: 'expected', wish: { limitMinutes: 240, budgetUsd: 1, atLimit: 'stop' }, endsAt: (made.startedAt?.getTime() ?? 0) + 2 * HOUR, by: 'budget' });
  });
});

describe('the second look', () => {
  const now = Date.now();
  const community = (startedAgo: number): Pod => aPod({ args: 'bash -c "sleep 3600; runpodctl stop pod $RUNPOD_POD_ID"', startedAt: new Date(now - startedAgo) });

  it('finds pods past their limit, with some patience', () => {
    assert.deepEqual(secondLook([community(HOUR + 60_000)], {}, now).findings, []);
    const [finding] = secondLook([community(2 * HOUR)], {}, now).findings;
    assert.deepEqual([finding?.kind, finding?.since], ['past-limit', now - HOUR]);
    assert.deepEqual(secondLook([{ ...community(2 * HOUR), status: 'EXITED' }, { ...community(2 * HOUR), locked: true }], {}, now).findings, []);
  });

  it('finds pods that never get to run, a second start among them', () => {
    const { startedAt: _, ...fresh } = aPod({ status: 'PROVISIONING', createdAt: new Date(now - 16 * 60_000) });
    assert.equal(secondLook([fresh], {}, now).findings[0]?.kind, 'stuck');
    // Made long ago, started again just now: the API does not say when.
    const again = aPod({ status: 'STARTING', createdAt: new Date(now - 99 * HOUR) });
    const first = secondLook([again], {}, now);
    assert.deepEqual(first.findings, []);
    assert.equal(secondLook([again], first.onTheirWay, now + 14 * 60_000).findings.length, 0);
    assert.equal(secondLook([again], first.onTheirWay, now + 15 * 60_000).findings.length, 1);
    assert.deepEqual(secondLook([aPod()], first.onTheirWay, now).onTheirWay, {});
  });
});
