import { readFileSync } from 'node:fs';
import type { RedisOptions, Result } from 'ioredis';

declare module 'ioredis' {
  interface RedisCommander<Context> {
    stickClaim(key: string, ...args: (string | number)[]): Result<string, Context>;
    stickConfirm(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickAbandon(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickRelease(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickForget(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickRenew(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickPut(key: string, ...args: (string | number)[]): Result<number, Context>;
    stickAdopt(key: string, ...args: (string | number)[]): Result<number, Context>;
    proxiesBeat(key: string, ...args: (string | number)[]): Result<unknown[], Context>;
    proxiesLeave(key: string, ...args: (string | number)[]): Result<number, Context>;
    proxiesTell(key: string, ...args: (string | number)[]): Result<number, Context>;
    proxiesHear(key: string, ...args: (string | number)[]): Result<string[], Context>;
    vipTake(key: string, ...args: (string | number)[]): Result<string[], Context>;
    vipRenew(key: string, ...args: (string | number)[]): Result<string[], Context>;
    vipGive(key: string, ...args: (string | number)[]): Result<number, Context>;
  }
}

/** Command → the file of its script. Each names one key, the first one. */
const files: Readonly<Record<string, string>> = {
  stickClaim: 'claim',
  stickConfirm: 'confirm',
  stickAbandon: 'abandon',
  stickRelease: 'release',
  stickForget: 'forget',
  stickRenew: 'renew',
  stickPut: 'put',
  stickAdopt: 'adopt',
  proxiesBeat: 'proxies_beat',
  proxiesLeave: 'proxies_leave',
  proxiesTell: 'proxies_tell',
  proxiesHear: 'proxies_hear',
  vipTake: 'vip_take',
  vipRenew: 'vip_renew',
  vipGive: 'vip_give',
};

/** The scripts in `lua/`, as commands of a client. */
export const scripts: NonNullable<RedisOptions['scripts']> = Object.fromEntries(
  Object.entries(files).map(([command, file]) => [
    command,
    { lua: readFileSync(new URL(`../lua/${file}.lua`, import.meta.url), 'utf8'), numberOfKeys: 1 },
  ]),
);
