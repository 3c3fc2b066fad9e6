import { type Command, Refusal } from './command.ts';
import { setServerMaxconn } from './server_commands.ts';
import { findFrontend, findServer, readCount } from './target.ts';

const RATE_USAGE = [
  "'set rate-limit' only supports :",
  "   - 'connections frontend <frontend>' to set its maximum rate of new connections",
  "   - 'connections global' where there is one frontend: the same for that one",
].join('\n');

/** Frontends and limits. 0 is no limit. */
export const limitCommands: readonly Command[] = [
  {
    words: 'enable frontend',
    usage: '<frontend>',
    does: 're-enable specific frontend',
    level: 'admin',
    run: async ([name], { control, by }) => {
      const frontend = findFrontend(control.snapshot(), name);
      if (frontend.state === 'open') return 'All sockets are already enabled.';
      await control.setFrontendEnabled(frontend.name, true, by);
      return '';
    },
  },
  {
    words: 'disable frontend',
    usage: '<frontend>',
    does: 'temporarily disable specific frontend: its ports are released, its sessions live on',
    level: 'admin',
    run: async ([name], { control, by }) => {
      const frontend = findFrontend(control.snapshot(), name);
      if (frontend.state === 'disabled') return 'All sockets are already disabled.';
      await control.setFrontendEnabled(frontend.name, false, by);
      return '';
    },
  },
  {
    words: 'set maxconn frontend',
    usage: '<frontend> <value>',
    does: "change a frontend's maxconn setting",
    level: 'admin',
    run: async ([name, value], { control, by }) => {
      const frontend = findFrontend(control.snapshot(), name);
      const maxconn = readCount(value, 'Integer value expected.');
      await control.setFrontendMaxconn(frontend.name, maxconn === 0 ? null : maxconn, by);
      return '';
    },
  },
  {
    words: 'set maxconn global',
    usage: '<value>',
    does: 'change the maxconn setting of all workers together',
    level: 'admin',
    run: async ([value], { control, by }) => {
      await control.setGlobalMaxconn(readCount(value, 'Expects an integer value.'), by);
      return '';
    },
  },
  {
    words: 'set maxconn server',
    usage: '<bk>/<srv> <value>',
    does: "change a server's maxconn setting",
    level: 'operator',
    run: ([name, value], caller) => setServerMaxconn(findServer(caller.control.snapshot(), name), value, caller),
  },
  {
    words: 'set rate-limit',
    usage: '<setting> <value>',
    does: 'change a rate limiting value',
    level: 'admin',
    run: async ([what, where, ...values], { control, by }) => {
      if (what !== 'connections' || (where !== 'frontend' && where !== 'global')) throw new Refusal(RATE_USAGE);
      const { frontends } = control.snapshot();
      // A limit of all frontends together does not exist here: N for each would not be what was asked for.
      if (where === 'global' && frontends.length !== 1) {
        throw new Refusal(
          `There are ${frontends.length} frontends: 'set rate-limit connections frontend <frontend> <value>'.`,
        );
      }
      const [name, value] = where === 'global' ? [frontends[0]?.name, values[0]] : values;
      const frontend = findFrontend(control.snapshot(), name);
      const rate = readCount(value, 'Expects an integer value.');
      await control.setFrontendConnRate(frontend.name, rate === 0 ? null : rate, by);
      return '';
    },
  },
];
