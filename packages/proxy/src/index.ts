/** What programs build on: the CLI, and whoever embeds the proxy. */
export { quantileMs } from './account/latency.ts';
export type { InfoFacts } from './admin/api/proxy_schema.ts';
export type { BackendAnswer, ServerAnswer } from './admin/api/server_schema.ts';
export type { Snake } from './admin/api/snake.ts';
export type { ClientFacts, EntryPage, ImportReport, ReloadReport } from './admin/control.ts';
export { hashPassword } from './admin/http/password.ts';
export { escaped } from './admin/runtime/escape.ts';
export type { FrontendFacts, PeerFacts, TaskFacts, WorkerFacts } from './admin/snapshot.ts';
export { formatProblem, type LoadedConfig, loadConfig, type Problem } from './config/load.ts';
export { inShort } from './config/problem.ts';
export type { Config } from './config/resolved.ts';
export { errorCode, LimpetError } from './errors.ts';
export { sessionsWithin } from './listen/descriptors.ts';
export type { Listening } from './process/bindings.ts';
export { startProxy } from './process/primary.ts';
export type { RunningProxy } from './process/running_proxy.ts';
export { declineUpgrade } from './process/upgrade/predecessor.ts';
