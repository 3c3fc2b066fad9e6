import { memoryAdminStore } from '@limpet/state';
import { describe, expect, it } from 'vitest';
import { EventRing } from '../../../../src/admin/event_ring.ts';
import type { TaskFacts } from '../../../../src/admin/snapshot.ts';
import type { Config } from '../../../../src/config/resolved.ts';
import { LimpetError } from '../../../../src/errors.ts';
import { SILENT } from '../../../../src/log.ts';
import { ControlRoom } from '../../../../src/process/control/control_room.ts';
import type { Premises } from '../../../../src/process/control/premises.ts';
import { configOf } from '../../config/scratch.ts';

const TASK: TaskFacts = {
  id: 1,
  kind: 'drain',
  backend: 'emqx',
  server: 'b1',
  state: 'running',
  rate: 10,
  total: 5,
  moved: 0,
  left: 5,
  startedAtMs: 0,
  endedAtMs: null,
};

/** A control room whose orders are written down. */
function room(over: Partial<Premises> = {}): { room: ControlRoom; said: string[]; logged: string[]; config(): Config } {
  const said: string[] = [];
  const logged: string[] = [];
  let config = configOf(`
frontends: { mqtt: { bind: "127.0.0.1:1", default_backend: emqx } }
backends: { emqx: { servers: { b1: 10.0.0.1:1883, b2: { address: 10.0.0.2:1883, check: false } } } }
`);
  const admin = memoryAdminStore();
  const premises = {
    config: () => config,
    edit: async (change: (before: Config) => Config) => {
      config = change(config);
    },
    setFrontendEnabled: async (frontend: string, enabled: boolean) => {
      said.push(`${frontend} ${enabled}`);
    },
    conns: () => 0,
    admin,
    drains: {
      leave: (backend: string, server: string) => said.push(`leave ${backend}/${server}`),
      drain: () => {
        said.push(`drain while ${admin.records('emqx').get('b1')?.state}`);
        return TASK;
      },
      cancel: () => ({ ...TASK, state: 'cancelled' as const }),
    },
    health: {
      force: (backend: string, server: string, verdict: string) => said.push(`force ${backend}/${server} ${verdict}`),
      setEnabled: (backend: string, server: string, on: boolean) => said.push(`checks ${backend}/${server} ${on}`),
    },
    questions: { end: async () => 3 },
    events: new EventRing(),
    log: { ...SILENT, info: (_event: string, _fields: unknown, message?: string) => logged.push(message ?? '') },
    ...over,
  } as unknown as Premises;
  return { room: new ControlRoom(premises), said, logged, config: () => config };
}

async function failure(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  return error instanceof LimpetError ? error.code : String(error);
}

const B1 = { backend: 'emqx', server: 'b1' };
const BY = 'runtime_api unix';

