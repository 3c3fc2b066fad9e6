// `npm run build`: packages/*/dist, so that `node packages/cli/dist/bin.js` runs.
import { build } from '../workspace.mjs';

export async function run() {
  await build();
  return 0;
}
