export { defaultSeccompProfile } from './default-profile.ts';
export { parseSeccompProfile } from './profile-file.ts';
export { SeccompPrograms } from './programs.ts';
