import { runConformance } from '../conformance/conformance.ts';

runConformance('/usr/bin/crun');
