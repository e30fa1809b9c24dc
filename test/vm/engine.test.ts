import { after } from 'node:test';
import { apparmorTests } from './apparmor.ts';
import { buildTests } from './builds.ts';
import { cgroupTests } from './cgroups.ts';
import { startEngine } from './engine.ts';
import { everydayTests } from './everyday.ts';

const engine = await startEngine();
after(() => engine.daemon[Symbol.asyncDispose]());
everydayTests(engine);
cgroupTests(engine);
apparmorTests(engine);
buildTests(engine);
