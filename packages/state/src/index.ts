export { type AdminRecord, type AdminState, type AdminStore, NO_RECORD, type ServerWord } from './admin.ts';
export { memoryAdminStore } from './admin_memory.ts';
export { type RedisAdminOptions, redisAdminStore } from './admin_redis.ts';
export type { Circuit, CircuitListener, CircuitState, SharedCircuit } from './circuit.ts';
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
export {
  type Assign,
  MemoryTable,
  type MemoryTableOptions,
  type PutEntry,
  type PutResult,
} from './memory.ts';
export { localTable } from './memory_local.ts';
export type { MemoryWalk, Visit, WalkedEntry, WalkPlace } from './memory_walk.ts';
export type { OperatorTable, TableSlice } from './operator_table.ts';
export type { OtherProxy, ProxyBoard, ProxyBoardOptions, ProxyNews } from './proxy_board.ts';
export { redisProxyBoard } from './proxy_board_redis.ts';
export { type ConnectOptions, connectRedis, type RedisConnection } from './redis.ts';
export type { KeyCommand } from './redis_batch.ts';
export { redisOperatorTable } from './redis_operator.ts';
export { type Adoption, type AdoptResult, redisTable, type SharedTable } from './redis_table.ts';
export {
  placeText,
  type RedisLogin,
  type RedisPlace,
  type RedisTarget,
  type RedisTls,
  serverOptions,
  sharedOptions,
  targetText,
} from './redis_target.ts';
export { parseRedisUrl, type RedisAddress } from './redis_url.ts';
export { type RedisTlsWords, type RedisWords, redisKind, redisTarget } from './redis_words.ts';
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
export { type VipLease, type VipTake, type VipTaken, vipLease } from './vip_lease.ts';
