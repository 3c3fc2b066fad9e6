import { describe, expect, it } from 'vitest';
import { Arrivals } from '../../src/demo/arrivals.ts';
import { strays } from '../../src/demo/landing.ts';
import { arrivalLine, homecoming, introduction, landingTable, nextSteps, printable } from '../../src/demo/words.ts';

const brokers = [
  { name: 'broker1', port: 40_001 },
  { name: 'broker2', port: 40_002 },
];

describe('the landing', () => {
  it('is a column per broker, aligned, with its count', () => {
    const landing = new Map([
      ['demo-2', 'broker1'],
      ['demo-1', 'broker1'],
      ['demo-3', 'broker2'],
    ]);
    expect(landingTable(landing, ['broker1', 'broker2', 'broker3']).split('\n')).toEqual([
      '  broker1: 2   broker2: 1   broker3: 0',
      '  demo-1       demo-3',
      '  demo-2',
    ]);
  });

  it('names who is elsewhere and who is nowhere', () => {
    const first = new Map([
      ['a', 'broker1'],
      ['b', 'broker2'],
      ['c', 'broker1'],
    ]);
    const second = new Map([
      ['a', 'broker1'],
      ['b', 'broker1'],
    ]);
    expect(homecoming(3, strays(first, second))).toBe(
      '1 of 3 came home.\n  b was on broker2, is on broker1\n  c was on broker1, is nowhere\n',
    );
    expect(homecoming(3, strays(first, first))).toBe('3 of 3 came home.\n');
  });
});

describe('arrivals', () => {
  it('knows whether a client came back to where it was', () => {
    const arrivals = new Arrivals();
    const lines = ['broker1', 'broker1', 'broker2'].map(broker => arrivals.note('s1', broker)).map(arrivalOf);
    expect(lines).toEqual(['s1 is on broker1', 's1 is on broker1 again', 's1 is on broker2, was on broker1']);
  });

  it('does not show an id that the broker made up', () => {
    const id = 'aedes_7dccaa91-99b0-4e2d-910f-bae9605ecd50';
    expect(arrivalLine({ id, broker: 'broker2', before: undefined })).toBe('a client without an id is on broker2');
  });

  it('leaves health checks out', () => {
    const arrivals = new Arrivals();
    expect(arrivals.note('limpet-check-demo-x1', 'broker1')).toBeNull();
    expect(arrivals.take(['limpet-check-demo-x1']).size).toBe(0);
  });

  it('forgets what it gave away, and the oldest of very many', () => {
    const arrivals = new Arrivals();
    for (let index = 0; index <= 10_000; index += 1) arrivals.note(`c${index}`, 'broker1');
    expect(arrivals.take(['c0', 'c1', 'c10000'])).toEqual(
      new Map([
        ['c1', 'broker1'],
        ['c10000', 'broker1'],
      ]),
    );
    expect(arrivals.take(['c1']).size).toBe(0);
  });

  function arrivalOf(arrival: ReturnType<Arrivals['note']>): string {
    if (arrival === null) throw new Error('this is no health check');
    return arrivalLine(arrival);
  }
});

describe('what is printed', () => {
  it('says the real port everywhere, and plainly when it is not the wished one', () => {
    expect(introduction(1884, 1883, brokers)).toContain('Port 1883 is taken; it is 1884 this time.');
    expect(introduction(1883, 1883, brokers)).not.toContain('taken');
    expect(introduction(40_100, 0, brokers)).not.toContain('taken');
    const steps = nextSteps(1884, { page: 'http://127.0.0.1:8889/stats', socket: '/tmp/demo/limpet.sock' });
    expect(steps.match(/-p 1884 /g)).toHaveLength(2);
    expect(steps).not.toContain('1883');
    expect(steps).toContain('http://127.0.0.1:8889/stats   ');
    expect(steps).toContain('LIMPET_SOCKET=/tmp/demo/limpet.sock');
  });

  const ids: [string, string, string][] = [
    ['plain text stays', 'sensor/12 a', 'sensor/12 a'],
    ['P11: an escape sequence is made visible', '\u001b[31mred', '\\u001b[31mred'],
    ['P11: so are C1 controls, direction marks and line ends', 'a\u009b\u202e\r\nb', 'a\\u009b\\u202e\\u000d\\u000ab'],
    ['a long one is cut', 'x'.repeat(65), `${'x'.repeat(64)}…`],
  ];
  it.each(ids)('%s', (_, id, expected) => {
    expect(printable(id)).toBe(expected);
  });
});
