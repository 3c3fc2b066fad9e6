import { describe, expect, it } from 'vitest';
import { type Datagram, decodeDatagram, encodeDatagram, longestDatagram } from '../../src/beat/codec.ts';
import { deaf, type Hearing, judgeDatagram } from '../../src/beat/hearing.ts';

const secret = Buffer.from('0123456789abcdef');
const ears = { name: 'limpet', peer: '10.0.0.2:7946', boot: 7n };

function datagram(change: Partial<Datagram> = {}): Datagram {
  return {
    ...{ role: 'active', ready: true, wants: false, grade: 2, priority: 100, fence: 12 },
    ...{ boot: 99n, sequence: 5, echoBoot: 7n, echoSequence: 40, deadMs: 60, leaseMs: 250 },
    ...{ name: 'limpet', node: '10.0.0.2:7946' },
    ...change,
  };
}

const known: Hearing = { boot: 99n, sequence: 5, echoed: 40 };

describe('a datagram', () => {
  it('comes out as it went in', () => {
    const names = { name: 'n'.repeat(64), node: '[fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535' };
    for (const one of [datagram(), datagram({ ...names, role: 'leaving', wants: true, fence: 2 ** 52 - 1 })]) {
      expect(decodeDatagram(encodeDatagram(one, secret), secret)).toEqual(one);
    }
  });

  it('is nothing once any bit of it is changed, or with another secret', () => {
    const bytes = encodeDatagram(datagram(), secret);
    for (let i = 0; i < bytes.length; i++) {
      const changed = Buffer.from(bytes);
      changed.writeUInt8((changed[i] ?? 0) ^ 1, i);
      expect(decodeDatagram(changed, secret)).toBeNull();
    }
    expect(decodeDatagram(bytes, Buffer.from('fedcba9876543210'))).toBeNull();
  });

  it.each([0, 1, 91, longestDatagram + 1, 65_507])('of %i bytes is not looked at', length => {
    expect(decodeDatagram(Buffer.alloc(length), secret)).toBeNull();
  });

  it('with a number that nobody counts to is refused, though the secret is right', () => {
    expect(decodeDatagram(encodeDatagram(datagram({ fence: 2 ** 52 }), secret), secret)).toBeNull();
  });
});

describe('what is heard', () => {
  it('is the other host, once it has answered us', () => {
    const first = judgeDatagram(deaf, datagram(), ears, 41);
    expect(first).toEqual({ is: 'heard', hearing: known, isNew: true });
    expect(judgeDatagram(known, datagram({ sequence: 6, echoSequence: 42 }), ears, 42)).toEqual({
      is: 'heard',
      hearing: { boot: 99n, sequence: 6, echoed: 42 },
      isNew: false,
    });
  });

  it.each<[string, Partial<Datagram>]>([
    ['nothing of ours', { echoBoot: 0n, echoSequence: 0 }],
    ['an earlier start of ours', { echoBoot: 6n }],
    ['a number that we have not sent yet', { echoSequence: 42 }],
    ['a number of long ago', { echoSequence: 1 }],
  ])('is only a greeting where it answers %s', (_, change) => {
    const sent = change.echoSequence === 1 ? 500 : 41;
    expect(judgeDatagram(deaf, datagram(change), ears, sent)).toEqual({ is: 'hello' });
  });

  it.each([
    ['again', 5],
    ['late', 4],
  ])('is old when it comes %s', (_, sequence) => {
    expect(judgeDatagram(known, datagram({ sequence }), ears, 41)).toEqual({ is: 'old' });
  });

  it('is only a greeting when it is a recording of an earlier start of the other host', () => {
    const recorded = datagram({ boot: 98n, sequence: 1_000, echoSequence: 40 });
    expect(judgeDatagram(known, recorded, ears, 60)).toEqual({ is: 'hello' });
  });

  it('is the other host even where that does not hear us: its number says so', () => {
    const deafPeer = datagram({ sequence: 9, echoBoot: 0n, echoSequence: 0 });
    expect(judgeDatagram(known, deafPeer, ears, 90)).toMatchObject({ is: 'heard', hearing: { echoed: 40 } });
  });

  it.each([{ name: 'other' }, { node: '10.0.0.1:7946' }])(
    'is foreign with %o, as our own is when it comes back',
    change => {
      expect(judgeDatagram(known, datagram({ sequence: 6, ...change }), ears, 41)).toEqual({ is: 'foreign' });
    },
  );
});
