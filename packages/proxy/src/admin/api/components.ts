import { z } from 'zod';
import { client, connectError, entry, importReport, session } from './client_schema.ts';
import { event, frontend, history, info, peer, reloadReport, task, worker } from './proxy_schema.ts';
import { histogram } from './scope_schema.ts';
import { backend, server } from './server_schema.ts';

/** What every refusal looks like. */
export const failure: z.ZodType<{
  readonly error: { readonly code: string; readonly message: string; readonly remedy: string };
}> = z.strictObject({
  error: z.strictObject({
    code: z.string().meta({ description: 'Stable, upper case.' }),
    message: z.string().meta({ description: 'What happened.' }),
    remedy: z.string().meta({ description: 'What would be right.' }),
  }),
});

/** The schemas that have a name in the description. */
export const COMPONENTS: Readonly<Record<string, z.ZodType>> = {
  Backend: backend,
  Client: client,
  ConnectError: connectError,
  Entry: entry,
  Error: failure,
  Event: event,
  Frontend: frontend,
  Histogram: histogram,
  History: history,
  ImportReport: importReport,
  Info: info,
  Proxy: peer,
  ReloadReport: reloadReport,
  Server: server,
  Session: session,
  Task: task,
  Worker: worker,
};
