export type { Config } from './config/resolved.ts';
