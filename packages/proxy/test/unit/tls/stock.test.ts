import { describe, expect, test } from 'vitest';
import { type Stocked, TlsStock } from '../../../src/tls/stock.ts';

/** TLS made of a text; its "file" is what `files` says at the moment. */
class Fake implements Stocked<string> {
  readonly #read: () => string;
  inUse: string;
  isClosed = false;

  constructor(read: () => string) {
    this.#read = read;
    this.inUse = read();
  }

  kept(): string {
    return this.inUse;
  }

  async renew(): Promise<() => boolean> {
    return await this.adopt(this.#read());
  }

  async adopt(kept: string): Promise<() => boolean> {
    return () => {
      const isOther = kept !== this.inUse;
      this.inUse = kept;
      return isOther;
    };
  }

  close(): void {
    this.isClosed = true;
  }
}

function scene() {
  const files = new Map<string, string>();
  const made: Fake[] = [];
  const stock = new TlsStock<string, Fake, string>({
    make: async path => {
      const read = (): string => {
        const text = files.get(path);
        if (text === undefined) throw new Error(`no ${path}`);
        return text;
      };
      const fake = new Fake(read);
      made.push(fake);
      return fake;
    },
  });
  return { files, made, stock };
}

const wanted = (terms: Readonly<Record<string, string>>): ReadonlyMap<string, string> => new Map(Object.entries(terms));

describe('the TLS of a process', () => {
  test('what keeps its terms is kept, what is new is made, what is gone is closed', async () => {
    const { files, stock } = scene();
    for (const path of ['a.pem', 'b.pem', 'c.pem']) files.set(path, path);
    (await stock.prepare(wanted({ one: 'a.pem', two: 'b.pem' }))).commit();
    const [one, two] = [stock.get('one'), stock.get('two')];
    const change = await stock.prepare(wanted({ one: 'a.pem', two: 'c.pem', three: 'b.pem' }));
    expect([change.made, stock.get('two') === two]).toEqual([['two', 'three'], true]);
    change.commit();
    expect([stock.get('one') === one, stock.get('two')?.inUse, two?.isClosed]).toEqual([true, 'c.pem', true]);
    (await stock.prepare(wanted({}))).commit();
    expect([stock.get('one'), one?.isClosed]).toEqual([null, true]);
  });

  test('P9: one bad file, and nothing changes: what was made beside it is closed', async () => {
    const { files, made, stock } = scene();
    files.set('a.pem', 'a');
    (await stock.prepare(wanted({ one: 'a.pem' }))).commit();
    files.set('a.pem', 'other');
    const next = wanted({ one: 'a.pem', two: 'a.pem', three: 'missing.pem' });
    await expect(stock.prepare(next, { renew: true })).rejects.toThrow('no missing.pem');
    expect([stock.get('one')?.inUse, stock.get('two'), made.map(({ isClosed }) => isClosed)]).toEqual([
      'a',
      null,
      [false, true],
    ]);
  });

  test('renewed: told of those whose files are others, and only then in use', async () => {
    const { files, stock } = scene();
    for (const path of ['a.pem', 'b.pem']) files.set(path, path);
    const both = wanted({ one: 'a.pem', two: 'b.pem' });
    (await stock.prepare(both)).commit();
    files.set('b.pem', 'b2');
    const change = await stock.prepare(both, { renew: true });
    expect(stock.get('two')?.inUse).toBe('b.pem');
    expect(change.commit()).toEqual(['two']);
    expect([stock.get('two')?.inUse, stock.kept(new Set(['two']))]).toEqual(['b2', [['two', 'b2']]]);
  });

  test('a worker takes over what the primary has read', async () => {
    const { files, stock } = scene();
    files.set('a.pem', 'a');
    (await stock.prepare(wanted({ one: 'a.pem' }))).commit();
    expect((await stock.prepare(wanted({ one: 'a.pem' }), { given: wanted({ one: 'new' }) })).commit()).toEqual([
      'one',
    ]);
    expect(stock.get('one')?.inUse).toBe('new');
  });
});