describe('ControlRoom', () => {
  it('keeps what was said of a server when it says more, and writes down who said it', async () => {
    const admin = memoryAdminStore();
    const { room: control, logged, said } = room({ admin });
    await control.setServerWeight(B1, 5, BY);
    await control.setServerState(B1, 'maint', BY);
    expect(admin.records('emqx').get('b1')).toEqual({ state: 'maint', weight: 5 });
    expect(said).toEqual(['leave emqx/b1']);
    expect(logged).toEqual(['server emqx/b1: weight 5 (runtime_api unix)', 'server emqx/b1: maint (runtime_api unix)']);
  });

  it('drains with the state set first, so that nobody comes back', async () => {
    const { room: control, said } = room();
    await control.drain({ ...B1, rate: 10, until: 0, reason: 0x9c }, BY);
    expect(said).toEqual(['drain while drain']);
  });

  it('edits addresses, limits and servers of the configuration in use', async () => {
    const { room: control, config } = room();
    await control.setServerAddress(B1, '10.9.9.9', null, BY);
    await control.setServerMaxconn(B1, 7, BY);
    await control.addServer({ backend: 'emqx', server: 'b3' }, { address: '10.0.0.3:1884' }, BY);
    await control.setGlobalMaxconn(50, BY);
    await control.setFrontendConnRate('mqtt', 20, BY);
    const [emqx] = config().backends;
    expect(emqx?.servers.map(({ name, host, port, maxconn }) => [name, host, port, maxconn])).toEqual([
      ['b1', '10.9.9.9', 1883, 7],
      ['b2', '10.0.0.2', 1883, null],
      ['b3', '10.0.0.3', 1884, null],
    ]);
    expect(config().global.maxconn).toBe(50);
    expect(config().frontends[0]?.connRate).toBe(20);
  });

  it('deletes a server only from maint, and without sessions', async () => {
    let conns = 2;
    const { room: control, config } = room({ conns: () => conns });
    expect(await failure(control.delServer(B1, BY))).toBe('SERVER_NOT_IN_MAINT');
    await control.setServerState(B1, 'maint', BY);
    expect(await failure(control.delServer(B1, BY))).toBe('SERVER_IN_USE');
    conns = 0;
    await control.delServer(B1, BY);
    expect(config().backends[0]?.servers.map(({ name }) => name)).toEqual(['b2']);
  });

  it('adds a server once, where two operators add it at the same moment', async () => {
    const { room: control, config } = room();
    const b3 = { backend: 'emqx', server: 'b3' };
    const added = [
      failure(control.addServer(b3, { address: '10.0.0.3' }, BY)),
      failure(control.addServer(b3, { address: '10.0.0.4' }, BY)),
    ];
    expect((await Promise.all(added)).sort()).toEqual(['SERVER_EXISTS', 'null']);
    expect(config().backends[0]?.servers.map(({ name }) => name)).toEqual(['b1', 'b2', 'b3']);
  });

  it('an added server waits in maint until an operator says otherwise', async () => {
    const admin = memoryAdminStore();
    const { room: control } = room({ admin });
    await control.addServer({ backend: 'emqx', server: 'b3' }, { address: '10.0.0.3' }, BY);
    expect(admin.records('emqx').get('b3')?.state).toBe('maint');
  });

  it('an order that some worker has not taken over in time is carried out, with a warning', async () => {
    const late = new LimpetError('RELOAD_LATE', 'worker 2 does not answer', 'wait');
    const warned: string[] = [];
    const admin = memoryAdminStore();
    const log = { ...SILENT, warn: (_event: string, _fields: unknown, message?: string) => warned.push(message ?? '') };
    const edit = async (): Promise<void> => {
      throw late;
    };
    const { room: control } = room({ admin, edit, log });
    await control.addServer({ backend: 'emqx', server: 'b3' }, { address: '10.0.0.3' }, BY);
    await control.setServerState(B1, 'maint', BY);
    await control.delServer(B1, BY);
    expect(admin.records('emqx').get('b1')).toBeUndefined();
    expect(warned).toEqual(Array(2).fill('worker 2 does not answer; wait'));
  });

  it('a drain at no pace changes nothing', async () => {
    const admin = memoryAdminStore();
    const { room: control, logged } = room({ admin });
    const drain = { ...B1, rate: 10, until: 0, reason: 0x9c } as const;
    for (const wrong of [{ rate: 0 }, { rate: Number.NaN }, { until: -1 }, { until: 1.5 }]) {
      expect(await failure(control.drain({ ...drain, ...wrong }, BY))).toBe('BAD_VALUE');
    }
    expect([admin.records('emqx').size, logged]).toEqual([0, []]);
  });

  it('a drain taken back makes its server ready again', async () => {
    const admin = memoryAdminStore();
    const { room: control } = room({ admin });
    await admin.set('emqx', 'b1', { state: 'drain', weight: 9 });
    await control.cancelTask(1, BY);
    expect(admin.records('emqx').get('b1')).toEqual({ state: 'ready', weight: 9 });
  });

  it('names what there is when somebody names what there is not', async () => {
    const { room: control, config } = room();
    const before = config();
    expect(await failure(control.setServerState({ backend: 'nix', server: 'b1' }, 'maint', BY))).toBe(
      'UNKNOWN_BACKEND',
    );
    expect(await failure(control.setServerState({ backend: 'emqx', server: 'b9' }, 'maint', BY))).toBe(
      'UNKNOWN_SERVER',
    );
    expect(await failure(control.setFrontendEnabled('nix', true, BY))).toBe('UNKNOWN_FRONTEND');
    expect(await failure(control.setServerWeight(B1, 300, BY))).toBe('BAD_VALUE');
    expect(await failure(control.setServerMaxconn(B1, 0, BY))).toBe('BAD_VALUE');
    expect(await failure(control.setFrontendConnRate('mqtt', 0, BY))).toBe('BAD_VALUE');
    expect(await failure(control.setServerAddress(B1, 'a b', null, BY))).toBe('BAD_VALUE');
    expect(await failure(control.setServerChecks({ backend: 'emqx', server: 'b2' }, true, BY))).toBe('NO_CHECK');
    expect(config()).toBe(before);
  });

  it("does not write a client's text into the log line of ended sessions", async () => {
    const { room: control, logged } = room();
    expect(await control.endSessions({ clientId: 'secret-device' }, BY)).toBe(3);
    expect(logged).toEqual(['3 sessions ended, chosen by clientId (runtime_api unix)']);
  });
});
