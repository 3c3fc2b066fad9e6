// Writes docs/configuration.md from the schema of the configuration: node scripts/config-reference.mjs
import { writeFileSync } from 'node:fs';
import { tsImport } from 'tsx/esm/api';

const { renderReference } = await tsImport('../packages/proxy/src/config/reference.ts', import.meta.url);
writeFileSync(new URL('../docs/configuration.md', import.meta.url), renderReference());
