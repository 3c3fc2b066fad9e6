/** What every admin store promises (`src/admin.ts`), as tests. Each adapter's test file calls this with its own way to open one. */
import { describe, expect, it } from 'vitest';
import { type AdminStore, NO_RECORD } from '../src/admin.ts';

export interface OpenedAdmin extends AsyncDisposable {
  readonly store: AdminStore;
}

const drained = { state: 'drain', weight: null } as const;

export function adminStoreConformance(name: string, open: (backends: readonly string[]) => Promise<OpenedAdmin>): void {
  describe(`${name}: admin store`, () => {
    it('knows at once what was said, and tells the listeners once', async () => {
      await using opened = await open(['emqx', 'nats']);
      const { store } = opened;
      await store.loaded();
      const heard: string[] = [];
      store.onChange(backend => heard.push(backend));
      expect([...store.records('emqx')]).toEqual([]);
      const written = store.set('emqx', 'emqx1', drained);
      expect([...store.records('emqx')]).toEqual([['emqx1', drained]]);
      await written;
      await store.set('emqx', 'emqx1', drained);
      expect([...store.records('emqx')]).toEqual([['emqx1', drained]]);
      expect([...store.records('nats')]).toEqual([]);
      expect(heard).toEqual(['emqx']);
    });

    it('remembers state and weight of each server, and nothing of one that is as configured again', async () => {
      await using opened = await open(['emqx']);
      const { store } = opened;
      for (const state of ['ready', 'drain', 'drain_new', 'maint'] as const) {
        await store.set('emqx', state, { state, weight: 7 });
        await store.set('emqx', `${state}-0`, { state, weight: 0 });
      }
      expect(store.records('emqx').get('maint')).toEqual({ state: 'maint', weight: 7 });
      expect(store.records('emqx').get('ready-0')).toEqual({ state: 'ready', weight: 0 });
      for (const server of [...store.records('emqx').keys()]) await store.set('emqx', server, NO_RECORD);
      expect(store.records('emqx').size).toBe(0);
    });

    it('of words said at once the last one counts', async () => {
      await using opened = await open(['emqx']);
      const { store } = opened;
      await Promise.all([
        store.set('emqx', 'emqx1', drained),
        store.set('emqx', 'emqx1', { state: 'maint', weight: null }),
        store.set('emqx', 'emqx1', { state: 'ready', weight: 3 }),
      ]);
      expect([...store.records('emqx')]).toEqual([['emqx1', { state: 'ready', weight: 3 }]]);
    });

    it('a backend that goes and comes back has what was said of it', async () => {
      await using opened = await open(['emqx']);
      const { store } = opened;
      await store.set('emqx', 'emqx1', drained);
      store.setBackends(['nats']);
      await store.set('nats', 'nats1', drained);
      store.setBackends(['emqx', 'nats']);
      await store.set('nats', 'nats2', drained);
      expect([...store.records('emqx')]).toEqual([['emqx1', drained]]);
      expect([...store.records('nats').keys()]).toEqual(['nats1', 'nats2']);
    });

    it('may be closed twice', async () => {
      await using opened = await open(['emqx']);
      await opened.store.close();
      await opened.store.close();
    });
  });
}
