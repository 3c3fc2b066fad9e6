export type { VipConfig } from './config/config.ts';
export { type LoadedVip, loadVipConfig } from './config/load.ts';
export { loadVipPlace } from './config/place.ts';
export { surveyHost } from './host/survey.ts';
export { type Released, releaseVip } from './process/release.ts';
export { type RunningVip, startVip } from './process/supervisor.ts';
