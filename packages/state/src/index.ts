export type { Circuit, CircuitListener, CircuitState } from './circuit.ts';
export type {
  ClaimAnswer,
  Claimant,
  ClaimRequest,
  EntryState,
  Pin,
  StickEntry,
  StickTable,
  StickTimes,
} from './contract.ts';
export { type GuardedTable, type GuardOptions, guardedTable } from './guard.ts';
export { maxKeyBytes, stickKey } from './keys.ts';
export { type Assign, localTable, MemoryTable, type MemoryTableOptions } from './memory.ts';
export { type ConnectOptions, connectRedis, type RedisConnection } from './redis.ts';
export { type Adoption, type AdoptResult, redisTable, type SharedTable } from './redis_table.ts';
export { parseRedisUrl, type RedisAddress } from './redis_url.ts';
export {
  remoteTable,
  serveTable,
  type TableCall,
  type TableCast,
  type TableChannel,
  type TableReply,
} from './remote.ts';
export { rendezvous, type WeightedServer } from './rendezvous.ts';
export { StateError, type StateErrorCode } from './state_error.ts';
export { pinnedMs, renewEveryMs } from './times.ts';
export { decodeValue, encodeValue, type StoredEntry } from './value.ts';
