import { runConformance } from '../conformance/conformance.ts';

runConformance('/usr/sbin/runc');
