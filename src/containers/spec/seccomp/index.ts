export { defaultSeccompProfile } from './default-profile.ts';
export { parseSeccompProfile, type SeccompSubject } from './profile-file.ts';
export { SeccompPrograms } from './programs.ts';
