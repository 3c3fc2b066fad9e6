/** What programs build on: the CLI, and whoever embeds the proxy. */
export { formatProblem, type LoadedConfig, loadConfig, type Problem } from './config/load.ts';
export type { Config } from './config/resolved.ts';
export { LimpetError } from './errors.ts';
export { type Listening, type RunningProxy, startProxy } from './process/primary.ts';
