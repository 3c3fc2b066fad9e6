import { describe, expect, it } from 'vitest';
import type { AdminEvent } from '../../../src/admin/control.ts';
import { EventRing, ringingLog } from '../../../src/admin/event_ring.ts';
import { SILENT } from '../../../src/log.ts';

describe('EventRing', () => {
  it('numbers events, keeps the last 1,000, and answers those behind an id', () => {
    const ring = new EventRing();
    for (let i = 1; i <= 1005; i++) ring.push('info', 'reload', `number ${i}`);
    expect(ring.after(0)).toHaveLength(1000);
    expect(ring.after(1003).map(({ id, message }) => [id, message])).toEqual([
      [1004, 'number 1004'],
      [1005, 'number 1005'],
    ]);
  });

  it('tells listeners until they stop', () => {
    const ring = new EventRing();
    const heard: AdminEvent[] = [];
    const stop = ring.listen(event => heard.push(event));
    ring.push('warn', 'health', 'b1 is DOWN');
    stop();
    ring.push('warn', 'health', 'b1 is UP');
    expect(heard.map(({ message }) => message)).toEqual(['b1 is DOWN']);
  });
});

describe('ringingLog', () => {
  it('writes every line, and rings for all but debug', () => {
    const lines: string[] = [];
    const note =
      (level: string) =>
      (event: string): number =>
        lines.push(`${level} ${event}`);
    const log = { ...SILENT, debug: note('debug'), info: note('info'), warn: note('warn'), error: note('error') };
    const ring = new EventRing();
    const ringing = ringingLog(log, ring);
    ringing.debug('a');
    ringing.info('listening', { port: 1883, address: undefined });
    ringing.warn('health', {}, 'b1 is DOWN');
    ringing.error('worker_died');
    expect(lines).toEqual(['debug a', 'info listening', 'warn health', 'error worker_died']);
    expect(ring.after(0).map(({ level, event, message }) => [level, event, message])).toEqual([
      ['info', 'listening', 'listening port=1883'],
      ['warn', 'health', 'b1 is DOWN'],
      ['error', 'worker_died', 'worker_died'],
    ]);
  });
});
