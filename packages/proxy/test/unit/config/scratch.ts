import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type LoadedConfig, loadConfig } from '../../../src/config/load.ts';
import type { Config } from '../../../src/config/resolved.ts';

/** Writes files into a folder of their own, reads them, and removes them again. `%` in an answer is the folder. */
export function loadFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  env: NodeJS.ProcessEnv = {},
): LoadedConfig {
  const folder = mkdtempSync(join(tmpdir(), 'limpet-config-'));
  try {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
    const loaded = loadConfig(folder, env);
    return JSON.parse(JSON.stringify(loaded).replaceAll(folder, '%')) as LoadedConfig;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export function loadText(text: string, env: NodeJS.ProcessEnv = {}): LoadedConfig {
  return loadFiles({ 'limpet.yaml': text }, env);
}

/** The configuration of a text that is right. */
export function configOf(text: string, env: NodeJS.ProcessEnv = {}): Config {
  const loaded = loadText(text, env);
  if (!loaded.ok) throw new Error(`not a right configuration: ${JSON.stringify(loaded.problems)}`);
  return loaded.config;
}

/** `line:column message | remedy` of everything that is wrong with a text; empty where nothing is. */
export function wrongsOf(text: string | Uint8Array, env: NodeJS.ProcessEnv = {}): readonly string[] {
  const loaded = loadFiles({ 'limpet.yaml': text }, env);
  const problems = loaded.ok ? [] : loaded.problems;
  return problems.map(({ line, column, message, remedy }) => `${line}:${column} ${message} | ${remedy}`);
}

/** A frontend and a backend, with more keys for the backend. */
export function withBackend(backend: string): string {
  return `frontends: { mqtt: { bind: '*:0', default_backend: b } }\nbackends:\n  b:\n    ${backend}\n`;
}
